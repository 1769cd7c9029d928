"""Which words of two texts correspond: a lexicon, identical strings, and IBM model 1."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.data.tokenizer import CONTROL_NAMES
from mclas_lightning.errors import InputError
from mclas_lightning.heads.ibm1 import Aligner
from mclas_lightning.metrics.tokens import tokens, without_accents

Links = set[tuple[int, int]]  # (place of a word of b, place of a word of a)

LEXICON = "lexicon.tsv"


class Lexicon:
    """Pairs of phrases that are translations of each other."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.by_first: dict[str, list[tuple[list[str], list[str]]]] = defaultdict(list)
        for phrase_a, phrase_b in pairs:
            a, b = keys(tokens(phrase_a)), keys(tokens(phrase_b))
            if a and b:
                self.by_first[a[0]].append((a, b))

    @classmethod
    def read(cls, path: Path) -> "Lexicon | None":
        """The lexicon of a file of lines ``phrase in A <tab> phrase in B``; None for no file."""
        if not path.exists():
            return None
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}: cannot be read as UTF-8 ({error})") from error
        for number, row in enumerate(rows, 1):
            if len(row) != 2:
                raise InputError(
                    f"{path}:{number}: expected a phrase in A, a tab, a phrase in B; found "
                    f"{len(row)} columns"
                )
        return cls((a, b) for a, b in rows)

    def links(self, a: Sequence[str], b: Sequence[str]) -> Links:
        """The links of all phrases that stand in ``a`` and ``b``, which are keys of words.

        Phrases with as many words in both languages are linked word by word. A word without letters
        and digits, such as a hyphen, has no key, and is between words of a phrase or not.
        """
        places_a, places_b = ([i for i, word in enumerate(text) if word] for text in (a, b))
        a, b = [a[i] for i in places_a], [b[j] for j in places_b]
        found: Links = set()
        for i, word in enumerate(a):
            for phrase_a, phrase_b in self.by_first.get(word, ()):
                if a[i : i + len(phrase_a)] != phrase_a:
                    continue
                for j in _places(b, phrase_b):
                    found |= _between(
                        places_a[i : i + len(phrase_a)], places_b[j : j + len(phrase_b)]
                    )
        return found


def keys(words: Iterable[str]) -> list[str]:
    """Words without case, accents and punctuation, by which they are compared.

    An unknown word has an empty key: it may be any word.
    """
    unknown = CONTROL_NAMES["unk"]
    return ["" if w in unknown else "".join(tokens(without_accents(w))) for w in words]


def identical(a: Sequence[str], b: Sequence[str]) -> Links:
    """Links of equal keys, such as numbers and names, that stand once in each text."""
    once = {w for w in a if w and a.count(w) == 1} & {w for w in b if b.count(w) == 1}
    return {(b.index(word), a.index(word)) for word in once}


def statistical(a: Sequence[str], b: Sequence[str], aligner: Aligner, least: float) -> Links:
    """Links whose posterior probability is ``least`` or more."""
    rows, columns = (aligner.posterior(a, b) >= least).nonzero()
    found = zip(rows.tolist(), columns.tolist(), strict=True)
    return {(j, i) for j, i in found if a[i] and b[j]}


def diagonal(num_a: int, num_b: int) -> Links:
    """The link of each word of b to the word of a at the same share of its text."""
    return {(j, diagonal_place(j, num_a, num_b)) for j in range(num_b)} if num_a else set()


def diagonal_place(j: int, num_a: int, num_b: int) -> int:
    """The place in a that corresponds to place ``j`` in b where both have one order."""
    return min(num_a - 1, (2 * j + 1) * num_a // (2 * num_b))


def at_random(num_a: int, num_b: int, seed: int) -> Links:
    """The link of each word of b to any word of a."""
    return set(enumerate(np.random.default_rng(seed).integers(num_a, size=num_b).tolist()))


def error_rate(found: set[tuple[Any, int]], gold: set[tuple[Any, int]]) -> float:
    """Alignment error rate (Och and Ney 2003) on the words of b that ``gold`` links: 1 - F1."""
    known = {j for j, _ in gold}
    kept = {link for link in found if link[0] in known}
    return 1 - 2 * len(kept & gold) / (len(kept) + len(gold))


def _places(words: Sequence[str], phrase: Sequence[str]) -> list[int]:
    size = len(phrase)
    return [i for i in range(len(words) - size + 1) if list(words[i : i + size]) == phrase]


def _between(a: Sequence[int], b: Sequence[int]) -> Links:
    if len(a) == len(b):
        return set(zip(b, a, strict=True))
    return {(j, i) for j in b for i in a}
