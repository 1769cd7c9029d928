"""What a table lacks, and the commands that fill it: as few as Hydra's multiruns allow."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import yaml

from mclas_lightning.data import catalog
from mclas_lightning.report.layout import SYSTEMS
from mclas_lightning.report.results import MODELS, SCENARIOS
from mclas_lightning.report.runs import Runs

# The paper translates with WMT19's model (section 5.3), which knows no Chinese; others train one.
WMT19 = ("en2desum",)
TESTS = "test set"  # or decoding, in which seeds that have no mean differ
TRAINING = "training"  # the same; which of the trainings to keep, the user decides
ENCODER = "bert-base-multilingual-cased"


class Gap(NamedTuple):
    """Cells of one system that are missing: all, or those of one family (or TESTS)."""

    scenario: str
    model: str
    family: str | None
    cells: int


def commands(dataset: str, gaps: Sequence[Gap], runs: Runs) -> list[str]:
    """Commands in the order to run them: MS pretraining first, where it is missing and needed.

    None for a dataset of which nothing is known: its runs were all set aside.
    """
    if not gaps or not (catalog.of_run(dataset) or runs.of(dataset)):
        return []
    words = _Words(dataset, runs)
    absent = [(gap.scenario, gap.model) for gap in gaps if gap.family is None]
    again = [gap for gap in gaps if gap.family is not None]
    return [*dict.fromkeys([*_trainings(absent, words), *_scorings(again, words)])]


def _trainings(absent: Sequence[tuple[str, str]], words: "_Words") -> Iterator[str]:
    tuned = [(s, m) for s, m in absent if m in SYSTEMS and s != "full"]
    pipelines = [(s, m) for s, m in absent if m == "tltran"]
    if (tuned or pipelines) and not words.has(words.pretrained, "ms"):
        yield words.line("mclas-train", [*words.pretraining, "model=ms"])
    for pairs, more in (
        (tuned, [words.init_from]),
        ([pair for pair in absent if pair not in tuned and pair not in pipelines], []),
    ):
        for scenarios, models in products(pairs):
            yield words.run("mclas-train", scenarios, models, more)
    if pipelines:
        translator, more = f"{words.runs.folder}/{words.dataset}/full/mt", [words.init_from]
        if words.dataset not in WMT19:
            more.append(f"model.translator={translator}")
            if not words.has(words.dataset, "mt"):
                yield words.run("mclas-train", ["full"], ["mt"], [])
        yield words.run("mclas-train", ["full"], ["tltran"], more)


def _scorings(again: Sequence[Gap], words: "_Words") -> Iterator[str]:
    """Runs that are there are scored again: of their predictions, or of another test set anew."""
    tests = [(gap.scenario, gap.model) for gap in again if gap.family == TESTS]
    for scenarios, models in products(tests):
        more = [words.init_from] if models == ["tltran"] else []
        yield words.run("mclas-evaluate", scenarios, models, more)
    families = {gap.family for gap in again} - {TESTS, TRAINING}
    if families:
        encoder = f" --bertscore {ENCODER}" if "bertscore" in families else ""
        yield f"mclas rescore {words.runs.folder}/{words.dataset}{encoder}"


def products(pairs: Iterable[tuple[str, str]]) -> list[tuple[list[str], list[str]]]:
    """Scenarios by models: as few full products as hold all ``pairs`` of the two."""
    of_model: dict[str, list[str]] = {}
    for scenario, model in dict.fromkeys(pairs):
        of_model.setdefault(model, []).append(scenario)
    found: dict[tuple[str, ...], list[str]] = {}
    for model, scenarios in of_model.items():
        found.setdefault(tuple(sorted(scenarios, key=SCENARIOS.index)), []).append(model)
    return [
        (list(scenarios), sorted(models, key=list(MODELS).index))
        for scenarios, models in found.items()
    ]


class _Words:
    """A dataset as words of mclas-train."""

    def __init__(self, dataset: str, runs: Runs) -> None:
        self.dataset, self.runs = dataset, runs
        choice = catalog.of_run(dataset)
        own = choice.words if choice else tuple(_of_jsonl(dataset, runs))
        self.words = own
        self.pretraining = choice.pretraining if choice else own
        self.pretrained = choice.pretrained if choice else dataset

    @property
    def init_from(self) -> str:
        """Where the MS run lies that others start from."""
        return f"init_from={self.runs.folder}/{self.pretrained}/full/ms"

    def has(self, dataset: str, model: str) -> bool:
        """Whether a run has been trained in the full scenario."""
        return any((self.runs.folder / dataset / "full" / model).glob("seed=*/training.json"))

    def run(
        self, program: str, scenarios: Sequence[str], models: Sequence[str], more: Sequence[str]
    ) -> str:
        """One line for all ``scenarios`` by ``models``; full is what mclas-train takes itself."""
        several = len(scenarios) > 1 or len(models) > 1
        scenario = [] if scenarios == ["full"] else [f"scenario={','.join(scenarios)}"]
        words = [*self.words, *scenario, f"model={','.join(models)}", *more]
        return self.line(f"{program} -m" if several else program, words)

    def line(self, program: str, words: Iterable[str]) -> str:
        """A command, with the folder of the runs where it is another than usual."""
        folder = str(self.runs.folder)
        return " ".join([program, *words, *([] if folder == "runs" else [f"runs={folder}"])])


def _of_jsonl(dataset: str, runs: Runs) -> Iterator[str]:
    """Words for a corpus of the user's own, whose folder a run's configuration knows."""
    first = runs.of(dataset)[0]
    config = first.folder / "config.yaml" if first.folder else None
    path = "FOLDER"
    if config and config.exists():
        kept = yaml.safe_load(config.read_text(encoding="utf-8"))
        path = kept.get("dataset", {}).get("path", path)
    yield from ("dataset=jsonl", f"dataset.name={dataset}")
    yield from (f"dataset.{key}={first.languages[key] or 'null'}" for key in ("source", "target"))
    yield f"dataset.path={path}"
