"""A training that diverges ends there, keeps what it had, and is never scored."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.inference.trained import ms_run
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.checkpoints import SAVE, Last
from mclas_lightning.training.divergence import Diverged
from mclas_lightning.training.module import SummarizationModule
from tests.test_devices import command, free_port
from tests.training.test_checkpoints import at_micro_batch, contents, give_away, training

UPDATE = 8  # after the validation of update 6; three micro-batches each


def diverged(line: list[str]) -> tuple[Run, dict, str]:
    """The run, what it noted, and its error."""
    cfg = compose("train", line)
    with pytest.raises(Diverged) as error:
        train(cfg)
    run = Run(Path(cfg.run_dir))
    return run, json.loads(run.diverged_path.read_text()), str(error.value)


def assert_kept(run: Run, update: int) -> None:
    """Nothing of what has diverged is in the checkpoints, and the run is not a trained one."""
    for path in (run.best, run.last):
        checkpoint = torch.load(path, weights_only=True)
        assert all(tensor.isfinite().all() for tensor in checkpoint["state_dict"].values())
        assert checkpoint["global_step"] <= update
    assert torch.load(run.last, weights_only=True)["global_step"] == update
    assert not run.trained
    assert not run.finished


class Micro:
    """Does something to a micro-batch of the training, counted from 1, and notes its examples."""

    def __init__(self, monkeypatch, wanted: int, value: float) -> None:
        self.count, self.ids = 0, []
        step = SummarizationModule.training_step

        def training_step(module, batch, batch_idx):
            self.count += 1
            loss = step(module, batch, batch_idx)
            if self.count != wanted:
                return loss
            self.ids = module.trainer.datamodule.train.names(batch.places)
            return loss * value

        monkeypatch.setattr(SummarizationModule, "training_step", training_step)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("often", [False, True])
def test_a_loss_that_is_no_number_ends_the_training(words, tmp_path, monkeypatch, value, often):
    seen = Micro(monkeypatch, 3 * (UPDATE - 1) + 2, value)
    if often:  # Each update is saved, the one that diverges not.
        agreed = Last._most_urgent_wish
        monkeypatch.setattr(Last, "_most_urgent_wish", lambda last: max(agreed(last), SAVE))
    run, noted, error = diverged(training(words, tmp_path, "middle"))
    assert noted["update"] == UPDATE
    assert noted["reason"] == f"its training loss is {value}"
    assert noted["examples"] == seen.ids
    assert error == noted["error"]
    kept = UPDATE - 1 if often else 6
    assert f"last good checkpoint: {run.last}, of update {kept}" in error
    assert f"(examples {seen.ids[0]}" in error
    assert "\n" not in error
    assert_kept(run, kept)


def test_nothing_is_noted_in_a_folder_that_is_anothers_meanwhile(words, tmp_path, monkeypatch):
    cfg, theirs = compose("train", training(words, tmp_path, "middle")), {}
    run = Run(Path(cfg.run_dir))
    Micro(monkeypatch, 3 * (UPDATE - 1) + 2, math.nan)
    at_micro_batch(monkeypatch, 3 * (UPDATE - 1) + 1, lambda: theirs.update(give_away(run)))
    with pytest.raises(InputError, match=r"seed=0: was deleted or renamed while this process"):
        train(cfg)
    assert contents(run) == theirs != {}


def test_a_gradient_that_is_no_number_ends_the_training(words, tmp_path, monkeypatch):
    log = SummarizationModule.on_before_optimizer_step

    def spoil(module, optimizer):
        log(module, optimizer)
        if module.global_step + 1 == UPDATE:
            next(module.parameters()).grad.view(-1)[0] = math.nan

    monkeypatch.setattr(SummarizationModule, "on_before_optimizer_step", spoil)
    run, noted, _ = diverged(training(words, tmp_path, "middle"))
    assert noted["update"] == UPDATE
    assert noted["reason"] == "its gradient leaves weights that are no finite numbers"
    assert len(set(noted["examples"])) == len(noted["examples"]) > 3
    assert_kept(run, 6)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_later_validation_that_is_no_number_ends_the_training(
    words, tmp_path, monkeypatch, everywhere
):
    validate, ids = SummarizationModule.validation_step, []

    def validation_step(module, batch, batch_idx):
        loss = validate(module, batch, batch_idx)
        if module.global_step < 9 or (batch_idx != 1 and not everywhere):
            return loss
        ids.extend(module.trainer.datamodule.valid.names(batch.places))
        module.sums.update(module.sums.sums_SK * math.nan)
        return loss * math.nan

    monkeypatch.setattr(SummarizationModule, "validation_step", validation_step)
    run, noted, error = diverged(training(words, tmp_path, "middle"))
    assert (noted["update"], noted["reason"]) == (9, "the validation loss after it is nan")
    assert noted["of"] == ("training" if everywhere else "validation")
    if not everywhere:
        assert noted["examples"] == ids
    assert f"{noted['of']} set" in error
    assert_kept(run, 6)


def test_a_training_that_has_diverged_is_neither_resumed_nor_used(words, tmp_path, monkeypatch):
    line = [*training(words, tmp_path, "middle"), "model=ms"]
    with monkeypatch.context() as patched:
        Micro(patched, 3 * (UPDATE - 1) + 2, math.nan)
        run, _, _ = diverged(line)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    said = rf"{run}: its training has diverged at update {UPDATE}: its training loss is nan; start"
    with pytest.raises(InputError, match=said):
        train(compose("train", line))
    words = [word for word in line if not word.startswith("trainer.keep_last")]
    with pytest.raises(InputError, match=said):
        evaluate(compose("evaluate", words))
    with pytest.raises(InputError, match=said):
        ms_run(str(run), 0, "init_from")
    after = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    assert after == before


SPOILED = """\
import math
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.train import main

