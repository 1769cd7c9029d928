"""Near-duplicates: documents that are almost those of a held-out set, found by MinHash.

Two documents are near where their sets of three consecutive words have a Jaccard similarity of at
least 0.7; a character of a script without spaces between words is a word. rensa's MinHash index
(Broder 1997) finds candidates, and the sets themselves decide. Equal documents are always found.
At a similarity of 0.7, the index misses one pair in 6,000, above it fewer.

Held-out documents are kept in memory (an article of 400 words takes 8 kB). The documents that are
looked up are streamed, so that a training set of any size can be compared with its test set:

    held_out = HeldOut()
    held_out.add_file("test", Path("data/mine/test.jsonl"))
    for near in near_duplicates(Path("data/mine/train.jsonl"), held_out):
        print(near.id, "of train is near", near.there, "of", near.set, near.similarity)
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import regex
from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue]  # Rust

from mclas_lightning.config.dataset import Split
from mclas_lightning.corpora.readers.log import APART
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, read_jsonl
from mclas_lightning.files import num_records
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.progress import progress_bar

HELD_OUT: tuple[Split, ...] = ("test", "valid")

SHINGLE_WORDS = 3

NEAR = 0.7  # the least Jaccard similarity of near documents

PERMUTATIONS = 128  # values of a signature

# Bands of four values each: a pair of similarity s becomes a candidate with 1 - (1 - s^4)^32.
BANDS = 32

SEED = 1  # of the hash functions

BAR_FROM = 20_000  # documents; fewer are compared without a progress bar

# Thai, Lao, Burmese, Khmer, kana and Han, in ranges: metrics.tokens, which ROUGE counts by, has
# every rare letter right and takes ten times as long.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"

# regex's \w has combining marks, such as the vowel signs of Devanagari, which re's leaves out.
_WORD = regex.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

WORDS_VERSION = 2  # Goes up when other words are found, so that kept comparisons are made again.


class Near(NamedTuple):
    """A document, and the held-out document that it is nearest to."""

    id: str  # of the document that was looked up
    set: str  # the name of the held-out set, such as "test"
    there: str  # the id of the held-out document
    similarity: float  # Jaccard, from 0.7 to 1
    equal: bool  # whether the texts differ in white space alone, or not at all


class HeldOut:
    """Documents of validation and test sets, which a training set should not hold."""

    def __init__(self) -> None:
        self._index = RMinHashLSH(NEAR, PERMUTATIONS, BANDS)
        self._documents: list[tuple[str, str, str]] = []  # set, id, text

    def add(self, name: str, example_id: str, document: str) -> None:
        """Hold out a document of the set ``name``."""
        text = _plain(document)
        self._index.insert(len(self._documents), _signature(_shingles(text)))
        self._documents.append((name, example_id, text))

    def add_file(self, name: str, path: Path) -> None:
        """Hold out all documents of a jsonl file."""
        for example in read_jsonl(path, unique=False):
            self.add(name, example.id, example.document)

    def nearest(self, example_id: str, document: str, own: str = "") -> Near | None:
        """The held-out document that is most like ``document``; None where none is near."""
        found = self.all_near(example_id, document, own)
        return max(found, key=lambda near: near.similarity, default=None)

    def all_near(self, example_id: str, document: str, own: str = "") -> Iterator[Near]:
        """Every held-out document that is near ``document``, but those of its ``own`` set."""
        if not self._documents:
            return
        text = _plain(document)
        shingles = _shingles(text)
        for row in sorted(self._index.query(_signature(shingles))):
            name, there, held_out = self._documents[row]
            if name == own:
                continue
            others = _shingles(held_out)
            similarity = len(shingles & others) / len(shingles | others)
            if similarity >= NEAR:
                yield Near(example_id, name, there, similarity, text == held_out)


def near_duplicates(train: Path, held_out: HeldOut) -> Iterator[Near]:
    """The near-duplicates of held-out documents in a jsonl file, each with its nearest document."""
    total = num_records(train)
    with progress_bar(total, "comparing", "documents", disable=total < BAR_FROM) as bar:
        for example in read_jsonl(train, unique=False):
            if near := held_out.nearest(example.id, example.document):
                yield near
            bar.update()


def held_out_of(corpora: Iterable[Path]) -> HeldOut:
    """The validation and test sets of corpora, each named by its file.

    InputError for a folder without such a file.
    """
    held_out = HeldOut()
    for folder in corpora:
        files = [path for split in HELD_OUT if (path := folder / f"{split}.jsonl").exists()]
        if not files:
            raise InputError(
                f"{folder}: no valid.jsonl or test.jsonl here to compare with; name the folder of "
                f"a corpus"
            )
        for path in files:
            held_out.add_file(str(path), path)
    return held_out


def apart(
    split: Split, examples: Iterable[Example], held_out: HeldOut, skip: Callable[[str], object]
) -> Iterator[Example]:
    """The examples of a split that are near no held-out document.

    ``skip`` is called with the reason for each other one. Those of valid and test are held out
    in turn, so that test comes first and train last.
    """
    for example in examples:
        # A test set stays as it was published.
        asked = split != "test"
        if asked and (near := held_out.nearest(example.id, example.document, own=split)):
            skip(f"{APART} {near.set}")
            continue
        if split in HELD_OUT:
            held_out.add(split, example.id, example.document)
        yield example


def _plain(document: str) -> str:
    return " ".join(normalize(document).split())


def _shingles(text: str) -> set[str]:
    """Each three consecutive words of a text without case; a shorter text is one."""
    words = _WORD.findall(text.lower()) or [text]
    runs = (words[at:] for at in range(min(SHINGLE_WORDS, len(words))))
    return set(map(" ".join, zip(*runs, strict=False)))


def _signature(shingles: set[str]) -> RMinHash:
    signature = RMinHash(PERMUTATIONS, SEED)
    signature.update(shingles)
    return signature
