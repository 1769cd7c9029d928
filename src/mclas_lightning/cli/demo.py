"""``mclas demo``: the paper's low-resource experiment in miniature, from nothing to a table.

After one MS pretraining, NCLS, NCLS+MS and MCLAS are fine-tuned from it on the minimum scenario and
scored on the test set. All are ordinary runs, so that a second start of the demo does what is left.
"""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from mclas_lightning.config.compose import compose
from mclas_lightning.config.overrides import command, override, quoted, runs_option, uninterpolated
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.corpora.build import build_debian, build_toy
from mclas_lightning.data.sampler import UpdateSampler
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.report.cases import pick_cases
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.render import terminal
from mclas_lightning.report.render.cases import draw_cases
from mclas_lightning.report.started import PRETRAIN
from mclas_lightning.runs.results import find_results
from mclas_lightning.train import train
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.training.preparation import prepare

SYSTEMS = ("ncls", "ncls_ms", "mclas")

TOY_TARGETS = ("dataset.target=de", "dataset.target=zh")

# Recipes of minutes, by the beginning of a dataset's name.
QUICK = {"toy": "tiny_quick", "debian": "small_quick"}

# A folder of its own: the same words with another recipe would be another run in the same place.
RUNS = "runs=runs/demo"


def demo(dataset: str, words: Sequence[str] = ()) -> None:
    """Build a missing corpus, train and score, print a table and three documents.

    ``words`` are added to every mclas-train. InputError for a monolingual corpus.
    """
    began = time.monotonic()
    words = [RUNS, *(quoted(word) for word in words)]
    quick = [f"optim={recipe}" for name, recipe in QUICK.items() if dataset.startswith(name)]
    directions = [
        [f"dataset={dataset}", *target, *quick, *words]
        for target in ([[target] for target in TOY_TARGETS] if dataset == "toy" else [[]])
    ]
    first = _settings([*directions[0], "scenario=minimum"])
    first.dataset.language("cross")  # A monolingual corpus is refused now, not after pretraining.
    _build_if_missing(dataset, first)
    plan = _plan(directions, [*(f"{word}{PRETRAIN}" for word in quick), *words])
    _print_estimate([_settings(run) for run in plan])
    for number, run in enumerate(plan, start=1):
        print(f"\n[{number}/{len(plan)}] {command('mclas-train', run)}", flush=True)
        train(compose("train", run))
    for direction in directions:
        _show(_settings([*direction, "scenario=minimum"]))
    print(
        f"\nDone in {(time.monotonic() - began) / 60:.1f} minutes. The runs, each with config.yaml,"
    )
    print("metrics.csv, checkpoints/, predictions.jsonl and results.json:")
    for run in plan:
        print(f"  {_settings(run).run}")
    print("More:")
    shown = [_settings(direction) for direction in directions]
    runs, names = runs_option(_runs(shown[0])), [settings.dataset.name for settings in shown]
    print(f"  {command('mclas table', ['--dataset', *names, *runs])}")
    for name in names:
        print(f"  {command('mclas show', ['--dataset', name, '--num', '10', *runs])}")


def _plan(directions: Sequence[list[str]], of_pretraining: Sequence[str]) -> list[list[str]]:
    """The words of every run, the pretraining first."""
    pretraining = _settings(directions[0]).dataset.pretraining
    ms = [*map(quoted, pretraining), "scenario=full", "model=ms", *of_pretraining]
    init_from = override("init_from", uninterpolated(str(_settings(ms).run.folder.parent)))
    systems = [
        [*direction, "scenario=minimum", f"model={system}", init_from]
        for direction in directions
        for system in SYSTEMS
    ]
    return [ms, *systems]


def _settings(words: list[str]) -> Settings:
    return read_settings(compose("train", words))[0]


def _build_if_missing(dataset: str, settings: Settings) -> None:
    if settings.dataset.file("train").exists() and Path(settings.dataset.tokenizer).is_dir():
        return
    out = Path(settings.dataset.path).parent
    if dataset == "toy":
        build_toy(out, seed=0)
    elif dataset.startswith("debian"):
        build_debian(out, seed=0, suites=None)


def _print_estimate(runs: Sequence[Settings]) -> None:
    unfinished = [run for run in runs if not run.run.trained]
    if not unfinished:
        return
    seconds = sum(run.updates * _seconds_per_update(run) for run in unfinished)
    print(
        f"\n{len(unfinished)} runs of {sum(run.updates for run in unfinished):,} updates in all: "
        f"about {max(1, round(seconds / 60))} minutes of training on this machine "
        f"({torch.get_num_threads()} threads), then scoring.",
        flush=True,
    )


def _seconds_per_update(settings: Settings) -> float:
    """Seconds of an update, by the second forward and backward of a middling micro-batch."""
    prepared, optim = prepare(dataclasses.replace(settings, init_from=None)), settings.optim
    module = SummarizationModule(
        Seq2Seq(prepared.network),
        optim,
        task=settings.task,
        lsep_id=prepared.tokenizer.special.lsep,
        seed=0,
    )
    data = prepared.valid
    shape = optim.shape(devices=1)
    sampler = UpdateSampler(data.lengths(shape.unit), shape, shuffle=False)
    batch = data[list(sampler)[len(sampler) // 2]]
    seconds = 0.0
    for _ in range(2):
        began = time.monotonic()
        module.loss(batch, optim.label_smoothing).backward()
        seconds = time.monotonic() - began
    return seconds * optim.accumulate


def _runs(settings: Settings) -> Path:
    return settings.run.folder.parents[3]


def _show(settings: Settings) -> None:
    console = Console()
    results = find_results(_runs(settings), settings.dataset.name, settings.scenario)
    results = [run for run in results if run.seed == settings.seed]
    console.print()
    terminal.show(console, comparison_sheets(results))
    console.print()
    console.print(draw_cases(pick_cases(results)))
