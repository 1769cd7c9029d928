"""Lines that a training prints before its first update, and after its last."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mclas_lightning.config.optim import UNITS, UpdateShape
from mclas_lightning.config.settings import Settings
from mclas_lightning.data.batch import EncodedExamples
from mclas_lightning.data.scenario import few_examples
from mclas_lightning.progress import SMALL_WIDTH, cpu_flags
from mclas_lightning.runs.recipe import full_precision
from mclas_lightning.training.exposure import Exposure
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.training.preparation import Preparation

SAME_SIZE = 0.05  # relative difference of target tokens up to which two updates are as large


def announce_training(
    settings: Settings, preparation: Preparation, module: SummarizationModule, resumed: Path | None
) -> None:
    """Print the run, its examples, its parameters, and where its weights come from."""
    parameters = sum(p.numel() for p in module.network.parameters())
    print(
        f"{settings.run}\n"
        f"  {len(preparation.train):,} of {preparation.manifest['of']:,} training examples; "
        f"network {settings.network.name} with {parameters:,} parameters, "
        f"{_initialization(settings)}"
        f"{'; resuming' if resumed else ''}",
        flush=True,
    )
    if advice := bf16_advice(settings, cpu_flags()):
        print(f"  {advice}", flush=True)
    scenario, num = settings.scenario, len(preparation.train)
    counted = {"training": num, "validation": len(preparation.valid)}
    if cut := preparation.train.cut():
        print(f"  cut: {'; '.join(cut)}", flush=True)
    if little := few_examples(scenario, settings.dataset.sizes[scenario], counted):
        print(f"  warning: {little}", flush=True)
    if preparation.leaks:
        said = f"{preparation.leaks:,} training documents are in the test set, or nearly"
        print(f"  warning: {said} (dataset.leaks=allow)", flush=True)
    if resumed is not None and resumed == settings.run.previous:
        print(f"  {settings.run.last}: missing or cut short; going on from {resumed.name}")


def bf16_advice(settings: Settings, flags: Collection[str]) -> str:
    """What a float32 training of a large network could gain from this CPU; empty for others."""
    full = full_precision(settings.trainer.get("precision")) == "32-true"
    large = settings.network.encoder.width > SMALL_WIDTH
    fast = {"amx_bf16", "avx512_bf16"} & {*flags}
    if settings.device.type != "cpu" or not (fast and full and large):
        return ""
    return (
        "this processor multiplies bf16 about twice as fast as float32, or faster: "
        "trainer.precision=bf16-mixed uses it (results differ by bf16's rounding)"
    )


def _initialization(settings: Settings) -> str:
    """Where the first weights come from: an ms run, a pretrained encoder, or nowhere."""
    if settings.init_from is None:
        encoder = settings.network.encoder.pretrained
        return f"its encoder {encoder}" if encoder else "from scratch"
    random = [name for name in settings.task.targets if name not in settings.initialize]
    but = f", but decoder {', '.join(random)} at random" if random else ""
    return f"initialized from {settings.init_from}{but}"


def announce_update(settings: Settings, train: EncodedExamples, exposure: Exposure) -> None:
    """Print what an update sees, and warn where the recipe's updates predict more or less."""
    shape, recipe = exposure.shape, settings.optim.recipe.shape()
    tokens = " and ".join(f"{num:,.0f} {side}" for side, num in exposure.tokens.items())
    print(
        f"  an update: {_layout(shape)}; on average {exposure.documents:,.0f} documents, "
        f"of whose summaries it predicts {tokens} tokens; "
        f"{settings.updates:,} updates are {settings.updates / exposure.updates:,.1f} epochs",
        flush=True,
    )
    if recipe == shape or len(train) < recipe.accumulate * recipe.ranks:
        return
    theirs = Exposure.of(train, recipe)
    if abs(exposure.predicted / theirs.predicted - 1) > SAME_SIZE:
        same = replace(shape, accumulate=recipe.accumulate, ranks=recipe.ranks) == recipe
        micro_batches = recipe.accumulate * recipe.ranks / shape.ranks
        advice = f"optim.max_tokens={shape.max_tokens * theirs.predicted / exposure.predicted:.0f}"
        if same and micro_batches % 1 == 0:
            advice = f"optim.accumulate={micro_batches:.0f}"
        print(
            f"  warning: the recipe's are {_layout(recipe)}, which predict {theirs.predicted:,.0f} "
            f"here; its learning rates are made for these ({advice} has as many)",
            flush=True,
        )


def _layout(shape: UpdateShape) -> str:
    """An update's budget, such as "2,048 target tokens x 5 micro-batches x 1 device = 10,240"."""
    micro_batches = _counted(shape.accumulate, "micro-batch", "micro-batches")
    devices = _counted(shape.ranks, "device", "devices")
    tokens = shape.max_tokens * shape.accumulate * shape.ranks
    return f"{shape.max_tokens:,} {UNITS[shape.unit]} x {micro_batches} x {devices} = {tokens:,}"


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def announce_end(ended: Mapping[str, Any]) -> None:
    """Print what training.json says of a training that has ended."""
    how = " (stopped early)" if ended["stopped_early"] else ""
    how = " (cut off: the last validation was the best)" if ended["cut_off"] else how
    print(
        f"  {ended['updates']:,} updates in {ended['seconds']:,.0f} s{how}, "
        f"best {ended['monitor']} {ended['best_val_loss']:.3f}"
    )