step = SummarizationModule.training_step

def training_step(module, batch, batch_idx):
    loss = step(module, batch, batch_idx)
    spoiled = module.global_rank == 1 and module.global_step == 4 and batch_idx % 2 == 1
    return loss * math.nan if spoiled else loss

SummarizationModule.training_step = training_step
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_all_processes_end_where_one_meets_no_number(words, tmp_path, strategy):
    (tmp_path / "spoiled.py").write_text(SPOILED)
    more = [
        "model=mclas", "optim.accumulate=2", f"trainer={strategy}", "trainer.devices=2",
        "trainer.precision=32-true", f"runs={tmp_path}/{strategy}",
    ]  # fmt: skip
    line = command(words, 2, *more)
    at = line.index("-m", 3)
    line[at : at + 2] = [str(tmp_path / "spoiled.py")]
    began = time.monotonic()
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode != 0
    assert time.monotonic() - began < 120
    errors = [row for row in done.stderr.splitlines() if row.startswith("error: ")]
    assert len(errors) == 1
    assert "training diverged at update 5: its training loss is nan" in errors[0]
    run = Run(tmp_path / strategy / "small" / "minimum" / "mclas" / "seed=0")
    assert 0 < len(json.loads(run.diverged_path.read_text())["examples"]) < 12
    assert_kept(run, 4)


@pytest.mark.slow
def test_an_error_of_the_first_process_ends_the_others(words, tmp_path):
    """As srun starts them: nobody ends the other tasks of a step."""
    from mclas_lightning.runs.lock import locked

    run = Run(tmp_path / "runs" / "small" / "minimum" / "mclas" / "seed=0")
    with locked(run.folder):
        began = time.monotonic()
        ended = tasks(words, "model=mclas", "trainer=ddp", "trainer.devices=2")
        assert time.monotonic() - began < 120
    assert [code for code, _ in ended] == [2, 2]
    assert [text.count("is being worked on") for _, text in ended] == [1, 0]
    assert [text.count("Traceback") for _, text in ended] == [0, 0]


@pytest.mark.slow
def test_a_full_disk_of_the_first_process_ends_the_others(words, tmp_path):
    (tmp_path / "full.py").write_text(
        "from mclas_lightning.training import checkpoints\n"
        "from mclas_lightning.errors import InputError\n"
        "from mclas_lightning.train import main\n"
        "def full(checkpoint, path, previous):\n"
        "    raise InputError(f'{path}: cannot be written (No space left on device)')\n"
        "checkpoints.save_checkpoint = full\n"
        "main()\n"
    )
    calm = ["trainer=ddp", "trainer.devices=2", "trainer.precision=32-true"]
    ended = tasks(words, "model=mclas", *calm, start=str(tmp_path / "full.py"))
    assert [code for code, _ in ended] == [2, 2]
    assert [text.count("No space left") for _, text in ended] == [1, 0]
    assert [text.count("Traceback") for _, text in ended] == [0, 0]


def tasks(words: list[str], *more: str, start: str = "") -> list[tuple[int, str]]:
    """Exit codes and errors of two tasks of a step."""
    import os

    said = {
        "SLURM_JOB_ID": "1234567", "SLURM_JOB_NAME": "mclas", "SLURM_STEP_ID": "0",
        "SLURM_NTASKS": "2", "SLURM_NODELIST": "127.0.0.1", "SLURM_NNODES": "1",
        "SLURM_NTASKS_PER_NODE": "2", "SLURM_NODEID": "0", "MASTER_PORT": str(free_port()),
    }  # fmt: skip
    main = [start] if start else ["-m", "mclas_lightning.train"]
    line = [*words, *more, "trainer.accelerator=cpu", "trainer.precision=32-true"]
    started = [
        subprocess.Popen(
            [sys.executable, *main, *line],
            env={**os.environ, **said, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [task.communicate(timeout=200)[1] for task in started]
    return [(task.returncode, text) for task, text in zip(started, errors, strict=True)]
