"""What a plan costs: updates and tokens; seconds where runs of the same kind have been finished."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json
from mclas_lightning.identity import in_words
from mclas_lightning.overrides import command
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import PLANNED, other, scored, trained
from mclas_lightning.sweep.status import ADVICE, AGAIN


def lines(runs: Sequence[PlannedRun]) -> Iterator[str]:
    """The plan: of each run its command, what it waits for, its cost; then all that is left."""
    measured = seconds_per_update(runs)
    for number, run in enumerate(runs, start=1):
        yield f"[{number}/{len(runs)}] {command('mclas-train', run.words)}"
        if run.needs:
            yield f"    after {', '.join(map(str, run.needs))}"
        yield f"    {_cost(run, measured)}"
        if found := other(run):
            yield f"    other: its folder holds a run with {in_words(found, PLANNED)}"
        elif detail := scored(run):
            yield f"    note: scored with {detail}; {AGAIN}"
    others = [run for run in runs if other(run)]
    if others:
        yield f"other: {len(others)} runs are there with another configuration; {ADVICE}"
    left = [run for run in runs if run.updates and run not in others and not trained(run.folder)]
    yield _total(left, measured)


def seconds_per_update(runs: Sequence[PlannedRun]) -> dict[tuple[str, str], float]:
    """Of each dataset and model, by the runs of it that have been trained."""
    found = defaultdict(list)
    for run in runs:
        if trained(run.folder) and not other(run):
            try:
                ended = read_json(run.folder / "training.json", dict)
                found[run.dataset, run.model].append(ended["seconds"] / ended["updates"])
            except (InputError, KeyError, TypeError, ZeroDivisionError):
                continue  # An imported checkpoint was not trained here.
    return {kind: mean(values) for kind, values in found.items()}


def _cost(run: PlannedRun, measured: dict[tuple[str, str], float]) -> str:
    if not run.updates:
        return "nothing to train"
    tokens = "source and target tokens" if run.unit == "both" else "target tokens"
    text = f"{run.updates:,} updates of up to {run.update_tokens:,} {tokens}"
    seconds = measured.get((run.dataset, run.model))
    return f"{text}: about {duration(run.updates * seconds)}" if seconds else text


def _total(left: Sequence[PlannedRun], measured: dict[tuple[str, str], float]) -> str:
    updates = sum(run.updates for run in left)
    kinds = [(run.updates, measured.get((run.dataset, run.model))) for run in left if run.updates]
    text = f"left to train: {len(left)} runs, {updates:,} updates"
    if not kinds or any(seconds is None for _, seconds in kinds):
        return text
    return f"{text}: about {duration(sum(n * s for n, s in kinds if s))} of training, one by one"


def duration(seconds: float) -> str:
    """Such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
