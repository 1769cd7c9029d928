"""All finished runs below a folder, by dataset."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.corpora import catalog
from mclas_lightning.errors import InputError, first_few, unknown_choice
from mclas_lightning.files import sha256
from mclas_lightning.runs.identity import check_own_config, has_network, read_config
from mclas_lightning.runs.predictions import check_scored, predictions_path
from mclas_lightning.runs.results import Results, read_in_place, results_paths, table_order
from mclas_lightning.runs.run import Run
from mclas_lightning.task import BASELINES

SET_ASIDE = "Set aside: "  # begins a note


class Aside(NamedTuple):
    """A file that cannot be used, and the reason."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.reason})"


class Unscored(NamedTuple):
    """A trained run whose results.json was set aside; ``mclas-evaluate folder`` writes it anew."""

    scenario: str
    model: str
    seed: int
    folder: Path


class FoundResults(NamedTuple):
    """The results below a folder, and the files that were set aside."""

    results: list[Results]
    aside: list[Aside]


def aside_in_words(aside: Sequence[Aside]) -> str:
    """A line that names the first few of the files set aside, and counts the others."""
    return SET_ASIDE + first_few([*map(str, aside)], separator="; ")


def unscored(aside: Sequence[Aside]) -> list[Unscored]:
    """The runs to score again; a copied or renamed folder, whose config.yaml says so, is none."""
    found = []
    for folder in (one.path.parent for one in aside if one.path.name == "results.json"):
        with suppress(InputError):
            config = read_config(folder)
            said = [config.get(key) for key in ("dataset", "scenario", "model", "seed")]
            *names, seed = (one.get("name") if isinstance(one, dict) else one for one in said)
            trained = Run(folder).trained or not has_network(config)
            if trained and type(seed) is int and (*names, f"seed={seed}") == folder.parts[-4:]:
                scenario, model = folder.parts[-3:-1]
                found.append(Unscored(scenario, model, seed, folder))
    return found


def survey_runs(
    runs: Path, dataset: str | None = None, scenario: str | None = None
) -> FoundResults:
    """As ``results.find_results``, but unreadable and misplaced files and copies are set aside.

    So are predictions and documents' scores that a results.json is not of; its scores are used.
    """
    results, aside = [], []
    scored: dict[tuple[str, ...], Results] = {}  # by system and hashes of predictions and weights
    for path in sorted(results_paths(runs, dataset, scenario)):
        try:
            run = read_in_place(path)
            if not run.scores:
                raise InputError("has no scores")
            _check_origin(run, scored)
            results.append(run)
            aside += _stale(run)
        except InputError as error:
            aside.append(Aside(path, str(error).removeprefix(f"{path}: ")))
    return FoundResults(sorted(results, key=table_order), aside)


def with_own_predictions(runs: Sequence[Results], aside: Sequence[Aside]) -> list[Results]:
    """The runs whose predictions.jsonl is not among the files set aside."""
    paths = {one.path for one in aside}
    return [run for run in runs if predictions_path(run) not in paths]


def _check_origin(run: Results, scored: dict[tuple[str, ...], Results]) -> None:
    """InputError for a copy: with another run's config.yaml, or another seed's predictions.

    Seeds with other weights may write the same, such as nothing; all seeds of a baseline do.
    """
    config = run.config or {}
    check_own_config(run, config)
    predictions = run.provenance.get("predictions_sha256")
    if predictions and has_network(config) and run.model not in BASELINES:
        weights = (run.provenance.get("files_sha256") or {}).get("checkpoints/best.ckpt", "")
        written = (run.dataset, run.scenario, run.model, predictions, weights)
        first = scored.setdefault(written, run)
        if first is not run:
            raise InputError(f"has the predictions of seed={first.seed}: a copied run?")


def _stale(run: Results) -> Iterator[Aside]:
    """The files beside a results.json that are of another scoring, or damaged."""
    predictions = predictions_path(run)
    for path, check in (
        (predictions.with_name("scores.npz"), lambda: run.documents([])),
        (predictions, lambda: check_scored(run, sha256(predictions))),
    ):
        try:
            if path.exists():
                check()
        except (InputError, OSError) as error:
            yield Aside(path, str(error).removeprefix(f"{path}: "))


@dataclass(frozen=True)
class Runs:
    """The results below ``folder``, the ``runs=`` of mclas-train; each dataset is read once."""

    folder: Path
    _read: dict[tuple[str, str | None], FoundResults] = field(default_factory=dict, compare=False)

    def of(self, dataset: str) -> list[Results]:
        """The results of a dataset, in the tables' order."""
        return self.found(dataset).results

    def found(self, dataset: str, scenario: str | None = None) -> FoundResults:
        """The results of a dataset, and the files set aside; other datasets are not read."""
        asked = dataset, scenario
        if asked not in self._read:
            self._read[asked] = survey_runs(self.folder, dataset, scenario)
        return self._read[asked]

    def unscored(self, dataset: str) -> list[Unscored]:
        """The dataset's trained runs whose results.json was set aside."""
        return unscored(self.found(dataset).aside)

    @cached_property
    def names(self) -> list[str]:
        """The datasets that have runs, by the names of their folders."""
        return sorted({path.parts[-5] for path in results_paths(self.folder)})

    @property
    def all(self) -> list[Results]:
        """The results of all datasets."""
        return [run for name in self.names for run in self.of(name)]

    def aside(self, datasets: Sequence[str]) -> list[Aside]:
        """The files of these datasets that were set aside."""
        return [one for name in datasets for one in self.found(name).aside]

    def crossing(self) -> list[str]:
        """The datasets with runs that write cross summaries."""
        return [name for name in self.names if any("cross" in r.scores for r in self.of(name))]

    def datasets(self, names: list[str]) -> list[str]:
        """Datasets by names in runs or ``conf/``, each once; ``toy`` is all local directions."""
        return list(dict.fromkeys(found for name in names for found in self._meant(name)))

    def _meant(self, name: str) -> list[str]:
        here = self.names
        if name in here:
            return [name]
        if name in catalog.names():
            pairs = [d for d in here if (found := catalog.of_run(d)) and found.choice == name]
            return pairs or [catalog.named(name).name]
        if catalog.of_run(name):
            return [name]
        raise unknown_choice("dataset", name, [*here, *catalog.names()])
