import sys

import pytest

from mclas_lightning.cli.main import parsed
from mclas_lightning.errors import InputError


def test_without_gradio_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    arguments = parsed(["app", "runs/x", "--port", "8000", "runs/y"])
    assert arguments.words == ["runs/x", "runs/y"]
    with pytest.raises(InputError, match=r"pip install 'mclas-lightning\[app\]'"):
        arguments.run(arguments)


def test_a_port_is_one_that_any_user_may_open(capsys):
    with pytest.raises(SystemExit):
        parsed(["app", "runs/x", "--port", "80"])
    assert "expected a whole number from 1024 to 65,535, found '80'" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_one_line(tmp_path):
    pytest.importorskip("gradio", reason="the extra 'app' is not installed")
    arguments = parsed(["app", str(tmp_path), "--port", "8123"])
    with pytest.raises(InputError, match="neither the folder of a trained run"):
        arguments.run(arguments)
