"""One pass over each split: its hash and, of every field, lengths, a sample and hashes of texts.

Examples are not kept: 1.7 million of them leave 54 MB of hashes.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from mclas_lightning.config.dataset import Split
from mclas_lightning.errors import InputError
from mclas_lightning.example import parse
from mclas_lightning.files import json_lines
from mclas_lightning.metrics.language import share_in_wrong_language
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import length
from mclas_lightning.progress import progress_bar

SAMPLE = 2000  # texts of a field, at most, whose language is identified

SAMPLED = 1000  # characters of each of them

MEGABYTE = 1_000_000


class FieldStatistics:
    """One field of one split."""

    def __init__(self, language: str | None) -> None:
        self.language = language
        self.missing = 0
        self.lengths: Counter[int] = Counter()  # in ROUGE's tokens, as tables have them
        self.hashes = array("q")  # 0 where the text is missing
        self.sample: list[str] = []
        self._stride = 1  # every stride-th text is in the sample

    def __len__(self) -> int:
        return len(self.hashes) - self.missing

    def add(self, text: str | None) -> None:
        """Count one more; None and blanks are missing, white space makes no difference."""
        line = " ".join(normalize(text or "").split())
        if line:
            self._add_to_sample(line)
            self.lengths[length(line)] += 1
        else:
            self.missing += 1
        self.hashes.append(hash(line) if line else 0)

    def mean(self) -> float:
        """Mean length of the texts."""
        return self._num_words / len(self)

    def longer_than(self, limit: int) -> tuple[int, float]:
        """Texts of more than ``limit`` words, and the share of all words that is within it."""
        longer = sum(times for long, times in self.lengths.items() if long > limit)
        within = sum(min(long, limit) * times for long, times in self.lengths.items())
        return longer, within / max(1, self._num_words)

    @property
    def _num_words(self) -> int:
        return sum(long * times for long, times in self.lengths.items())

    def percentile(self, percent: int) -> int:
        """The least length that ``percent`` of the texts do not exceed."""
        lengths = sorted(self.lengths)
        counts = accumulate(self.lengths[long] for long in lengths)
        pairs = zip(lengths, counts, strict=True)
        return next(long for long, count in pairs if 100 * count >= percent * len(self))

    @cached_property
    def wrong(self) -> float | None:
        """Share of the whole sample in a wrong language; None without texts or a known one."""
        if self.language is None or not self.sample:
            return None
        return share_in_wrong_language(self.sample, self.language)

    def _add_to_sample(self, text: str) -> None:
        if len(self) % self._stride == 0:
            self.sample.append(text[:SAMPLED])
        if len(self.sample) == SAMPLE:
            self.sample, self._stride = self.sample[::2], 2 * self._stride


@dataclass(frozen=True)
class SplitStatistics:
    """One split."""

    sha256: str
    ids: np.ndarray  # their hashes
    texts: dict[str, FieldStatistics]  # document, mono, cross

    def __len__(self) -> int:
        return len(self.ids)

    def hashes(self, field: str) -> np.ndarray:
        """One for each example, equal for equal texts, 0 where there is none."""
        return np.asarray(self.texts[field].hashes)


def measure_splits(
    folder: Path, splits: Iterable[Split], languages: Mapping[str, str | None]
) -> dict[Split, SplitStatistics]:
    """Every split, with a progress bar over all of them."""
    paths: dict[Split, Path] = {split: folder / f"{split}.jsonl" for split in splits}
    total = sum(path.stat().st_size for path in paths.values())
    with progress_bar(total // MEGABYTE, "reading", "MB", disable=total < MEGABYTE) as bar:
        done = 0

        def progress(num_bytes: int) -> None:
            nonlocal done
            done += num_bytes
            bar.update(done // MEGABYTE - bar.n)

        return {split: measure(path, languages, progress) for split, path in paths.items()}


def measure(
    path: Path, languages: Mapping[str, str | None], progress: Callable[[int], object]
) -> SplitStatistics:
    """Read ``path`` once; ``languages`` names its fields, ``progress`` gets each line's bytes."""
    texts = {field: FieldStatistics(language) for field, language in languages.items()}
    digest, ids = hashlib.sha256(), array("q")

    def read(line: bytes) -> None:
        digest.update(line)
        progress(len(line))

    for number, line in json_lines(_lines(path, read)):
        example = parse(line, f"{path}:{number}")
        ids.append(hash(example.id))
        for field, measured in texts.items():
            measured.add(getattr(example, field))
    return SplitStatistics(digest.hexdigest(), np.asarray(ids), texts)


def _lines(path: Path, read: Callable[[bytes], object]) -> Iterator[bytes]:
    """The lines of ``path``; ``read`` gets each of them, blank ones too."""
    try:
        with path.open("rb") as file:
            for line in file:
                read(line)
                yield line
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
