"""The filters of the debian corpus: the joined descriptions that become examples, and counts."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mclas_lightning.corpora.debian.index import CHINESE, Description, Index, num_words
from mclas_lightning.example import Example

SHORTEST_DOCUMENT = 20  # words, or characters of a Chinese document

MARKER = "<trans>"  # stands in a translation for a paragraph without one

Rows = dict[str, Example]  # by md5 and in its order, which has nothing to do with the content


class Candidate(NamedTuple):
    """A description in the source language, and the same description in the target language."""

    source: str
    target: str | None
    document: Description
    summary: Description | None

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Each text of the example, with its language."""
        yield self.source, self.document.document
        yield self.source, self.document.synopsis
        if self.target and self.summary:
            yield self.target, self.summary.synopsis

    def example(self, md5: str) -> Example:
        """The example of the candidate, with an id from ``md5``."""
        cross = self.summary.synopsis if self.summary else None
        mono, document = self.document.synopsis, self.document.document
        return Example(id=f"deb-{md5[:12]}", document=document, mono=mono, cross=cross)


def short(candidate: Candidate) -> bool:
    """Whether the document is too short to say more than its summary."""
    return num_words(candidate.document.document, candidate.source) < SHORTEST_DOCUMENT


def marker(candidate: Candidate) -> bool:
    """Whether a translation is unfinished."""
    return any(MARKER in text for _, text in candidate.texts)


def untranslated(candidate: Candidate) -> bool:
    """Whether both summaries are the same, since the translator kept the English one."""
    document, summary = candidate.document, candidate.summary
    return summary is not None and document.synopsis.casefold() == summary.synopsis.casefold()


def no_chinese(candidate: Candidate) -> bool:
    """Whether a Chinese text has no Chinese character."""
    return any(language == "zh" and not CHINESE.search(text) for language, text in candidate.texts)


FILTERS: tuple[Callable[[Candidate], bool], ...] = (short, marker, untranslated, no_chinese)


def candidates(
    index: dict[str, Index], source: str, target: str | None
) -> Iterator[tuple[str, Candidate]]:
    """md5 and candidate of each description in ``source``, ``target`` and English.

    The English text is needed for the group of the description.
    """
    documents, summaries = index[source], index[target] if target else {}
    shared = index["en"].keys() & documents.keys()
    for md5 in sorted(shared & summaries.keys() if target else shared):
        yield md5, Candidate(source, target, documents[md5], summaries.get(md5))


def examples(
    index: dict[str, Index], source: str, target: str | None
) -> tuple[Rows, dict[str, int]]:
    """The examples that no filter drops, and how many each filter drops.

    An example that several filters would drop counts for the first of them.
    """
    counts = {"joined": 0} | {drop.__name__: 0 for drop in FILTERS} | {"duplicate": 0}
    rows: Rows = {}
    # Documents and ids. Ids are shortened: two of them are equal in one of 10^5 builds.
    seen = set[str]()
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
