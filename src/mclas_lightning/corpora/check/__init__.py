"""Check a corpus: missing or changed files, sizes, languages, repetitions, overlap of splits.

Near-duplicates across splits are found by MinHash (``corpora.near``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check.corpus import Corpus, Finding
from mclas_lightning.corpora.check.draw import draw_report
from mclas_lightning.corpora.check.judge import judge
from mclas_lightning.corpora.check.measure import measure_splits
from mclas_lightning.corpora.check.neighbors import Neighbors
from mclas_lightning.corpora.manifest import read_manifest
from mclas_lightning.errors import InputError
from mclas_lightning.metrics.language import check_language


@dataclass(frozen=True)
class Report:
    """A corpus and the findings on it; a rich console prints a report."""

    corpus: Corpus
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether no finding needs a look."""
        return all(finding.ok for finding in self.findings)

    def __rich__(self) -> Group:
        return draw_report(self.corpus, self.findings)


def check_corpus(
    folder: Path,
    dataset: str | None = None,
    source: str | None = None,
    target: str | None = None,
    others: Sequence[Path] = (),
) -> Report:
    """Read each split of ``folder`` once and judge it, beside validation and test of ``others``.

    Dataset and languages are the given ones, else those of the manifest, else those of the dataset
    in ``conf/dataset/`` with this path. InputError for a language that is unknown or not to be
    found, and for a folder that holds several corpora.
    """
    here: list[Split] = [split for split in SPLITS if (folder / f"{split}.jsonl").exists()]
    if not here:
        _refuse_corpora(folder)
    manifest = read_manifest(folder)
    entry = catalog.named(dataset) if dataset else catalog.at(folder)
    if here:
        source, target = catalog.languages_of(folder, entry, source, target)
    for language in filter(None, (source, target)):
        check_language(language)
    languages = {"document": source, "mono": source, "cross": target}
    neighbors = Neighbors(others)
    splits = measure_splits(folder, here, languages, neighbors)
    corpus = Corpus(
        folder=folder,
        entry=entry,
        manifest=manifest,
        languages=languages,
        splits=splits,
        near=neighbors.counts,
    )
    return Report(corpus, judge(corpus))


def _refuse_corpora(folder: Path) -> None:
    """InputError where ``folder`` holds corpora instead of being one."""
    corpora = sorted(str(path.parent) for path in folder.glob("[!.]*/train.jsonl"))
    if corpora:
        raise InputError(f"{folder}: holds several corpora; check one of: {', '.join(corpora)}")
