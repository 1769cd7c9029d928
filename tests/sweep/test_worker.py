import json

import pytest

from mclas_lightning import train
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.runs.lock import FolderBusy
from mclas_lightning.runs.preemption import TERMINATED, Preempted
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.worker import BUSY_EXIT, train_and_note


@pytest.mark.parametrize("words", [["dataset.target=de"], ["data=C#'s ${x}", "seed=3"]])
def test_a_worker_trains_what_mclas_train_would_of_the_same_words(words):
    """The plan has composed it: nothing is composed again."""
    escaped = [word.replace("${", "\\${") for word in words]
    for run in plan_runs(["toy"], escaped):
        composed = read_settings(compose("train", run.words))
        assert read_settings(run.config) == composed


@pytest.mark.parametrize(
    ("raised", "code", "error"),
    [
        (InputError("no such file"), 2, "no such file"),
        (MemoryError("all of it"), 1, "MemoryError: all of it"),
    ],
)
def test_a_failure_is_noted_and_the_next_success_forgets_it(
    tmp_path, monkeypatch, raised, code, error
):
    def fail(config):
        raise raised

    log, noted = tmp_path / "log.txt", tmp_path / "failure.json"
    monkeypatch.setattr(train, "train", fail)
    assert train_and_note(dict, tmp_path, log, writes=False) == code
    assert not noted.exists()
    assert train_and_note(dict, tmp_path, log) == code
    assert json.loads(noted.read_text())["error"] == error
    monkeypatch.setattr(train, "train", lambda config: None)
    assert train_and_note(dict, tmp_path, log) == 0
    assert not noted.exists()


def test_a_run_in_other_hands_is_no_failure(tmp_path, monkeypatch):
    def busy(config):
        raise FolderBusy("process 7 has it")

    monkeypatch.setattr(train, "train", busy)
    assert train_and_note(dict, tmp_path, tmp_path / "log.txt") == BUSY_EXIT
    assert not list(tmp_path.iterdir())


def test_a_retry_forgets_the_failure_before_it_even_where_it_is_interrupted(tmp_path, monkeypatch):
    (tmp_path / "failure.json").write_text("{}")

    def preempted(config):
        raise Preempted(TERMINATED)

    monkeypatch.setattr(train, "train", preempted)
    with pytest.raises(Preempted):
        train_and_note(dict, tmp_path, tmp_path / "log.txt")
    assert not list(tmp_path.iterdir())
