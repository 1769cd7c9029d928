import json

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.runs.exported import ExportedRun, opened
from mclas_lightning.runs.run import Run


def about(**files) -> dict:
    sections = {"model": {}, "dataset": {}, "decoding": {}, "network": {}}
    return {"model_type": "mclas", "format": 1, **sections, "files": files}


@pytest.fixture
def folder(tmp_path):
    def write(content: object):
        (tmp_path / "config.json").write_text(json.dumps(content))
        return tmp_path

    return write


@pytest.mark.parametrize("content", [{"model_type": "bert"}, [], {}])
def test_a_folder_of_another_model_is_no_export(folder, content):
    assert type(opened(Run(folder(content)))) is Run


def test_a_run_is_no_export_whatever_else_is_in_its_folder(folder, tmp_path):
    run = folder(about())
    (tmp_path / "config.yaml").touch()
    assert type(opened(Run(run))) is Run


def test_a_listed_file_must_have_its_size_and_hash(folder, tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    run = opened(Run(folder(about(**{file.name: [7, sha256(file)]}))))
    assert isinstance(run, ExportedRun)
    assert run.checked(file.name) == file
    file.write_bytes(b"Weights")
    with pytest.raises(InputError, match="another size or hash"):
        run.checked(file.name)
    file.unlink()
    with pytest.raises(InputError, match="no such file"):
        run.checked(file.name)
    with pytest.raises(InputError, match=r"does not list 'tokenizer\.json'"):
        run.checked("tokenizer.json")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "vocabulary/../../x", "..\\x"])
def test_a_path_that_leaves_the_folder_is_refused(folder, name):
    run = opened(Run(folder(about(**{name: [1, ""]}))))
    assert isinstance(run, ExportedRun)
    with pytest.raises(InputError, match="leaves the folder"):
        run.checked(name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**about(), "format": 9}, "expected format 1, found 9"),
        ({**about(), "network": 3}, "'network' is missing or no object"),
    ],
)
def test_another_format_is_refused(folder, content, said):
    run = opened(Run(folder(content)))
    with pytest.raises(InputError, match=said):
        _ = run.config
