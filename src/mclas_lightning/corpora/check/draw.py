"""The report of a check as tables for a terminal."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check.corpus import Corpus, Finding
from mclas_lightning.corpora.check.measure import SAMPLE_TEXTS, FieldStatistics

LENGTHS_NOTE = (
    "Lengths: words; characters in scripts without spaces. Wrong %: not in the language, by script "
    f"for Chinese and by py3langid for others, of up to {SAMPLE_TEXTS:,} texts spread evenly over "
    "the file; the identifier errs on some short texts."
)


def draw_report(corpus: Corpus, findings: Sequence[Finding]) -> Group:
    """Sizes, lengths and verdict; of an incomplete corpus, also how to get it."""
    return Group(*_parts(corpus, findings))


def _parts(corpus: Corpus, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    source, target = corpus.languages["document"], corpus.languages["cross"]
    name = corpus.entry.name if corpus.entry else "not in conf/dataset"
    languages = f", {source} to {target}" if target else f", {source}" if source else ""
    yield Text(f"{corpus.folder}: {name}{languages}", style="bold")
    if corpus.splits:
        if corpus.paper:
            yield _sizes(corpus)
        yield _lengths(corpus)
        yield Text(f"{LENGTHS_NOTE}\n", style="dim")
    yield _verdict(findings)
    if not corpus.splits and not corpus.entry:
        names = ", ".join(catalog.names())
        yield Text(f"\nTo be told where to get a corpus, name it with --dataset: {names}.")
    if corpus.entry and any(finding.incomplete for finding in findings):
        yield Text(
            f"\nTo get it: {corpus.entry.to_get(corpus.folder)}\nLicence: {corpus.entry.licence}"
        )


def _sizes(corpus: Corpus) -> Table:
    table = _table("Examples", "Paper", "Here", "Difference")
    for split, measured in corpus.splits.items():
        expected, found = getattr(corpus.paper, split), len(measured)
        table.add_row(
            split, f"{expected:,}", f"{found:,}", f"{found - expected:+,}".replace("+0", "0")
        )
    return table


def _lengths(corpus: Corpus) -> Table:
    table = _table("Lengths", "", "", "Texts", "Mean", "Median", "95 %", "Longest", "Wrong %")
    for split, measured in corpus.splits.items():
        table.add_section()
        for field, texts in measured.texts.items():
            if len(texts):
                name = split if field == "document" else ""
                table.add_row(name, field, texts.language or "?", *_cells(texts))
    return table


def _cells(texts: FieldStatistics) -> Iterator[str]:
    yield f"{len(texts):,}"
    yield f"{texts.mean():,.1f}"
    for percent in (50, 95, 100):
        yield f"{texts.percentile(percent):,}"
    wrong = texts.wrong
    yield "" if wrong is None else f"{100 * wrong:.1f}"


def _verdict(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        word, style = ("ok", "green") if finding.ok else ("look", "bold yellow")
        table.add_row(Text(word, style=style), finding.topic, Text(finding.said))
    return table


def _table(*header: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i == 0 or not name else "right")
    return table
