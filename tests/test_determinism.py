"""One seed on one machine gives one result, to the last bit."""

from pathlib import Path

import pytest
import torch

from mclas_lightning.cli.main import parsed
from mclas_lightning.config.compose import compose
from mclas_lightning.inference.trained import weights_of
from mclas_lightning.runs.preemption import Preempted
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.checkpoints import END, Last
from tests.conftest import small_words, write_corpus

FILES = ("metrics.csv", "predictions.jsonl", "scores.npz")


def trained_in(place: Path, tokenizer, *more: str) -> Run:
    """A run on a corpus of its own, in a folder of its own."""
    write_corpus(place / "corpus", tokenizer)
    cfg = compose("train", [*small_words(place), "model=mclas", *more])
    while True:
        try:
            train(cfg)
            return Run(Path(cfg.run_dir))
        except Preempted:
            continue


def table(place: Path, capsys) -> str:
    """The table of all runs of a folder."""
    capsys.readouterr()
    arguments = parsed(["table", "--format", "csv", "--runs", str(place / "runs")])
    arguments.run(arguments)
    return capsys.readouterr().out


def assert_equal(ours: Run, theirs: Run) -> None:
    for name in FILES:
        assert (ours.folder / name).read_bytes() == (theirs.folder / name).read_bytes(), name
    state = weights_of(theirs)
    assert all(torch.equal(tensor, state[name]) for name, tensor in weights_of(ours).items())
    one, two = (Results.read(run.folder / "results.json") for run in (ours, theirs))
    assert (one.scores, one.signatures) == (two.scores, two.signatures)


def test_another_folder_and_a_resume_change_no_bit(tmp_path, tokenizer, monkeypatch, capsys):
    whole = trained_in(tmp_path / "one", tokenizer)
    ends = iter([False, False, True])
    wish = Last._most_urgent_wish

    def asked(self):
        return END if next(ends, False) else wish(self)

    monkeypatch.setattr(Last, "_most_urgent_wish", asked)
    stopped = trained_in(tmp_path / "another" / "place", tokenizer)
    assert next(ends, "asked") == "asked"
    assert_equal(stopped, whole)
    assert table(tmp_path / "another" / "place", capsys) == table(tmp_path / "one", capsys)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_loader_workers_changes_no_bit(workers, tmp_path, tokenizer):
    whole = trained_in(tmp_path / "alone", tokenizer, "workers=0")
    helped = trained_in(tmp_path / "helped", tokenizer, f"workers={workers}")
    assert_equal(helped, whole)
