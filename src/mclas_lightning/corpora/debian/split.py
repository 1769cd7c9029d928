"""Splits of every corpus by the same groups, with the number of examples in each."""

from collections import Counter
from collections.abc import Mapping

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora.debian.filters import Rows, examples
from mclas_lightning.corpora.debian.groups import group_of, split_of
from mclas_lightning.corpora.debian.index import Index
from mclas_lightning.example import Example

# Corpus -> language of the document and of the cross summary.
CORPORA: dict[str, tuple[str, str | None]] = {
    "en2de": ("en", "de"),
    "de2en": ("de", "en"),
    "en2zh": ("en", "zh"),
    "zh2en": ("zh", "en"),
    "en": ("en", None),
}

# Share of the groups for valid, and again for test: about 700 rows, or 100 with Chinese.
HELD_OUT = {"en2de": 0.08, "de2en": 0.08, "en2zh": 0.11, "zh2en": 0.11, "en": 0.02}

HELD_OUT_ROWS = 2  # the most rows of a group in valid and in test

MONOLINGUAL_ROWS = 30  # the most rows of a group in the train split of the monolingual corpus

Splits = dict[Split, list[Example]]

Counts = dict[str, int]


def split_corpora(
    index: dict[str, Index], seed: int
) -> tuple[dict[str, Splits], dict[str, Counts]]:
    """Corpus -> split -> examples, and corpus -> the counts of filters and splits."""
    groups = group_of(index["en"])
    rows: dict[str, Rows] = {}
    counts: dict[str, Counts] = {}
    for name, languages in CORPORA.items():
        rows[name], counts[name] = examples(index, *languages)
    member = {name: {groups[md5] for md5 in rows[name]} for name in CORPORA}
    splits = split_of(groups, _shares(member), seed)

    # The groups of a direction's valid and test are taken out of the corpus that MS is trained and
    # selected on.
    held_out = {g for name in CORPORA if name != "en" for g in member[name] if splits[g] != "train"}
    english = {md5: row for md5, row in rows["en"].items() if groups[md5] not in held_out}
    counts["en"]["held_out"] = len(rows["en"]) - len(english)
    rows["en"] = english

    corpora = {name: _deal(name, rows[name], groups, splits) for name in CORPORA}
    for name in CORPORA:
        sizes = {split: len(corpora[name][split]) for split in SPLITS}
        counts[name] |= {"capped": len(rows[name]) - sum(sizes.values()), **sizes}
    return corpora, counts


def _shares(member: Mapping[str, set[str]]) -> dict[str, float]:
    """Group -> the largest held-out share of the corpora that have the group."""
    shares: dict[str, float] = {}
    for name, groups in member.items():
        for group in groups:
            shares[group] = max(HELD_OUT[name], shares.get(group, 0))
    return shares


def _deal(name: str, rows: Rows, groups: Mapping[str, str], splits: Mapping[str, Split]) -> Splits:
    """Put each row into the split of its group, up to the most rows of a group in this split."""
    most = dict.fromkeys(SPLITS, HELD_OUT_ROWS)
    most["train"] = MONOLINGUAL_ROWS if name == "en" else len(rows)
    dealt: Splits = {split: [] for split in SPLITS}
    taken = Counter[str]()
    for md5, row in rows.items():
        group = groups[md5]
        if taken[group] < most[splits[group]]:
            taken[group] += 1
            dealt[splits[group]].append(row)
    return dealt
