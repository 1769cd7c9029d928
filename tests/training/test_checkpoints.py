"""A run that is stopped anywhere goes on as if it had not been."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from traceback import walk_stack
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import pytorch_lightning as pl
import torch

from benchmarks.kills import survive
from mclas_lightning.config.compose import compose
from mclas_lightning.errors import INTERRUPTED, InputError
from mclas_lightning.inference.trained import weights_of
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.preemption import TERMINATED, Preempted
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.checkpoints import (
    DIVERGED,
    END,
    GO_ON,
    INTERRUPT,
    SAVE,
    Best,
    Last,
    WholeCheckpoints,
    resumable,
)
from mclas_lightning.training.module import SummarizationModule

# Epochs of 8, 3 and 2 updates; validations inside epochs and at their ends.
LAYOUTS = {
    "long": ["optim.max_tokens=128", "optim.accumulate=1"],
    "middle": ["optim.max_tokens=128", "optim.accumulate=3"],
    "short": ["optim.max_tokens=128", "optim.accumulate=6"],
}


def steps(layout: str) -> list[str]:
    return [
        "model=mclas", "optim.updates.minimum=12", "optim.validations=4", "optim.patience=100",
        "trainer.keep_last=true", *LAYOUTS[layout],
    ]  # fmt: skip


def training(words: list[str], place: Path, layout: str) -> list[str]:
    return [*words, *steps(layout), f"runs={place}"]


@pytest.fixture
def whole(trained) -> Callable[..., Run]:
    """A run that nothing stops."""

    def whole(layout: str, *more: str) -> Run:
        return Run(trained(*steps(layout), *more))

    return whole


class Killed(BaseException):
    """Nothing more is done, as after SIGKILL."""


def finish(words: list[str]) -> tuple[Run, int]:
    """The finished run, and how often it was preempted."""
    cfg = compose("train", words)
    for stops in range(100):
        try:
            train(cfg)
            return Run(Path(cfg.run_dir)), stops
        except Preempted:
            assert not Run(Path(cfg.run_dir)).trained
            assert not Run(Path(cfg.run_dir)).finished
    raise AssertionError("it never ends")


def assert_equal(ours: Run, theirs: Run) -> None:
    for name in ("metrics.csv", "predictions.jsonl"):
        assert (ours.folder / name).read_text() == (theirs.folder / name).read_text()
    state = weights_of(theirs)
    assert all(torch.equal(tensor, state[name]) for name, tensor in weights_of(ours).items())
    last, other = (torch.load(run.last, weights_only=True) for run in (ours, theirs))
    for name, tensor in other["state_dict"].items():
        assert torch.equal(last["state_dict"][name], tensor)
    assert last["global_step"] == other["global_step"]
    assert last["epoch"] == other["epoch"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "place",
    [pytest.param("after an update", marks=pytest.mark.slow), "in a validation", "everywhere"],
)
def test_a_run_that_is_stopped_again_and_again_is_the_same(
    words, whole, tmp_path, monkeypatch, layout, place
):
    expected = whole(layout)
    seen: set[tuple[int, bool]] = set()

    def wish(last: Last) -> int:
        # mutmut puts functions of its own in between, and adds to names.
        callers = {frame.f_code.co_name for frame, _ in walk_stack(None)}
        here = (last.update, any("on_validation_batch_end" in name for name in callers))
        if here in seen or place == ("in a validation", "after an update")[here[1]]:
            return GO_ON
        seen.add(here)
        return END

    monkeypatch.setattr(Last, "_most_urgent_wish", wish)
    again, stops = finish(training(words, tmp_path / "again", layout))
    assert stops == {"after an update": 11, "in a validation": 3, "everywhere": 14}[place]
    assert_equal(again, expected)


def saving(minutes: float | None = 1) -> Any:
    """What saves a training that it has saved at second 1,000."""
    run: Any = SimpleNamespace(last=Path("last.ckpt"))
    unasked: Any = SimpleNamespace(code=None, saving=True)
    healthy: Any = SimpleNamespace(fault=None)
    last = Last(run, unasked, minutes, WholeCheckpoints(run), healthy)
    last.saved, last.group = 1000, None
    return last


@pytest.mark.parametrize(
    ("minutes", "seconds", "code", "fault", "wish"),
    [
        (None, 10**6, None, None, GO_ON),
        (2, 120, None, None, GO_ON),
        (2, 120.5, None, None, SAVE),
        (2, 0, TERMINATED, None, END),
        (2, 500, TERMINATED, None, END),
        (2, 500, INTERRUPTED, None, INTERRUPT),
        (None, 0, INTERRUPTED, "loss", DIVERGED),
    ],
)
def test_the_end_of_an_update_brings_what_is_most_urgent(
    monkeypatch, minutes, seconds, code, fault, wish
):
    clock = SimpleNamespace(monotonic=lambda: 1000 + seconds)
    monkeypatch.setattr("mclas_lightning.training.checkpoints.time", clock)
    last = saving(minutes)
    last.preemption.code, last.divergence.fault = code, fault
    assert last._most_urgent_wish() == wish
    asked: list[object] = []

    def all_reduce(wishes, op, group):
        asked.append((wishes.item(), op, group))
        wishes.fill_(max(wishes, INTERRUPT))

    monkeypatch.setattr("torch.distributed.all_reduce", all_reduce)
    last.group = "ranks"
    # Another rank was interrupted.
    assert last._most_urgent_wish() == max(wish, INTERRUPT)
    assert asked == [(wish, torch.distributed.ReduceOp.MAX, "ranks")]


def test_from_its_start_a_training_listens_and_saves_together_with_the_other_ranks():
    last, trainer = saving(), SimpleNamespace(global_step=4, loggers=[])
    last.preemption, last.divergence.group = Mock(saving=False), "ranks"
    last.on_train_start(trainer, pl.LightningModule())
    assert (last.update, last.validated, last.group) == (4, 0, "ranks")
    assert last.preemption.saving is True
    last.preemption.listen.assert_called_once_with()


@pytest.mark.parametrize(("wish", "code"), [(END, TERMINATED), (INTERRUPT, INTERRUPTED)])
def test_a_training_that_ends_has_looked_at_itself_and_has_saved(monkeypatch, wish, code):
    monkeypatch.setattr(Last, "_most_urgent_wish", lambda last: wish)
    last, trainer = saving(), Mock(global_step=5, max_steps=9, loggers=[Mock()])
    last.path, last.divergence = Path("run/checkpoints/last.ckpt"), Mock()
    with pytest.raises(Preempted) as ended:
        last._save_or_end(trainer)
    assert ended.value.code == code
    last.divergence.check.assert_called_once_with(trainer)
    assert last.divergence.saved == 5
    trainer.loggers[0].save.assert_called_once_with()
    trainer.save_checkpoint.assert_called_once_with(last.path)


def test_a_training_that_diverged_is_stopped_and_not_saved(monkeypatch):
    monkeypatch.setattr(Last, "_most_urgent_wish", lambda last: DIVERGED)
    last, trainer = saving(), Mock(global_step=5, max_steps=9)
    last.divergence = Mock(**{"stop.side_effect": InputError("diverged")})
    with pytest.raises(InputError, match="diverged"):
        last._save_or_end(trainer)
    last.divergence.stop.assert_called_once_with(trainer)
    trainer.save_checkpoint.assert_not_called()


def test_after_the_training_a_signal_ends_the_process_at_once():
    last = saving()
    last.teardown(pl.Trainer(), pl.LightningModule(), "fit")
    assert last.preemption.saving is False


def test_the_last_checkpoint_alone_keeps_the_one_before_it(tmp_path, monkeypatch):
    files = {name: tmp_path / name for name in ("best", "last", "previous")}
    run: Any = SimpleNamespace(folder=tmp_path, **files)
    writer = WholeCheckpoints(run)
    for kept, path in ((False, run.best), (True, run.last)):
        for number in range(2):
            writer.save_checkpoint({"number": number}, path)
        assert run.previous.exists() is kept
    assert writer.error is None
    full = InputError("the disk is full")
    monkeypatch.setattr(
        "mclas_lightning.training.checkpoints.save_checkpoint", Mock(side_effect=full)
    )
    writer.save_checkpoint({}, run.last)
    assert writer.error is full


def test_no_checkpoint_is_written_in_a_folder_that_was_made_anew(tmp_path):
    run = Run(tmp_path / "seed=0")
    writer = WholeCheckpoints(run)
    with locked(run.folder):
        run.folder.rename(tmp_path / "moved")
        run.folder.mkdir()
        writer.save_checkpoint({}, run.best)
    assert "was deleted or renamed" in str(writer.error)
    assert not run.best.exists()


def test_a_best_checkpoint_that_there_is_not_has_no_path_in_another_folder(tmp_path):
    best = Best(dirpath=tmp_path)
    assert best._here("") == ""
    assert best._here("/before/best.ckpt") == str(tmp_path / "best.ckpt")


def at_micro_batch(monkeypatch, wanted: int, do: Callable[[], None]) -> None:
    """Do something once, before the micro-batch of this number is computed."""
    step, count = SummarizationModule.training_step, [0]

    def training_step(module, batch, batch_idx):
        count[0] += 1
        if count[0] == wanted:
            do()
        return step(module, batch, batch_idx)

    monkeypatch.setattr(SummarizationModule, "training_step", training_step)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_inside_an_update_ends_the_run_after_it(words, whole, tmp_path, monkeypatch, sent):
    expected = whole("middle")
    line = training(words, tmp_path / "again", "middle")

    def send() -> None:
        for _ in range(2):  # Slurm and srun may both send it.
            os.kill(os.getpid(), sent)

    heard: list[int] = []
    other = signal.signal(sent, lambda number, frame: heard.append(number))
    try:
        at_micro_batch(monkeypatch, 3 * 4 + 2, send)
        with pytest.raises(Preempted) as ended:
            train(compose("train", line))
        assert ended.value.code == 143
    finally:
        signal.signal(sent, other)
    run = Run(tmp_path / "again" / "small" / "minimum" / "mclas" / "seed=0")
    assert torch.load(run.last, weights_only=True)["global_step"] == 5
    assert heard == [sent]  # Who listened before, as submitit does, asks for another turn.
    again, stops = finish(line)
    assert stops == 0
    assert_equal(again, expected)


def give_away(run: Run) -> dict[str, str]:
    """Make the folder of a run anew, as another process does; its files and their contents."""
    run.folder.rename(run.folder.parents[3] / "moved")
    run.best.parent.mkdir(parents=True)
    paths = (run.folder / "lock.json", run.folder / "metrics.csv", run.best)
    for path in paths:
        path.write_text(f"{path.name} of another")
    return contents(run)


def contents(run: Run) -> dict[str, str]:
    return {path.name: path.read_text() for path in run.folder.rglob("*") if path.is_file()}


def test_a_training_whose_folder_is_anothers_meanwhile_writes_nothing_there(
    words, tmp_path, monkeypatch
):
    cfg, theirs = compose("train", training(words, tmp_path, "middle")), {}
    run = Run(Path(cfg.run_dir))
    at_micro_batch(monkeypatch, 2, lambda: theirs.update(give_away(run)))
    with pytest.raises(InputError, match=r"seed=0: was deleted or renamed while this process"):
        train(cfg)
    assert contents(run) == theirs != {}


@pytest.mark.parametrize("killed", range(2, 36, 5))
def test_a_run_that_saves_often_and_is_killed_loses_little(
    words, whole, tmp_path, monkeypatch, killed
):
    expected = whole("middle")

    def kill() -> None:
        patched.setattr("mclas_lightning.tracking.metrics_file.MetricsFile.save", lambda self: None)
        raise Killed

    with monkeypatch.context() as patched:
        at_micro_batch(patched, killed, kill)
        patched.setattr(Last, "_most_urgent_wish", lambda last: SAVE)
        with pytest.raises(Killed):
            train(compose("train", training(words, tmp_path / "again", "middle")))
    run = Run(tmp_path / "again" / "small" / "minimum" / "mclas" / "seed=0")
    path = resumable(run)
    saved = torch.load(path, weights_only=True)["global_step"] if path else 0
    assert saved == (killed - 1) // 3
    again, _ = finish(training(words, tmp_path / "again", "middle"))
    assert_equal(again, expected)
    assert not again.previous.exists()


def preempted(words: list[str], monkeypatch, update: int) -> Run:
    """A run that was asked to end at this update, and at no other."""
    with monkeypatch.context() as patched:
        patched.setattr(
            Last, "_most_urgent_wish", lambda last: END if last.update == update else GO_ON
        )
        cfg = compose("train", words)
        with pytest.raises(Preempted):
            train(cfg)
    return Run(Path(cfg.run_dir))


def test_the_seconds_of_a_training_are_those_of_all_its_starts(words, tmp_path, monkeypatch):
    clock, step = [0.0], SummarizationModule.training_step

    def training_step(module, batch, batch_idx):
        clock[0] += 10
        return step(module, batch, batch_idx)

    monkeypatch.setattr(SummarizationModule, "training_step", training_step)
    monkeypatch.setattr(
        "mclas_lightning.training.checkpoints.time", SimpleNamespace(monotonic=lambda: clock[0])
    )
    line = training(words, tmp_path, "middle")
    for update in (4, 8):
        preempted(line, monkeypatch, update)
    run, _ = finish(line)
    ended = json.loads((run.folder / "training.json").read_text())
    assert (ended["updates"], ended["seconds"]) == (12, 12 * 3 * 10)


def test_what_a_training_is_resumed_from_goes_with_its_end(words, tmp_path, monkeypatch, capsys):
    line = [*training(words, tmp_path, "middle"), "trainer.keep_last=false"]
    with monkeypatch.context() as patched:
        patched.setattr("mclas_lightning.train._score", lambda *_: None)
        train(compose("train", [*line, "trainer.keep_last=true"]))
    run = Run(Path(compose("train", line).run_dir))
    files = {path.name for path in run.best.parent.iterdir()}
    assert files == {"best.ckpt", "last.ckpt"}
    train(compose("train", line))  # Its training has ended before, as that of a run killed there.
    assert [path.name for path in run.best.parent.iterdir()] == ["best.ckpt"]
    capsys.readouterr()
    train(compose("train", line))
    assert f"{run}: finished before" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_a_checkpoint_cut_short_falls_back_to_the_one_before_it(
    words, whole, tmp_path, monkeypatch, capsys, damage
):
    line = training(words, tmp_path / "again", "middle")
    run = preempted(line, monkeypatch, 8)
    if damage == "cut":
        run.last.write_bytes(run.last.read_bytes()[:-1000])
    else:
        run.last.unlink()
    assert torch.load(run.previous, weights_only=True)["global_step"] == 6
    capsys.readouterr()
    again, _ = finish(line)
    said = f"{run.last}: missing or cut short; going on from previous.ckpt"
    assert capsys.readouterr().out.count(said) == 1
    assert_equal(again, whole("middle"))


def test_checkpoints_that_are_all_cut_short_are_named(words, tmp_path, monkeypatch):
    line = training(words, tmp_path, "middle")
    run = preempted(line, monkeypatch, 8)
    for path in (run.last, run.previous):
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"previous\.ckpt: not a whole checkpoint"):
        train(compose("train", line))
    run.previous.unlink()
    with pytest.raises(InputError, match=r"last\.ckpt: not a whole checkpoint"):
        train(compose("train", line))


def test_a_run_whose_folder_was_moved_keeps_its_best_score(words, tmp_path, monkeypatch):
    # Rates that only ever make it worse after the first validation.
    rates = ["optim.encoder.lr=0.1", "optim.decoder.lr=0.04"]
    still = ["optim.encoder.warmup=1", "optim.decoder.warmup=1", *rates]
    line = training([*words, *still], tmp_path / "here", "middle")
    whole, _ = finish(training([*words, *still], tmp_path / "whole", "middle"))
    assert torch.load(whole.best, weights_only=True)["global_step"] < 10
    preempted(line, monkeypatch, 10)
    shutil.move(tmp_path / "here", tmp_path / "there")
    again, _ = finish(training([*words, *still], tmp_path / "there", "middle"))
    assert_equal(again, whole)
    last = torch.load(again.last, weights_only=True)
    (best,) = (state for name, state in last["callbacks"].items() if name.startswith("Best"))
    assert best["best_model_path"] == str(again.best)
    assert list(best["best_k_models"]) == [str(again.best)]


def test_a_signal_before_the_training_ends_the_run_at_once(words, tmp_path, monkeypatch):
    def prepare(settings):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("mclas_lightning.train.prepare", prepare)
    with pytest.raises(Preempted):
        train(compose("train", training(words, tmp_path, "middle")))
    assert not any(tmp_path.joinpath("small").rglob("*.ckpt"))
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_minutes_between_checkpoints_are_no_negative_number(words, tmp_path):
    line = [*training(words, tmp_path, "long"), "trainer.checkpoint_minutes=-1"]
    with pytest.raises(InputError, match=r"trainer\.checkpoint_minutes: expected 0 or more"):
        train(compose("train", line))


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_kills_at_random_moments_are_survived_exactly(words, tmp_path, processes):
    line = [
        *training(words, tmp_path, "middle"), "optim.updates.minimum=120", "optim.validations=8",
        "trainer.checkpoint_minutes=0.01", f"trainer.devices={processes}",
        f"trainer.strategy={'ddp' if processes > 1 else 'auto'}",
    ]  # fmt: skip
    kills, wrong = survive(line, tmp_path, kills=4, processes=processes, seed=processes)
    assert wrong == []
    assert [kill["exact"] for kill in kills] == [True] * 4
    for kill in kills:
        # At its start Python does not listen yet; the second process does not wait for the scores.
        allowed = {"SIGKILL": [-9], "SIGTERM": [143, -15], "SIGUSR2": [143, -12]}[kill["signal"]]
        assert set(kill["exit"]) <= {*allowed, *([0] if processes > 1 else [])}
