"""Trainings on the toy corpus, set up as in mclas-train, for the benchmarks that time them."""

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.corpora import toy
from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.toy.editions import TOY
from mclas_lightning.data.datamodule import LoaderConfig, SummarizationData
from mclas_lightning.model.malloc import keep_freed_memory
from mclas_lightning.train import quiet_libraries
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.training.preparation import build_network, prepare


def build_corpus(folder: Path) -> None:
    """Write generated news for the scenario "medium", and a vocabulary of 4,000 word pieces."""
    sizes = {"train": 1000, "valid": 100, "test": 40, "mono_train": 3000}
    with redirect_stdout(sys.stderr):  # stdout is for the report.
        toy.write_toy(
            folder / "toy",
            seed=0,
            sizes={**dict.fromkeys(TOY.sizes, 1), **sizes},
            progress=lambda _: None,
            finish=lambda built: build_tokenizer(built, TOY.vocabulary, lowercase=False),
        )


def words(folder: Path, *more: str) -> list[str]:
    """Words for mclas-train on the corpus in ``folder``, on the CPU."""
    return [
        "dataset=toy", "model=mclas", "scenario=medium", f"data={folder}", f"runs={folder}/runs",
        "trainer.accelerator=cpu", *more,
    ]  # fmt: skip


def parts(line: list[str], devices: int) -> tuple[Settings, SummarizationModule, SummarizationData]:
    """The module and the data of a training."""
    quiet_libraries()
    keep_freed_memory()
    settings, _ = read_settings(compose("train", line))
    pl.seed_everything(settings.seed, verbose=False)
    preparation = prepare(settings)
    module = SummarizationModule(
        build_network(settings, preparation),
        settings.optim,
        task=settings.task,
        lsep_id=preparation.tokenizer.special.lsep,
        seed=settings.seed,
    )
    loader = LoaderConfig(shape=settings.optim.shape(devices), workers=0)
    data = SummarizationData(preparation.train, preparation.valid, loader, seed=settings.seed)
    return settings, module, data


class Clock(Callback):
    """A callback that notes when each update ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        """Note the time after the last micro-batch of an update."""
        if trainer.global_step > len(self.ends):
            self.ends.append(time.perf_counter())

    def rate(self, skip: int) -> float:
        """Updates a second without the warm-up."""
        return (len(self.ends) - skip) / (self.ends[-1] - self.ends[skip - 1])
