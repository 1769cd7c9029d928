import os
import time

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.tracking.sync import sync
from tests.tracking.records import logs


def test_where_nothing_was_trained_offline_it_says_so(trained, tmp_path):
    trained("model=ncls")
    with pytest.raises(InputError, match="no run here was trained offline"):
        sync(tmp_path / "runs")


def test_what_was_uploaded_before_is_left_alone(trained, tmp_path, capsys):
    (log,) = logs(trained("model=ncls", "logger=wandb"))
    log.with_suffix(".wandb.synced").touch()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "small").symlink_to(tmp_path / "runs" / "small")
    for runs in ("runs", "linked"):
        sync(tmp_path / runs)
        said = capsys.readouterr().out.splitlines()[-1]
        assert said == "0 uploaded, of 0 runs; 1 uploaded before"


def test_a_run_that_goes_on_is_left_out_until_it_has_ended(trained, tmp_path, capsys, monkeypatch):
    (log,) = logs(trained("model=ncls", "logger=wandb"))
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])  # It has not ended,
    os.utime(log, (0, time.time() + 3600))  # and wrote lately, however slow this machine is.
    sync(tmp_path / "runs")
    assert "1 left out, still being written" in capsys.readouterr().out
    os.utime(log, (0, time.time() - 3600))  # Killed an hour ago.
    monkeypatch.setattr("mclas_lightning.tracking.sync.check_account", refuse)
    with pytest.raises(InputError, match="asked for an account"):
        sync(tmp_path / "runs")


def refuse() -> None:
    """Stands for an account that is not there."""
    raise InputError("asked for an account")
