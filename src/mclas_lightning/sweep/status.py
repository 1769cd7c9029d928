"""A plan and its states as text: commands, a grid, the cost of what is left, and failures."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from rich import box
from rich.console import Console, ConsoleOptions, Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.config.optim import UNITS
from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError, first_few
from mclas_lightning.files import read_json
from mclas_lightning.runs.identity import differences_in_words
from mclas_lightning.runs.results import SCENARIOS
from mclas_lightning.runs.run import DIVERGED_ADVICE, Run
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import (
    PLAN_HAS,
    STATE_NAMES,
    State,
    StateName,
    differences_from_plan,
    scoring_note,
)
from mclas_lightning.task import MODELS


def plan_lines(runs: Sequence[PlannedRun]) -> Iterator[str]:
    """For each run its command, the runs it needs and its cost; at the end the cost of all."""
    measured = seconds_per_update(runs)
    for number, run in enumerate(runs, start=1):
        yield f"[{number}/{len(runs)}] {command('mclas-train', run.words)}"
        if run.needs:
            yield f"    after {', '.join(map(str, run.needs))}"
        yield f"    {_cost_line(run, measured)}"
        if found := differences_from_plan(run):
            yield f"    other: its folder holds a run with {differences_in_words(found, PLAN_HAS)}"
        elif detail := scoring_note(run):
            yield f"    note: scored with {detail}; {RESCORING_ADVICE}"
    others = [run for run in runs if differences_from_plan(run)]
    if others:
        yield f"other: {len(others)} runs are there with another configuration; {OTHER_ADVICE}"
    ended = [run for run in runs if (at := Run(run.folder)).trained or at.diverged_path.exists()]
    left = [run for run in runs if run.updates and run not in others and run not in ended]
    yield _left_line(left, measured)


def seconds_per_update(runs: Sequence[PlannedRun]) -> dict[tuple[str, str], float]:
    """Mean seconds of an update by dataset and model, from the runs that have been trained."""
    found = defaultdict(list)
    for run in runs:
        kept = Run(run.folder)
        if kept.trained and not differences_from_plan(run):
            try:
                ended = read_json(kept.training_path, dict)
                found[run.dataset, run.model].append(ended["seconds"] / ended["updates"])
            except (InputError, KeyError, TypeError, ZeroDivisionError):
                continue  # The training.json of an imported checkpoint has no seconds.
    return {kind: mean(values) for kind, values in found.items()}


def _cost_line(run: PlannedRun, measured: dict[tuple[str, str], float]) -> str:
    if not run.updates:
        return "nothing to train"
    text = f"{run.updates:,} updates of up to {run.update_tokens:,} {UNITS[run.unit]}"
    seconds = measured.get((run.dataset, run.model))
    return f"{text}: about {duration(run.updates * seconds)}" if seconds else text


def _left_line(left: Sequence[PlannedRun], measured: dict[tuple[str, str], float]) -> str:
    updates = sum(run.updates for run in left)
    kinds = [(run.updates, measured.get((run.dataset, run.model))) for run in left if run.updates]
    text = f"left to train: {len(left)} runs, {updates:,} updates"
    if not kinds or any(seconds is None for _, seconds in kinds):
        return text
    return f"{text}: about {duration(sum(n * s for n, s in kinds if s))} of training, one by one"


def duration(seconds: float) -> str:
    """Seconds in words, such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


CELL_WIDTH = 6  # characters at least

OTHER_ADVICE = (
    "plan it with the words it was trained with, or give the plan another place (runs=...) or name "
    "(model.name=...)"
)

RESCORING_ADVICE = (
    "a sweep does not score finished runs again: mclas-evaluate RUN does that with words for the "
    "decoding, mclas rescore RUN with other encoders"
)

CELL_WORDS = {
    "done": "done", "other": "OTHER", "running": "run", "queued": "slurm", "waiting": "wait",
    "diverged": "NAN", "failed": "FAIL", "missing": "-",
}  # fmt: skip

CELL_STYLES = {
    "done": "green", "other": "bold red", "running": "cyan", "queued": "blue", "waiting": "dim",
    "diverged": "bold red", "failed": "bold red", "missing": "",
}  # fmt: skip


WIDEST = 10_000  # columns of a terminal; no grid has more


def status_grid(runs: Sequence[PlannedRun], found: Mapping[Path, State]) -> Group:
    """The grid of states, its legend, the counts, and lines on what went wrong."""
    legend = Text("run, 45%: running; -, 45%: missing, or interrupted there", style="dim")
    lines = [state_counts(found), *failure_lines(runs, found), *scoring_notes(runs, found)]
    return Group(_Grid(runs, found), legend, *map(Text, lines))


