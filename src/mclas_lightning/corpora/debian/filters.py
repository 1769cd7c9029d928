"""Which joined descriptions are examples: the filters of the debian corpus, each with its count."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mclas_lightning.corpora.debian.index import CHINESE, Description, Index, length
from mclas_lightning.example import Example

SHORTEST_DOCUMENT = 20  # words, or in Chinese characters

MARKER = "<trans>"  # stands where a translator has yet to write

Rows = dict[str, Example]  # by md5, in its order, which is as good as shuffled


class Candidate(NamedTuple):
    """A description as document and summary, and the same description as the other summary."""

    source: str
    target: str | None
    document: Description
    summary: Description | None

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the example, with its language."""
        yield self.source, self.document.document
        yield self.source, self.document.synopsis
        if self.target and self.summary:
            yield self.target, self.summary.synopsis

    def example(self, md5: str) -> Example:
        """The candidate as an example."""
        cross = self.summary.synopsis if self.summary else None
        mono, document = self.document.synopsis, self.document.document
        return Example(id=f"deb-{md5[:12]}", document=document, mono=mono, cross=cross)


def short(candidate: Candidate) -> bool:
    """The document says little more than its summary."""
    return length(candidate.document.document, candidate.source) < SHORTEST_DOCUMENT


def marker(candidate: Candidate) -> bool:
    """A translation is unfinished."""
    return any(MARKER in text for _, text in candidate.texts)


def untranslated(candidate: Candidate) -> bool:
    """Both summaries are the same: the translator left the English one as it was."""
    document, summary = candidate.document, candidate.summary
    return summary is not None and document.synopsis.casefold() == summary.synopsis.casefold()


def no_chinese(candidate: Candidate) -> bool:
    """A Chinese text without a Chinese character."""
    return any(language == "zh" and not CHINESE.search(text) for language, text in candidate.texts)


FILTERS: tuple[Callable[[Candidate], bool], ...] = (short, marker, untranslated, no_chinese)


def candidates(
    index: dict[str, Index], source: str, target: str | None
) -> Iterator[tuple[str, Candidate]]:
    """By md5, what ``source`` and ``target`` describe, and English, which gives the group."""
    documents, summaries = index[source], index[target] if target else {}
    shared = index["en"].keys() & documents.keys()
    for md5 in sorted(shared & summaries.keys() if target else shared):
        yield md5, Candidate(source, target, documents[md5], summaries.get(md5))


def examples(
    index: dict[str, Index], source: str, target: str | None
) -> tuple[Rows, dict[str, int]]:
    """The candidates no filter takes, and how many each took; the first that applies counts."""
    counts = {"joined": 0} | {drop.__name__: 0 for drop in FILTERS} | {"duplicate": 0}
    rows: Rows = {}
    seen = set[str]()  # documents, and ids: shortened, two could meet once in 10^5 builds
    for md5, candidate in candidates(index, source, target):
        counts["joined"] += 1
        example = candidate.example(md5)
        fault = next((drop.__name__ for drop in FILTERS if drop(candidate)), None)
        if fault is None and not seen.isdisjoint((example.document, example.id)):
            fault = "duplicate"
        if fault:
            counts[fault] += 1
        else:
            seen |= {example.document, example.id}
            rows[md5] = example
    return rows, counts
