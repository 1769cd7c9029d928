"""All finished runs below a folder, by dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.corpora import catalog
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.runs.results import Results, files, order, read_in_place

NAMED = 3  # files that a line names one by one


class Aside(NamedTuple):
    """A file that is no run's results, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.reason})"


class Found(NamedTuple):
    """The results below a folder, and the files that were set aside."""

    results: list[Results]
    aside: list[Aside]


def in_words(aside: Sequence[Aside]) -> str:
    """What was set aside, in a line: the first few files."""
    named = "; ".join(map(str, aside[:NAMED]))
    return f"Set aside: {named}" + (f" and {len(aside) - NAMED} more" if aside[NAMED:] else "")


def survey(runs: Path, dataset: str | None = None, scenario: str | None = None) -> Found:
    """As ``results.find``, but what cannot be read or stands in another's place is set aside."""
    results, aside = [], []
    for path in sorted(files(runs, dataset, scenario)):
        try:
            results.append(read_in_place(path))
        except InputError as error:
            aside.append(Aside(path, str(error).removeprefix(f"{path}: ")))
    return Found(sorted(results, key=order), aside)


@dataclass(frozen=True)
class Runs:
    """``folder`` is what ``runs=`` of mclas-train is."""

    folder: Path

    def of(self, dataset: str) -> list[Results]:
        """The results of a dataset, in the tables' order."""
        return self.found(dataset).results

    def found(self, dataset: str, scenario: str | None = None) -> Found:
        """The results of a dataset, and what was set aside; nothing else is read."""
        asked = dataset, scenario
        if asked not in self._read:
            self._read[asked] = survey(self.folder, dataset, scenario)
        return self._read[asked]

    @cached_property
    def _read(self) -> dict[tuple[str, str | None], Found]:
        return {}

    @cached_property
    def names(self) -> list[str]:
        """The datasets that have runs, by the names of their folders."""
        return sorted({path.parts[-5] for path in files(self.folder)})

    @property
    def all(self) -> list[Results]:
        """Every result."""
        return [run for name in self.names for run in self.of(name)]

    def aside(self, datasets: Sequence[str]) -> list[Aside]:
        """What was set aside of these datasets."""
        return [one for name in datasets for one in self.found(name).aside]

    def crossing(self) -> list[str]:
        """The datasets that have runs which write cross summaries."""
        return [name for name in self.names if any("cross" in r.scores for r in self.of(name))]

    def datasets(self, names: list[str]) -> list[str]:
        """The datasets of the runs that ``names`` mean; ``toy`` means all its directions here."""
        return [found for name in names for found in self._meant(name)]

    def _meant(self, name: str) -> list[str]:
        here = self.names
        if name in here:
            return [name]
        if name in catalog.names():
            pairs = [d for d in here if (found := catalog.of_run(d)) and found.choice == name]
            return pairs or [catalog.named(name).name]
        if catalog.of_run(name):
            return [name]
        raise one_of("dataset", name, [*here, *catalog.names()])
