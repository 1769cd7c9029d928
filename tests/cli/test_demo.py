import pytest

from mclas_lightning.cli.demo import demo
from mclas_lightning.corpora import toy

FEW = {"train": 230, "valid": 7, "test": 5, "mono_train": 90, "mono_valid": 7, "mono_test": 5}
WORDS = ["optim.updates={minimum: 4, full: 4}", "optim.validations=2", "decoding.beam=2"]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """An empty folder to work in, and a corpus of seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(toy, "TOY_SIZES", FEW)


def test_the_demo_goes_from_nothing_to_tables_in_german_and_chinese(small, capsys):
    demo("toy", WORDS)
    shown = capsys.readouterr().out
    for number in range(1, 8):
        assert f"[{number}/7] mclas-train" in shown
    for direction in ("toy_en2de", "toy_en2zh"):
        assert f"{direction}, minimum" in shown
        for model in ("ncls", "ncls_ms", "mclas"):
            assert f"runs/demo/{direction}/minimum/{model}/seed=0" in shown
    for system in ("NCLS", "NCLS+MS", "MCLAS", "Reference"):
        assert shown.count(f" {system} ") >= 2
    assert shown.count("Document toy-") == 6
    assert "minutes of training on this machine" in shown
    assert "mclas table --dataset toy_en2de toy_en2zh --runs runs/demo" in shown

    demo("toy", WORDS)
    again = capsys.readouterr().out
    assert again.count("finished before") == 7
    assert "minutes of training" not in again
    assert "toy_en2zh, minimum" in again
