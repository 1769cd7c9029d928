"""``mclas demo``: the paper's low-resource experiment in miniature, from nothing to a table.

After one MS pretraining, NCLS, NCLS+MS and MCLAS are fine-tuned from it and scored on the test set:
on few parallel summaries and, as the paper does, beside more of them. All are ordinary runs, so
that a second start of the demo does what is left.
"""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from mclas_lightning.cli.sweep import work
from mclas_lightning.config.compose import compose
from mclas_lightning.config.overrides import command, override, quoted, runs_option, uninterpolated
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.corpora.build import build_debian, build_toy
from mclas_lightning.corpora.toy.editions import EDITIONS
from mclas_lightning.data.sampler import UpdateSampler
from mclas_lightning.errors import InputError
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.report.cases import pick_cases
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.gains import gain_lines
from mclas_lightning.report.layout import COMPARED_MODELS
from mclas_lightning.report.render import terminal
from mclas_lightning.report.render.cases import draw_cases
from mclas_lightning.report.started import PRETRAIN
from mclas_lightning.runs.results import Results, find_results
from mclas_lightning.sweep.axes import key_of, tells_runs_apart
from mclas_lightning.sweep.plan import PlannedRun, plan_words, pretrainings
from mclas_lightning.sweep.runner import share_of
from mclas_lightning.sweep.worker import warm_up
from mclas_lightning.train import train
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.training.preparation import prepare

# Words of each comparison of a generated corpus: German with few and with more parallel summaries,
# and another direction with few.
GENERATED = (
    ("dataset.target=de", "scenario=minimum"),
    ("dataset.target=de", "scenario=medium"),
    ("dataset.target=zh", "scenario=minimum"),
)

OTHER = (("scenario=minimum",),)

QUICK = {"debian": "small_quick"}  # recipes of minutes, by the beginning of a dataset's name

# A folder of its own: the same words with another recipe would be another run in the same place.
RUNS = "runs=runs/demo"


def demo(dataset: str, words: Sequence[str] = ()) -> None:
    """Build a missing corpus, train and score, print a table and three documents.

    ``words`` are added to every mclas-train, but the pretraining stays one of all its corpus.
    InputError for a monolingual corpus, and where two different runs would share a folder.
    """
    began = time.monotonic()
    words = [RUNS, *(quoted(word) for word in words)]
    quick = [f"optim={recipe}" for name, recipe in QUICK.items() if dataset.startswith(name)]
    comparisons = [
        [f"dataset={dataset}", *chosen, *quick, *words]
        for chosen in (GENERATED if dataset in EDITIONS else OTHER)
    ]
    # A word for the scenario or the target makes some comparisons the same.
    distinct = {repr(s := _settings(each)): (each, s) for each in comparisons}
    comparisons, shown = map(list, zip(*distinct.values(), strict=True))
    first = shown[0]
    first.dataset.language("cross")  # A monolingual corpus is refused now, not after pretraining.
    if not first.dataset.pretraining:
        raise InputError(f"{dataset}: expected words of the MS pretraining (dataset.pretraining)")
    plan = plan_words(_plan(comparisons, [*(f"{word}{PRETRAIN}" for word in quick), *words]))
    _build_if_missing(dataset, first)
    _print_estimate([_settings(run.words) for run in plan])
    _train(plan)
    results = [run for settings in shown for run in _results(settings)]
    _show(shown, results)
    print(
        f"\nDone in {(time.monotonic() - began) / 60:.1f} minutes. The runs, each with config.yaml,"
    )
    print("metrics.csv, checkpoints/, predictions.jsonl and results.json:")
    for run in plan:
        print(f"  {run.folder}")
    print("More:")
    runs = runs_option(_runs(first))
    names = list(dict.fromkeys(settings.dataset.name for settings in shown))
    print(f"  {command('mclas table', ['--dataset', *names, *runs])}")
    for name in names:
        print(f"  {command('mclas show', ['--dataset', name, '--num', '10', *runs])}")


def _plan(comparisons: Sequence[list[str]], of_pretraining: Sequence[str]) -> list[list[str]]:
    """The words of every run, the pretraining first."""
    shared = [word for word in of_pretraining if not tells_runs_apart(key_of(word))]
    ms, *_ = pretrainings(comparisons[0], compose("train", comparisons[0]), shared)
    init_from = override("init_from", uninterpolated(str(_settings(ms).run.folder.parent)))
    systems = [
        [*comparison, f"model={model}", init_from]
        for comparison in comparisons
        for model in COMPARED_MODELS
    ]
    return [ms, *systems]


def _train(plan: Sequence[PlannedRun]) -> None:
    """Train and score all runs: the pretraining first, and the others as this machine allows."""
    share = share_of(plan[1:])
    several = share is not None and share.jobs > 1
    if several:
        warm_up()
    for number, run in enumerate(plan[:1] if several else plan, start=1):
        print(f"\n[{number}/{len(plan)}] {command('mclas-train', run.words)}", flush=True)
        train(compose("train", run.words))
    if share and several:
        print(f"\n{len(plan) - 1} runs, {share}:", flush=True)
        work(plan, share.jobs)


def _settings(words: Sequence[str]) -> Settings:
    return read_settings(compose("train", words))[0]


def _build_if_missing(dataset: str, settings: Settings) -> None:
    if settings.dataset.file("train").exists() and Path(settings.dataset.tokenizer).is_dir():
        return
    out = Path(settings.dataset.path).parent
    if dataset in EDITIONS:
        build_toy(out, 0, EDITIONS[dataset])
    elif dataset.startswith("debian"):
        build_debian(out, seed=0, suites=None)


def _print_estimate(runs: Sequence[Settings]) -> None:
    unfinished = [run for run in runs if not run.run.trained]
    if not unfinished:
        return
    seconds = sum(run.updates * _seconds_per_update(run) for run in unfinished)
    print(
        f"\n{len(unfinished)} runs of at most {sum(run.updates for run in unfinished):,} updates, "
        f"which end when validation says so: at most about {max(1, round(seconds / 60))} "
        f"minutes of training on this machine ({torch.get_num_threads()} threads).",
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


def _results(settings: Settings) -> list[Results]:
    """The runs of a comparison."""
    found = find_results(_runs(settings), settings.dataset.name, settings.scenario)
    return [run for run in found if run.seed == settings.seed]


def _show(shown: Sequence[Settings], results: Sequence[Results]) -> None:
    """The tables, three documents of each direction, and what came out, in words."""
    console = Console()
    console.print()
    terminal.show(console, comparison_sheets(results))
    smallest = {settings.dataset.name: settings.scenario for settings in reversed(shown)}
    for place in reversed(smallest.items()):
        mine = [run for run in results if (run.dataset, run.scenario) == place]
        console.print()
        console.print(draw_cases(pick_cases(mine)))
    sizes = {settings.scenario: settings.dataset.sizes[settings.scenario] for settings in shown}
    print("\n" + ", ".join(f"{name}: {size:,} parallel summaries" for name, size in sizes.items()))
    for line in gain_lines(results):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
