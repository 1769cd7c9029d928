"""Split the examples of every corpus by the same groups, and count what went where."""

from collections import Counter
from collections.abc import Mapping

from mclas_lightning.corpora.debian.filters import Rows, examples
from mclas_lightning.corpora.debian.groups import SPLITS, Split, group_of, split_of
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

# Share of the groups for valid, and again for test: near 700 rows, and 100 of the little Chinese.
HELD_OUT = {"en2de": 0.08, "de2en": 0.08, "en2zh": 0.11, "zh2en": 0.11, "en": 0.02}

HELD_OUT_ROWS = 2  # of a group in valid and test

MONOLINGUAL_ROWS = 30  # of a group in the train split of the monolingual corpus

Splits = dict[Split, list[Example]]

Counts = dict[str, int]


def split_corpora(
    index: dict[str, Index], seed: int
) -> tuple[dict[str, Splits], dict[str, Counts]]:
    """Corpus -> split -> examples, and corpus -> how many descriptions went where."""
    groups = group_of(index["en"])
    rows: dict[str, Rows] = {}
    counts: dict[str, Counts] = {}
    for name, languages in CORPORA.items():
        rows[name], counts[name] = examples(index, *languages)
    member = {name: {groups[md5] for md5 in rows[name]} for name in CORPORA}
    splits = split_of(groups, _shares(member), seed)

    # No document of a direction's valid or test, nor a relative of one, pretrains or selects MS.
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
    """Group -> the largest share of the corpora it is in."""
    shares: dict[str, float] = {}
    for name, groups in member.items():
        for group in groups:
            shares[group] = max(HELD_OUT[name], shares.get(group, 0))
    return shares


def _deal(name: str, rows: Rows, groups: Mapping[str, str], splits: Mapping[str, Split]) -> Splits:
    """Each row to its group's split, until the split has as many of the group as it may."""
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
