"""What is checked: a folder, what is written of it and what was measured."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mclas_lightning import paper
from mclas_lightning.config.dataset import DatasetConfig, Split
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check.measure import SplitStatistics
from mclas_lightning.corpora.manifest import Manifest
from mclas_lightning.example import read_jsonl

FIELD_NAMES = {"document": "documents", "mono": "mono summaries", "cross": "cross summaries"}


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """``languages`` are those of document, mono and cross; ``splits`` the ones that are here."""

    folder: Path
    entry: DatasetConfig | None
    manifest: Manifest
    languages: dict[str, str | None]
    splits: dict[Split, SplitStatistics]

    @property
    def paper(self) -> paper.PaperCorpus | None:
        """Section 5.1 on this corpus, where it is one of the paper's."""
        return paper.numbers().corpora.get(self.entry.name) if self.entry else None

    @property
    def max_source(self) -> int:
        """Word pieces of a document that a training reads, unless it is told otherwise."""
        return self.entry.max_source if self.entry else catalog.own_max_source()

    def example_id(self, split: Split, row: int) -> str:
        """The id in a row, read again: only hashes were kept."""
        examples = read_jsonl(self.folder / f"{split}.jsonl", unique=False)
        return next(islice(examples, row, None)).id


@dataclass(frozen=True)
class Finding:
    """One line of the verdict: all is well, or this needs a look."""

    ok: bool
    topic: str
    said: str

    @property
    def incomplete(self) -> bool:
        """Something is missing that getting the corpus again would bring."""
        return not self.ok and self.topic in ("files", "paper", "summaries")
