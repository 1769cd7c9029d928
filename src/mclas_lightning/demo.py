"""``mclas demo``: the paper's low-resource experiment in miniature, from nothing to a table.

One MS pretraining, then NCLS, NCLS+MS and MCLAS fine-tuned from it on the minimum scenario; each
is scored on the test set. All are ordinary runs: started again, the demo does what is left.
"""

import time
from pathlib import Path

import torch
from rich.console import Console

from mclas_lightning.app import compose
from mclas_lightning.corpora import build_debian, build_toy
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.loss import label_smoothed_kl
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.preparation import network_config
from mclas_lightning.report.cases import cases
from mclas_lightning.report.results import find
from mclas_lightning.report.table import comparison
from mclas_lightning.settings import Settings, read_settings
from mclas_lightning.train import train

SYSTEMS = ("ncls", "ncls_ms", "mclas")
TOY_TARGETS = ("dataset.target=de", "dataset.target=zh")


def demo(dataset: str) -> None:
    """Build the corpus if it is not here, train and score, show the table and three documents."""
    began = time.monotonic()
    directions = [
        [f"dataset={dataset}", *([target] if dataset == "toy" else [])]
        for target in (TOY_TARGETS if dataset == "toy" else ("",))
    ]
    first = _settings(directions[0])
    _build_if_missing(dataset, first)
    plan = [[*first.dataset.pretraining, "scenario=full", "model=ms"]]
    pretrained = _settings(plan[0]).run.folder.parent
    for direction in directions:
        plan += [
            [*direction, "scenario=minimum", f"model={system}", f"init_from={pretrained}"]
            for system in SYSTEMS
        ]
    _print_estimate([_settings(words) for words in plan])
    for number, words in enumerate(plan, start=1):
        print(f"\n[{number}/{len(plan)}] mclas-train {' '.join(words)}", flush=True)
        train(compose("train", words))
    for direction in directions:
        _show(_settings([*direction, "scenario=minimum"]))
    minutes = (time.monotonic() - began) / 60
    print(f"\nDone in {minutes:.1f} minutes. Each run has a folder of its own, with config.yaml,")
    print("metrics.csv, checkpoints/, predictions.jsonl and results.json:")
    for words in plan:
        print(f"  {_settings(words).run}")
    print("More of it: mclas table, and mclas show --dataset NAME --num 10.")


def _settings(words: list[str]) -> Settings:
    return read_settings(compose("train", words))[0]


def _build_if_missing(dataset: str, settings: Settings) -> None:
    if settings.dataset.file("train").exists() and Path(settings.tokenizer).is_dir():
        return
    out = Path(settings.dataset.path).parent
    if dataset == "toy":
        build_toy(out, seed=0)
    elif dataset.startswith("debian"):
        build_debian(out, seed=0, suites=None)


def _print_estimate(runs: list[Settings]) -> None:
    """Time an update of the largest kind on random tokens; the runs differ little in it."""
    unfinished = [run for run in runs if not run.run.trained]
    if not unfinished:
        return
    seconds = _seconds_per_update(unfinished[0]) * sum(run.updates for run in unfinished)
    print(
        f"\n{len(unfinished)} runs, {sum(run.updates for run in unfinished):,} updates: at most "
        f"{max(1, round(seconds / 60))} minutes of training on this machine "
        f"({torch.get_num_threads()} threads), then scoring.",
        flush=True,
    )


def _seconds_per_update(settings: Settings) -> float:
    tokenizer = Tokenizer.load(settings.tokenizer)
    network = Seq2Seq(network_config(settings.network, settings.task, tokenizer))
    rows = settings.optim.max_tokens // (settings.dataset.max_source + settings.dataset.max_summary)
    source_BS = torch.randint(len(tokenizer), (rows, settings.dataset.max_source))
    target_BT = torch.randint(len(tokenizer), (rows, settings.dataset.max_summary))
    for _ in range(3):
        began = time.monotonic()
        memory = network.encode(source_BS)
        hidden_BTD = network.hidden(network.config.decoders[0], target_BT, memory)
        logits_MV = network.logits(hidden_BTD.flatten(0, 1))
        label_smoothed_kl(logits_MV, target_BT.flatten(), smoothing=0.1, pad_id=0).backward()
    return (time.monotonic() - began) * settings.optim.accumulate


def _show(settings: Settings) -> None:
    console = Console()
    results = find(Path("runs"), settings.dataset.name, "minimum")
    results = [run for run in results if run.seed == settings.seed]
    console.print()
    console.print(comparison(results))
    console.print()
    console.print(cases(results))
