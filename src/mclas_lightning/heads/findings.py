"""What documents show of a decoder's heads, gathered one after the other.

Shape letters: N documents, L layers, H heads.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.example import read_jsonl
from mclas_lightning.heads import alignment
from mclas_lightning.heads.alignment import Lexicon, Links, keys
from mclas_lightning.heads.config import HeadsConfig
from mclas_lightning.heads.counterparts import BEST_HEAD, WAYS
from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.heads.ibm1 import Aligner
from mclas_lightning.heads.kinds import Scores, cross_scores, self_scores
from mclas_lightning.heads.words import Array
from mclas_lightning.metrics.significance import bootstrap_intervals
from mclas_lightning.metrics.tokens import tokens
from mclas_lightning.runs.heads import AHEAD, strongest

WordPlace = tuple[str, int]  # the id of a document, and the place of a word of its S^B


@dataclass(frozen=True)
class Aligning:
    """Links of words of S^B to words of S^A, or of the document."""

    lexicon: Lexicon | None
    model1: Aligner | None  # None without training summaries in both languages
    least: float

    def links(self, a: Sequence[str], b: Sequence[str]) -> Links:
        """The links that any of the three ways finds; ``a`` and ``b`` are keys of words."""
        found = alignment.identical(a, b)
        if self.model1 is not None:
            found |= alignment.statistical(a, b, self.model1, self.least)
        return found | (self.lexicon.links(a, b) if self.lexicon else set())

    def notes(self, train: Path) -> list[str]:
        """A note where ``train`` taught no model 1; a run may be analyzed without its corpus."""
        if self.model1 is not None:
            return []
        lacks = "holds no summaries in both languages to learn from"
        state = lacks if train.exists() else "is not here"
        ways = "lexicon and identical strings" if self.lexicon else "identical strings"
        return [f"{train}: {state}; words are linked by {ways} alone"]


class Kept(NamedTuple):
    """The attention of one document, for figures."""

    id: str
    maps: DocumentMaps
    links: Links


@dataclass
class Findings:
    """What the documents so far have shown of one decoder that writes one kind of target.

    ``shown`` are the documents whose attention is kept.
    """

    config: HeadsConfig
    aligning: Aligning | None
    shown: set[str]
    scores: dict[tuple[str, str], list[Array]] = field(default_factory=lambda: defaultdict(list))
    kept: list[Kept] = field(default_factory=list)
    # A word of S^B is (document, j) here, so that links of all documents are one set.
    # By way, each word's counterpart in S^A: [2, L, H, J], of its own row and of the row before.
    heads: dict[str, list[tuple[list[WordPlace], Array]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    others: dict[str, set[tuple[WordPlace, int]]] = field(default_factory=lambda: defaultdict(set))


def aligning_of(dataset: DatasetConfig, config: HeadsConfig) -> Aligning:
    """The links that the corpus's lexicon and its training summaries teach."""
    way, train = config.aligner, dataset.file("train")
    examples = read_jsonl(train, unique=False) if train.exists() else ()
    texts = ((e.mono, e.cross) for e in examples if e.mono and e.cross)
    pairs = [(keys(tokens(a)), keys(tokens(b))) for a, b in islice(texts, way.pairs)]
    lexicon = Lexicon.read(Path(dataset.path) / alignment.LEXICON)
    return Aligning(lexicon, Aligner(pairs, way.iterations) if pairs else None, way.link)


def add_document(findings: Findings, id: str, maps: DocumentMaps) -> None:
    """Take a document's scores, and keep its maps where it is to be shown."""
    aligning = findings.aligning
    links: Links = set()
    in_document: Links = set()
    if aligning is not None:
        *first, b = (_keys(maps, side) for side in range(maps.target.side_W[-1] + 1))
        document = keys(maps.source.labels[i] for i in maps.source.places())
        in_document = aligning.links(document, b)
        for a in first:
            links = aligning.links(a, b)
            if aligning.lexicon:
                _compare(findings, id, maps, aligning, a, b)
    found: dict[str, Scores] = {
        "self": self_scores(maps, links, findings.config.window),
        "cross": cross_scores(maps, in_document),
    }
    for attention, scores in found.items():
        for name, values_LH in scores.items():
            findings.scores[attention, name].append(values_LH)
    if id in findings.shown:
        findings.kept.append(Kept(id, maps, links))


