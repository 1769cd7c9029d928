"""The runs of a page: what each needs to summarize a text and to link its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Side
from mclas_lightning.inference.api import Summarizer
from mclas_lightning.inference.export import find_run
from mclas_lightning.runs.heads import HEADS, HeadsResults
from mclas_lightning.runs.predictions import PREDICTIONS, read_predictions
from mclas_lightning.runs.results import Results
from mclas_lightning.webapp.cards import card, message
from mclas_lightning.webapp.links import Links, links_of

LONGEST = 100_000  # characters of a document

EXAMPLES = 20  # documents of the test set that are offered


@dataclass(frozen=True, kw_only=True)
class System:
    """A run on the page."""

    name: str
    summarizer: Summarizer
    sides: tuple[Side, ...]  # that are shown
    heads: HeadsResults | None

    @property
    def languages(self) -> dict[str, str]:
        """The language of each text."""
        dataset = self.summarizer.dataset
        sides = {side: dataset.language(side) for side in self.summarizer.sides}
        return {**sides, "document": dataset.source}

    def answer(self, text: str, decoding: Mapping[str, Any]) -> str:
        """The card of the run with its summaries of ``text``, or with what is wrong."""
        if not text.strip():
            return message(self.name, "Paste a document first.", error=True)
        if len(text) > LONGEST:
            said = f"This document has {len(text):,} characters; the page takes {LONGEST:,}."
            return message(self.name, said, error=True)
        try:
            (summary,) = self.summarizer([text], decoding=decoding)
        except InputError as error:
            return message(self.name, str(error), error=True)
        found = summary.candidates[0].summaries
        shown = {side: found[side] for side in self.sides}
        links = self._links(text, found) if self.sides == SIDES else None
        return card(
            self.name, {**shown, "document": text}, self.languages, links=links, notes=summary.notes
        )

    def _links(self, text: str, found: dict[Side, str]) -> Links | None:
        network, dataset = self.summarizer.system, self.summarizer.dataset
        if self.heads is None or not isinstance(network, NetworkSummarizer):
            return None
        return links_of(network, self.heads, text, found, dataset.max_summary, dataset.source)


def load_systems(names: Sequence[str], side: Side | None, device: str) -> list[System]:
    """The runs; InputError for one without ``side``, or where they read different languages."""
    systems = [_load(name, side, device) for name in names]
    first = systems[0]
    for system in systems:
        if system.languages["document"] != first.languages["document"]:
            raise InputError(
                f"{system.name}: reads '{system.languages['document']}', and {first.name} reads "
                f"'{first.languages['document']}'; expected runs that read the same language"
            )
    return systems


def _load(name: str, side: Side | None, device: str) -> System:
    summarizer = Summarizer.load(name, device=device)
    if side and side not in summarizer.sides:
        raise InputError(f"--side {side}: {name} writes {', '.join(summarizer.sides)} alone")
    sides = (side,) if side else summarizer.sides
    folder = find_run(name).folder
    heads = HeadsResults.read(folder) if (folder / HEADS).exists() else None
    return System(name=str(name), summarizer=summarizer, sides=sides, heads=heads)


def example_documents(name: str) -> dict[str, str]:
    """Documents of the test set that the run was scored on, by a line for a list.

    None for a run that reads summaries, of which predictions.jsonl holds no source.
    """
    run = find_run(name)
    reads_documents = run.config["model"].get("source", "document") == "document"
    if not reads_documents or not (run.folder / PREDICTIONS).exists():
        return {}
    found = read_predictions(Results.read(run.folder / "results.json"))
    return {
        f"{id}: {' '.join(one.document.split())[:60]}": one.document
        for id, one in list(found.items())[:EXAMPLES]
    }
