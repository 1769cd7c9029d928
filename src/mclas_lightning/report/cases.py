"""Cases: a few documents with every system's summaries (figures 4, 7 and 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from operator import eq
from typing import NamedTuple

from mclas_lightning.errors import InputError, did_you_mean
from mclas_lightning.example import SIDES, Side
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import token_spans, tokens
from mclas_lightning.runs.predictions import Prediction, comparable_predictions, shared_documents
from mclas_lightning.runs.results import Results


class Piece(NamedTuple):
    """A part of a text; ``size`` words of it are one n-gram of the reference, 0: it is in none."""

    text: str
    size: int


def matched_pieces(text: str, reference: str) -> list[Piece]:
    """``text`` cut into pieces: from left to right, the longest n-grams that ``reference`` has."""
    text = normalize(text)
    found, known = list(token_spans(text)), tokens(reference)
    words = [token.word for token in found]
    pieces, done, at = [], 0, 0
    while at < len(words):
        size = _longest(words, at, known)
        if size:
            start, end = found[at].start, found[at + size - 1].end
            pieces += [Piece(text[done:start], 0), Piece(text[start:end], size)]
            done = end
        at += size or 1
    return [piece for piece in (*pieces, Piece(text[done:], 0)) if piece.text]


def lacking_phrases(text: str, reference: str) -> list[str]:
    """The phrases of ``reference`` without any word of ``text``, spelled as in the reference."""
    reference, written = normalize(reference), set(tokens(text))
    found = groupby(token_spans(reference), key=lambda token: token.word in written)
    runs = [list(run) for is_written, run in found if not is_written]
    return [" ".join(reference[run[0].start : run[-1].end].split()) for run in runs]


def _longest(words: Sequence[str], at: int, known: Sequence[str]) -> int:
    """The length of the longest n-gram that starts at ``words[at]`` and stands in ``known``."""
    same = (takewhile(bool, map(eq, words[at:], known[i:])) for i in range(len(known)))
    return max(map(sum, same), default=0)


LEGEND = (
    "Marked: n-grams of the reference, single words lightly. Lacks: the reference's other words."
)


@dataclass(frozen=True)
class Summary:
    """One system's summary of one side in pieces, and the phrases that only its reference has."""

    system: str
    language: str
    pieces: list[Piece]
    lacks: list[str]


@dataclass(frozen=True)
class Case:
    """One document, its references with their languages, and the systems' summaries."""

    id: str
    dataset: str
    language: str
    document: str
    references: list[tuple[str, str]]
    summaries: list[Summary]


class Examples(NamedTuple):
    """Cases, and the reasons why runs were set ``aside``."""

    cases: list[Case]
    aside: list[str]


def pick_cases(
    runs: Sequence[Results], num: int = 3, seed: int = 0, ids: Sequence[str] = ()
) -> Examples:
    """The documents ``ids``, or ``num`` of those that all ``runs`` share, drawn by ``seed``.

    A run is set aside where its predictions are unreadable or of another test set. InputError
    where no run is left, where runs are of several datasets, or where one lacks a document of
    ``ids``.
    """
    if len({run.dataset for run in runs}) != 1:
        found = ", ".join(sorted({run.dataset for run in runs})) or "no runs"
        raise InputError(f"cases are drawn from the runs of one dataset; found: {found}")
    found = comparable_predictions(dict(zip(_names(runs), runs, strict=True)))
    written = found.systems
    if not written:
        raise InputError("; ".join(found.aside))
    shared = shared_documents(written, seed)
    for id in set(ids) - set(shared):
        near = did_you_mean(id, shared)
        where = f"document '{id}' is not in the predictions of {', '.join(written)}"
        raise InputError(f"{where}; {near}".rstrip("; "))
    shown = [
        _case({name: of_system[id] for name, of_system in written.items()}, runs[0])
        for id in ids or shared[:num]
    ]
    return Examples(shown, found.aside)


def _names(runs: Sequence[Results]) -> list[str]:
    """The systems' names, with scenario and seed where the runs differ in these."""
    scenarios, seeds = {run.scenario for run in runs}, {run.seed for run in runs}
    return [
        run.name
        + (f", {run.scenario}" if len(scenarios) > 1 else "")
        + (f", seed {run.seed}" if len(seeds) > 1 else "")
        for run in runs
    ]


def _case(written: dict[str, Prediction], run: Results) -> Case:
    first = next(iter(written.values()))
    references: dict[Side, str] = {}
    for prediction in written.values():
        references |= prediction.references
    return Case(
        id=first.id,
        dataset=run.dataset,
        language=run.language("mono"),
        document=first.document,
        references=[(run.language(side), references[side]) for side in _sides(references)],
        summaries=[
            _summary(name, run.language(side), prediction, side)
            for name, prediction in written.items()
            for side in _sides(prediction.hypotheses)
        ],
    )


def _sides(texts: dict[Side, str]) -> list[Side]:
    return sorted(texts, key=SIDES.index)


def _summary(name: str, language: str, prediction: Prediction, side: Side) -> Summary:
    text, reference = prediction.hypotheses[side].strip(), prediction.references.get(side, "")
    return Summary(
        name, language, matched_pieces(text, reference), lacking_phrases(text, reference)
    )