def state_counts(found: Mapping[Path, State]) -> str:
    """How many runs are in each state, such as "26 runs: 3 done, 1 failed"."""
    numbers = Counter(state.name for state in found.values())
    parts = [f"{numbers[name]} {name}" for name in STATE_NAMES if numbers[name]]
    return f"{len(found)} runs: {', '.join(parts)}"


def failure_lines(runs: Sequence[PlannedRun], found: Mapping[Path, State]) -> Iterator[str]:
    """Lines on folders of other configurations, on failed and diverged runs, on runs that wait."""
    yield from other_run_lines(runs, found)
    waiting: Counter[str] = Counter()
    for run in runs:
        state = found[run.folder]
        if state.name == "failed":
            yield f"failed: {run}: {state.detail}\n  log: {state.log}"
        if state.name == "diverged":
            yield f"diverged: {run}: {state.detail}; {DIVERGED_ADVICE}\n  log: {state.log}"
        if state.failed_need:
            waiting[state.detail] += 1
    for detail, number in waiting.items():
        yield f"waiting {detail}: {number} runs"


def other_run_lines(runs: Sequence[PlannedRun], found: Mapping[Path, State]) -> Iterator[str]:
    """A line for each difference between planned runs and the runs that their folders hold."""
    for detail, alike in _alike(runs, found, "other"):
        yield f"other: {alike}: holds a run with {detail}; {OTHER_ADVICE}"


def scoring_notes(runs: Sequence[PlannedRun], found: Mapping[Path, State]) -> Iterator[str]:
    """A line for each way in which finished runs were scored otherwise than planned."""
    for detail, alike in _alike(runs, found, "done"):
        yield f"note: {alike}: scored with {detail}; {RESCORING_ADVICE}"


def _alike(
    runs: Sequence[PlannedRun], found: Mapping[Path, State], name: StateName
) -> Iterator[tuple[str, str]]:
    """Each detail of the runs in a state, and its runs, such as "toy/full/ms/seed=0 and 4 more"."""
    of_detail: dict[str, list[PlannedRun]] = {}
    for run in runs:
        state = found[run.folder]
        if state.name == name and state.detail:
            of_detail.setdefault(state.detail, []).append(run)
    for detail, alike in of_detail.items():
        yield detail, first_few([*map(str, alike)], 1)


@dataclass(frozen=True)
class _Grid:
    """The grid of states: a row for scenario and model, a column for dataset and seed.

    Datasets that do not fit beside the others stand below them.
    """

    runs: Sequence[PlannedRun]
    found: Mapping[Path, State]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        unlimited = options.update(width=WIDEST)
        left = list(dict.fromkeys(run.dataset for run in self.runs))
        while left:
            table = self._table(left[:1])
            for num in range(2, len(left) + 1):
                wider = self._table(left[:num])
                if console.measure(wider, options=unlimited).maximum > options.max_width:
                    break
                table = wider
            del left[: len(table.columns) - 2]
            yield table

    def _table(self, datasets: Sequence[str]) -> Table:
        runs = [run for run in self.runs if run.dataset in datasets]
        cells = {(r.scenario, r.model, r.dataset, r.seed): self.found[r.folder] for r in runs}
        seeds = sorted({run.seed for run in runs})
        texts = [*map(str, seeds), *map(_cell_text, cells.values())]
        width = max(CELL_WIDTH, *(len(text) + 1 for text in texts))
        table = Table("scenario", "model", box=box.SIMPLE, padding=(0, 1, 0, 0))
        for dataset in datasets:
            numbers = "".join(f"{seed:<{width}}" for seed in seeds)
            table.add_column(f"{dataset}, seed\n{numbers}", no_wrap=True)
        for scenario, model in sorted({key[:2] for key in cells}, key=_row_order):
            row = (
                Text().join(
                    _cell(cells.get((scenario, model, dataset, seed)), width) for seed in seeds
                )
                for dataset in datasets
            )
            table.add_row(scenario, model, *row)
        return table


def _cell(state: State | None, width: int) -> Text:
    if state is None:
        return Text(" " * width)
    return Text(f"{_cell_text(state):<{width}}", style=CELL_STYLES[state.name])


def _cell_text(state: State) -> str:
    shows_progress = state.name in ("running", "missing")
    progress = state.detail.split(" (")[0].replace(" ", "") if shows_progress else ""
    return progress or CELL_WORDS[state.name]


def _row_order(row: tuple[str, str]) -> tuple[int, int, str]:
    scenario, model = row
    scenarios, models = [*SCENARIOS, scenario], [*MODELS, model]
    return scenarios.index(scenario), models.index(model), model
