"""Table 1 of the paper beside the corpora on this machine.

``table1`` draws for a terminal, ``markdown`` for a file; both show what ``blocks`` makes. Sizes
here are those of the files, as their manifest has them, and of the scenarios in ``conf/dataset/``.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.data import catalog
from mclas_lightning.data.manifest import num_examples, read_manifest
from mclas_lightning.data.scenario import subset_size
from mclas_lightning.errors import InputError
from mclas_lightning.report import paper
from mclas_lightning.report.results import SCENARIOS

Row = tuple[str, ...]
HEADER = ("Examples", "Paper", "%", "Here", "%", "Difference")
OTHERS = ("Corpus", "Minimum", "Medium", "Maximum", "Full", "Valid", "Test")
NONE = "-"


@dataclass(frozen=True)
class Block:
    """A corpus of the paper, or all others."""

    title: str
    header: Row
    rows: list[Row]
    notes: list[str]


def table1(data: Path) -> Group:
    """The blocks as rich tables, one below the other."""
    return Group(*(part for block in blocks(data) for part in _draw(block)))


def markdown(data: Path) -> str:
    """The blocks as Markdown tables, one below the other."""
    return "\n".join(map(_markdown, blocks(data)))


def blocks(data: Path) -> Iterator[Block]:
    """The paper's corpora, then the others in the folder ``data``."""
    papers = [catalog.named(name) for name in paper.numbers().table1]
    for entry in papers:
        yield _paper(data / entry.path, entry)
    found = sorted(
        path.parent
        for depth in ("[!.]*", "[!.]*/[!.]*")
        for path in data.glob(f"{depth}/train.jsonl")
    )
    others = [folder for folder in found if folder not in [data / entry.path for entry in papers]]
    if others:
        rows = [_other(folder, folder.relative_to(data).as_posix()) for folder in others]
        yield Block(f"Other corpora in {data}", OTHERS, rows, [])


def _paper(folder: Path, entry: catalog.Entry) -> Block:
    corpus, sizes = paper.numbers().corpora[entry.name], paper.numbers().table1[entry.name]
    printed = {name: (cell.size, cell.percent) for name, cell in sizes.items()}
    printed |= {"valid": (corpus.valid, None), "test": (corpus.test, None)}
    here = _sizes(folder, entry.sizes)
    rows = [
        (name, *_cells(size, percent, here[name], here["full"]))
        for name, (size, percent) in printed.items()
    ]
    title = f"{corpus.name} ({corpus.source} to {corpus.target}), {folder}"
    return Block(title, HEADER, rows, list(_notes(folder, entry, here)))


def _cells(size: int, percent: float | None, here: int | None, full: int | None) -> Row:
    """Paper, %, here, %, difference."""
    printed = (f"{size:,}", "" if percent is None else f"{percent:.1f}")
    if here is None:
        return (*printed, NONE, "", "")
    share = "" if percent is None or not full else f"{100 * here / full:.1f}"
    return (*printed, f"{here:,}", share, f"{here - size:+,}" if here != size else "0")


def _notes(folder: Path, entry: catalog.Entry, here: Mapping[str, int | None]) -> Iterator[str]:
    if set(here.values()) == {None}:
        yield f"Not here. To get it: {entry.how_to_get}"
    elif None in here.values():
        yield f"{NONE}: no such file, or fewer examples than the scenario asks for."
    shards = read_manifest(folder).shards.get("train")
    if shards and entry.shards:
        taken = {
            name: sum(size for _, size in sorted(shards)[:num])
            for name, num in entry.shards["take"].items()
        }
        counts = ", ".join(f"{name} {size:,}" for name, size in taken.items())
        yield f"Released shards, with split=first_shards: {counts}."


def _other(folder: Path, name: str) -> Row:
    entry = catalog.at(folder)
    here = _sizes(folder, entry.sizes if entry else catalog.own_sizes())
    return (name, *(NONE if size is None else f"{size:,}" for size in here.values()))


def _sizes(folder: Path, sizes: Mapping[str, float]) -> dict[str, int | None]:
    """Examples in each scenario, valid and test; None where there are not so many."""
    here: dict[str, int | None] = dict.fromkeys(SCENARIOS)
    total = num_examples(folder, "train") or 0
    for scenario in SCENARIOS:
        with suppress(InputError):
            here[scenario] = subset_size(scenario, sizes, total)
    return here | {"valid": num_examples(folder, "valid"), "test": num_examples(folder, "test")}


def _draw(block: Block) -> tuple[Table, Text]:
    table = Table(
        title=Text(block.title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for i, name in enumerate(block.header):
        table.add_column(name, justify="right" if i else "left")
    for row in block.rows:
        table.add_row(*row)
    return table, Text("\n".join([*block.notes, ""]), style="dim")


def _markdown(block: Block) -> str:
    rule = ("---", *["---:"] * (len(block.header) - 1))
    lines = "".join(f"| {' | '.join(row)} |\n" for row in (block.header, rule, *block.rows))
    return f"### {block.title}\n\n{lines}" + "".join(f"\n{note}\n" for note in block.notes)
