"""``conf/dataset/``: a corpus's folder with train, valid and test.jsonl, languages and sizes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError, check_range, unknown_choice
from mclas_lightning.example import Example, Side, read_jsonl

Split = Literal["train", "valid", "test"]

SPLITS: tuple[Split, ...] = get_args(Split)

LEAKS = ("refuse", "allow")


@dataclass(frozen=True, kw_only=True)
class Shards:
    """The shards of the released code: how a training split is cut, how many a scenario takes."""

    size: int  # examples of a shard; a corpus imported from released shards has its own sizes
    take: dict[str, int]  # scenario -> shards; a scenario that is missing takes all

    def __post_init__(self) -> None:
        check_range("dataset.shards: size", self.size, 1)
        for scenario, number in self.take.items():
            check_range(f"dataset.shards: take.{scenario}", number, 1)


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """A file of ``conf/dataset/``."""

    name: str
    source: str  # language A, of documents and mono summaries (ISO 639-1)
    target: str | None  # language B, of cross summaries; null for a monolingual corpus
    path: str
    tokenizer: str  # folder or hub name, for networks without a tokenizer of their own
    sizes: dict[str, float]  # scenario -> number of examples or, up to 1.0, a fraction of all
    max_source: int  # word pieces of a document that are read
    max_summary: int  # word pieces of a summary that are learned
    vocabulary: str | None  # folder with <language>.json of `mclas data vocab`; null: made by a run
    shards: Shards | None  # for split=first_shards
    pretraining: list[str]  # words for mclas-train that choose the corpus of the MS pretraining
    licence: str
    how_to_get: str
    leaks: str = "refuse"  # training documents that are in the test set, or nearly: refuse, allow
    least: int = 0  # the least that a fraction below 1.0 stands for, where there are as many

    def __post_init__(self) -> None:
        if self.leaks not in LEAKS:
            raise unknown_choice("dataset.leaks:", self.leaks, LEAKS)
        check_range("dataset.max_source", self.max_source, 3)  # [CLS], a word piece, [SEP]
        check_range("dataset.least", self.least, 0)
        check_range("dataset.max_summary", self.max_summary, 1, 2000)
        check_two_languages(self.source, self.target)

    def language(self, side: Side) -> str:
        """The language of ``side``; InputError for the cross side of a monolingual corpus."""
        if side == "mono":
            return self.source
        if self.target is None:
            raise InputError(
                f"dataset '{self.name}' is monolingual and has no cross summaries; "
                f"it trains model=ms only"
            )
        return self.target

    def file(self, split: Split) -> Path:
        """The path of the examples of ``split``."""
        return Path(self.path) / f"{split}.jsonl"

    def to_get(self, folder: str | Path) -> str:
        """``how_to_get`` with commands that put the corpus into ``folder``."""
        text, place = self.how_to_get, Path(folder)
        for name, out in (("FOLDER", place), ("PARENT", place.parent)):
            text = text.replace(f"--out {name}", command("--out", [str(out)]))
        return text

    def check_files(self, splits: Iterable[Split] = SPLITS) -> None:
        """InputError where the file of a split is missing; it says how to get the corpus."""
        for split in splits:
            if not self.file(split).exists():
                raise InputError(
                    f"{self.file(split)}: no such file; dataset '{self.name}' is not here yet; "
                    f"to get it: {self.to_get(self.path)}"
                )

    def check_first_examples(self, splits: Iterable[Split], require: Iterable[Side]) -> None:
        """InputError where a split is missing or empty, or its first example lacks a summary."""
        self.check_files(splits)
        for split in splits:
            read_examples(self.file(split), require, most=1)

    def read(self, split: Split, require: Iterable[Side]) -> list[Example]:
        """All examples of ``split``, as ``read_examples`` reads them."""
        return read_examples(self.file(split), require)


def check_two_languages(source: str, target: str | None) -> None:
    """InputError where documents and cross summaries are in one language."""
    if source == target:
        raise InputError(
            f"source and target: expected two languages, found '{source}' twice; summaries in the "
            f"documents' language are mono summaries"
        )


def read_examples(path: Path, require: Iterable[Side], most: int | None = None) -> list[Example]:
    """All examples of a file, or the first ``most``.

    InputError for none, or for one without a side of ``require``.
    """
    examples = list(islice(read_jsonl(path, require), most))
    if not examples:
        raise InputError(f"{path}: holds no examples")
    return examples
