"""Statistics of a split in one pass: its hash and, of each field, lengths, a sample and hashes.

No example is kept: 1.7 million examples leave 54 MB of hashes.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from pathlib import Path

import numpy as np

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora.check.neighbors import Neighbors
from mclas_lightning.errors import clear_when_unreadable
from mclas_lightning.example import Example, parse_example
from mclas_lightning.files import json_lines
from mclas_lightning.metrics.language import share_in_wrong_language
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import num_tokens
from mclas_lightning.progress import progress_bar

SAMPLE_TEXTS = 2000  # the most texts of a field whose language is identified

SAMPLE_CHARACTERS = 1000  # the characters of a text that are looked at for its language

MEGABYTE = 1_000_000


class FieldStatistics:
    """Statistics of a field, such as the documents, of a split."""

    def __init__(self, language: str | None) -> None:
        self.language = language
        self.missing = 0
        self.lengths: Counter[int] = Counter()  # in ROUGE's tokens, as in tables
        self.hashes = array("q")  # 0 where the text is missing
        self.sample: list[str] = []
        self._stride = 1  # Each text whose number is a multiple of this is in the sample.

    def __len__(self) -> int:
        return len(self.hashes) - self.missing

    def add(self, text: str | None) -> None:
        """Count a text, without regard to white space; None and a blank text count as missing."""
        line = " ".join(normalize(text or "").split())
        if line:
            self._add_to_sample(line)
            self.lengths[num_tokens(line)] += 1
        else:
            self.missing += 1
        self.hashes.append(hash(line) if line else 0)

    def mean(self) -> float:
        """The mean length of the texts, in words."""
        return self._num_words / len(self)

    def longer_than(self, limit: int) -> tuple[int, float]:
        """How many texts have more than ``limit`` words, and the share of words up to the limit."""
        longer = sum(times for long, times in self.lengths.items() if long > limit)
        within = sum(min(long, limit) * times for long, times in self.lengths.items())
        return longer, within / max(1, self._num_words)

    @property
    def _num_words(self) -> int:
        return sum(long * times for long, times in self.lengths.items())

    def percentile(self, percent: int) -> int:
        """The smallest length, in words, that ``percent`` of the texts do not exceed."""
        lengths = sorted(self.lengths)
        counts = accumulate(self.lengths[long] for long in lengths)
        pairs = zip(lengths, counts, strict=True)
        return next(long for long, count in pairs if 100 * count >= percent * len(self))

    @cached_property
    def wrong(self) -> float | None:
        """The share of the sample in a wrong language; None without texts or without a language."""
        if self.language is None or not self.sample:
            return None
        return share_in_wrong_language(self.sample, self.language)

    def _add_to_sample(self, text: str) -> None:
        if len(self) % self._stride == 0:
            self.sample.append(text[:SAMPLE_CHARACTERS])
        if len(self.sample) == SAMPLE_TEXTS:
            self.sample, self._stride = self.sample[::2], 2 * self._stride


@dataclass(frozen=True)
class SplitStatistics:
    """Statistics of a split."""

    sha256: str
    ids: np.ndarray  # a hash for each example
    texts: dict[str, FieldStatistics]  # document, mono, cross

    def __len__(self) -> int:
        return len(self.ids)

    def hashes(self, field: str) -> np.ndarray:
        """A hash for each example: equal for equal texts, 0 where the text is missing."""
        return np.asarray(self.texts[field].hashes)


def measure_splits(
    folder: Path, splits: Iterable[Split], languages: Mapping[str, str | None], neighbors: Neighbors
) -> dict[Split, SplitStatistics]:
    """The statistics of each split, with a progress bar over all files.

    ``neighbors`` sees every example, those of test first and those of train last.
    """
    paths: dict[Split, Path] = {split: folder / f"{split}.jsonl" for split in splits}
    total = sum(path.stat().st_size for path in paths.values())
    with progress_bar(total // MEGABYTE, "reading", "MB", disable=total < MEGABYTE) as bar:
        done = 0

        def progress(num_bytes: int) -> None:
            nonlocal done
            done += num_bytes
            bar.update(done // MEGABYTE - bar.n)

        measured = {
            split: measure_split(paths[split], languages, progress, partial(neighbors.see, split))
            for split in reversed(SPLITS)
            if split in paths
        }
        return {split: measured[split] for split in paths}


def measure_split(
    path: Path,
    languages: Mapping[str, str | None],
    progress: Callable[[int], object],
    see: Callable[[Example], object],
) -> SplitStatistics:
    """Read ``path`` once; the statistics of its fields, which are the keys of ``languages``.

    ``progress`` gets the number of bytes of each line, and ``see`` each example. InputError for a
    line that is no example.
    """
    texts = {field: FieldStatistics(language) for field, language in languages.items()}
    digest, ids = hashlib.sha256(), array("q")

    def read(line: bytes) -> None:
        digest.update(line)
        progress(len(line))

    for number, line in json_lines(_lines(path, read)):
        example = parse_example(line, f"{path}:{number}")
        ids.append(hash(example.id))
        see(example)
        for field, measured in texts.items():
            measured.add(getattr(example, field))
    return SplitStatistics(digest.hexdigest(), np.asarray(ids), texts)


def _lines(path: Path, read: Callable[[bytes], object]) -> Iterator[bytes]:
    """The lines of ``path``; ``read`` gets each line as well, blank ones included."""
    with clear_when_unreadable(path), path.open("rb") as file:
        for line in file:
            read(line)
            yield line
