"""A corpus under check: its folder, dataset, manifest and measurements; and a finding on it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mclas_lightning import paper
from mclas_lightning.config.dataset import DatasetConfig, Split
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check.measure import SplitStatistics
from mclas_lightning.corpora.check.neighbors import NearCount
from mclas_lightning.corpora.manifest import Manifest
from mclas_lightning.example import read_jsonl

FIELD_NAMES = {"document": "documents", "mono": "mono summaries", "cross": "cross summaries"}


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A folder with splits, and what is known about them."""

    folder: Path
    entry: DatasetConfig | None  # of conf/dataset/
    manifest: Manifest
    languages: dict[str, str | None]  # of document, mono and cross
    splits: dict[Split, SplitStatistics]  # those whose file is there
    near: dict[tuple[Split, str], NearCount]  # by split and held-out set

    @property
    def paper(self) -> paper.PaperCorpus | None:
        """The paper's numbers on this corpus (section 5.1); None for any other corpus."""
        return paper.numbers().corpora.get(self.entry.name) if self.entry else None

    @property
    def max_source(self) -> int:
        """The word pieces of a document that a training reads, by the file in ``conf/dataset/``."""
        return self.entry.max_source if self.entry else catalog.own_max_source()

    def example_id(self, split: Split, row: int) -> str:
        """The id of an example, read from the file again, since only hashes were kept."""
        examples = read_jsonl(self.folder / f"{split}.jsonl", unique=False)
        return next(islice(examples, row, None)).id


@dataclass(frozen=True)
class Finding:
    """A line of the verdict: whether a topic is well, and a sentence."""

    ok: bool
    topic: str
    said: str

    @property
    def incomplete(self) -> bool:
        """Whether the corpus lacks something that another download would have."""
        return not self.ok and self.topic in ("files", "paper", "summaries")
