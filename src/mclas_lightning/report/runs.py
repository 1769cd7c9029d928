"""All finished runs below a folder, by dataset."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mclas_lightning.data import catalog
from mclas_lightning.errors import one_of
from mclas_lightning.report.results import Results, find


@dataclass(frozen=True)
class Runs:
    """``folder`` is what ``runs=`` of mclas-train is."""

    folder: Path

    def of(self, dataset: str) -> list[Results]:
        """The results of a dataset, in the tables' order."""
        return self._read.get(dataset, [])

    @cached_property
    def all(self) -> list[Results]:
        """Every result."""
        return find(self.folder)

    @cached_property
    def _read(self) -> dict[str, list[Results]]:
        found: dict[str, list[Results]] = {}
        for results in self.all:
            found.setdefault(results.dataset, []).append(results)
        return found

    def crossing(self) -> list[str]:
        """The datasets that have runs which write cross summaries."""
        return [name for name, runs in self._read.items() if any("cross" in r.scores for r in runs)]

    def datasets(self, names: list[str]) -> list[str]:
        """The datasets of the runs that ``names`` mean; ``toy`` means all its directions here."""
        return [found for name in names for found in self._meant(name)]

    def _meant(self, name: str) -> list[str]:
        here = list(self._read)
        if name in here:
            return [name]
        if name in catalog.names():
            pairs = [d for d in here if (found := catalog.of_run(d)) and found.choice == name]
            return pairs or [catalog.named(name).name]
        if catalog.of_run(name):
            return [name]
        raise one_of("dataset", name, [*here, *catalog.names()])
