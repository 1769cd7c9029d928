"""The study's search of rates: what each gives each system on validation data.

Runs lie below ``tuning/<rate>`` of the study's runs; tuning.json is the log of them.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from experiments.study.effects import Study
from mclas_lightning.files import read_json, write_json
from mclas_lightning.runs.results import Results, find_results, table_order
from mclas_lightning.task import MODELS

TUNING = "tuning.json"

# The keys of the log that name a system.
SYSTEM = ("dataset", "scenario", "model")


def write_tuning(runs: Path, results: Path) -> None:
    """Write the log of the search below ``runs``, if there was one."""
    found = [run for rate in (runs / "tuning").glob("*") for run in find_results(rate)]
    tried = [_tried(run) for run in sorted(found, key=lambda run: (*table_order(run), _rate(run)))]
    if tried:
        write_json(results / TUNING, tried)


def _rate(run: Results) -> float:
    return run.recipe["optim.encoder.lr"]


def _tried(run: Results) -> dict[str, Any]:
    assert run.folder is not None
    trained = read_json(run.folder / "training.json", dict)
    return {
        **{name: getattr(run, name) for name in (*SYSTEM, "seed")},
        "rate": _rate(run),
        "updates": trained["updates"],
        "cut_off": trained["cut_off"],
        trained["monitor"]: trained["best_val_loss"],
        "test/cross/rouge1_f": run.scores["cross"]["rouge1_f"],
    }


def drawn(study: Study) -> Iterator[str]:
    """The search as Markdown: a row for each system, a column for each rate."""
    path = study.folder / TUNING
    if not path.exists():
        return
    tried = read_json(path, list)
    rates = sorted({run["rate"] for run in tried})
    yield "## The same search of rates for every system\n"
    yield (
        "The lowest validation loss of S^B at each rate of encoder and decoder, one seed, and in "
        "brackets ROUGE-1 on the test set, which chose nothing. A system's lowest loss is bold; "
        "losses of different systems say nothing beside each other.\n"
    )
    yield f"| dataset | scenario | system | {' | '.join(map(str, rates))} |"
    yield f"|{' --- |' * (3 + len(rates))}"
    for (dataset, scenario, model), runs in groupby(tried, lambda run: [run[n] for n in SYSTEM]):
        cells = _cells(list(runs), rates)
        yield f"| {dataset} | {scenario} | {MODELS[model]} | {' | '.join(cells)} |"
    yield ""


def _cells(runs: list[dict[str, Any]], rates: list[float]) -> Iterator[str]:
    of_rate = {run["rate"]: run for run in runs}
    lowest = min(run["val/loss_cross"] for run in runs)
    for rate in rates:
        if run := of_rate.get(rate):
            loss = run["val/loss_cross"]
            bold = "**" if loss == lowest else ""
            yield f"{bold}{loss:.3f}{bold} ({100 * run['test/cross/rouge1_f']:.1f})"
        else:
            yield "-"