def _keys(maps: DocumentMaps, side: int) -> list[str]:
    return keys(maps.target.labels[i] for i in maps.target.places(side))


def _compare(
    findings: Findings, id: str, maps: DocumentMaps, aligning: Aligning, a: list[str], b: list[str]
) -> None:
    """Take the alignments of a document whose gold alignment a lexicon knows in part."""
    assert aligning.lexicon is not None
    first, second = maps.target.places(0), maps.target.places(1)
    if not len(first) or not len(second):
        return
    ways = {
        "gold": aligning.lexicon.links(a, b),
        "diagonal": alignment.diagonal(len(a), len(b)),
        "random": alignment.at_random(len(a), len(b), seed=len(findings.heads[BEST_HEAD])),
    }
    if aligning.model1 is not None:
        ways["model 1"] = alignment.statistical(a, b, aligning.model1, aligning.least)
    for name, links in ways.items():
        findings.others[name] |= {((id, j), i) for j, i in links}
    places = [(id, j) for j in range(len(b))]
    for name, way in WAYS.items():
        found = np.stack([way.likeness(maps, ahead).argmax(-1) for ahead in (0, 1)])
        findings.heads[name].append((places, found))


def error_rates(findings: Findings, scores: Mapping[str, Any]) -> dict[str, float]:
    """Alignment error rates of the best heads, the diagonal, model 1 and chance."""
    gold = findings.others["gold"]
    if not gold:
        return {}
    found = dict(findings.others)
    for name, (attention, kind, _) in WAYS.items():
        if kind in scores[attention]:
            layer, head, ahead, _ = strongest(scores[attention], kind)
            found[name] = {
                (place, int(i))
                for places, aligned in findings.heads[name]
                for place, i in zip(places, aligned[ahead, layer, head], strict=True)
            }
    order = [*WAYS, "diagonal", "random", "model 1"]
    return {name: alignment.error_rate(found[name], gold) for name in order if name in found}


def summary_of(findings: Findings) -> dict[str, dict[str, Any]]:
    """Each score's mean, interval and stability over documents."""
    config = findings.config
    found: dict[str, dict[str, Any]] = {"self": {}, "cross": {}}
    for (attention, name), values in findings.scores.items():
        scores_NLH = np.stack(values).astype(float)
        shape = scores_NLH.shape[1:]
        intervals = bootstrap_intervals(
            scores_NLH.reshape(len(scores_NLH), -1).T, resamples=config.resamples
        )
        low, high = np.array(intervals).T
        threshold = config.thresholds[attention][name.removesuffix(AHEAD)]
        arrays = {
            "mean": scores_NLH.mean(0),
            "low": low.reshape(shape),
            "high": high.reshape(shape),
            "share": (scores_NLH >= threshold).mean(0),
        }
        rounded = {key: array.round(4).tolist() for key, array in arrays.items()}
        found[attention][name] = {"num": len(scores_NLH), **rounded}
    return found


def shown_entry(decoder: str, one: Kept) -> dict[str, Any]:
    """The entry of one document in ``shown`` of heads.json; links are of places in ``target``."""
    target = one.maps.target
    first, second = target.places(0).tolist(), target.places(1).tolist()
    return {
        "id": one.id,
        "decoder": decoder,
        "target": [*target.labels],
        "target_sides": target.side_W.tolist(),
        "source": [*one.maps.source.labels],
        "links": sorted([second[j], first[i]] for j, i in one.links),
    }
