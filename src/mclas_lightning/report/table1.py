"""Table 1: the paper's sizes of corpora and scenarios beside those of the local corpora.

Local sizes of splits come from each corpus's manifest or files, those of scenarios from
``conf/dataset/``.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mclas_lightning import paper
from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.manifest import num_examples, read_manifest
from mclas_lightning.data.scenario import subset_size
from mclas_lightning.errors import InputError
from mclas_lightning.report.sheet import MISSING, Column, Section, Sheet
from mclas_lightning.runs.results import SCENARIOS

SIZE_HEADINGS = ("paper", "%", "here", "%", "diff.")

OTHER_HEADINGS = ("Minimum", "Medium", "Maximum", "Full", "Valid", "Test")


def table1_sheets(data: Path) -> list[Sheet]:
    """One sheet for each corpus of the paper, and one for all other corpora in ``data``."""
    papers = [catalog.named(name) for name in paper.numbers().table1]
    found = sorted(
        path.parent
        for depth in ("[!.]*", "[!.]*/[!.]*")
        for path in data.glob(f"{depth}/train.jsonl")
    )
    others = [folder for folder in found if folder not in [data / entry.path for entry in papers]]
    sheets = [_paper(data / entry.path, entry) for entry in papers]
    return [*sheets, *([_others(data, others)] if others else [])]


def _paper(folder: Path, entry: DatasetConfig) -> Sheet:
    corpus, sizes = paper.numbers().corpora[entry.name], paper.numbers().table1[entry.name]
    printed = {name: (cell.size, cell.percent) for name, cell in sizes.items()}
    printed |= {"valid": (corpus.valid, None), "test": (corpus.test, None)}
    here, aside = _readable(folder, entry.sizes, entry.least)
    rows = [
        (name, *_cells(size, percent, here[name], here["full"]))
        for name, (size, percent) in printed.items()
    ]
    return Sheet(
        name=f"table1-{entry.name}",
        label="Table 1",
        title=f"Table 1. {corpus.name} ({corpus.source} to {corpus.target}), {folder}",
        corner="Examples",
        columns=tuple(Column("", name) for name in SIZE_HEADINGS),
        sections=[Section("", list(rows))],
        notes=aside or list(_notes(folder, entry, here)),
        missing=list(here.values()).count(None),
    )


def _cells(size: int, percent: float | None, here: int | None, full: int | None) -> tuple[str, ...]:
    printed = (f"{size:,}", "" if percent is None else f"{percent:.1f}")
    if here is None:
        return (*printed, MISSING, "", "")
    share = "" if percent is None or not full else f"{100 * here / full:.1f}"
    return (*printed, f"{here:,}", share, f"{here - size:+,}" if here != size else "0")


def _notes(folder: Path, entry: DatasetConfig, here: Mapping[str, int | None]) -> Iterator[str]:
    if set(here.values()) == {None}:
        yield f"Not here. To get it: {entry.to_get(folder)}"
    elif None in here.values():
        yield f"{MISSING}: no such file, or fewer examples than the scenario asks for."
    shards = read_manifest(folder).shards.get("train")
    if shards and entry.shards:
        taken = {
            name: sum(size for _, size in sorted(shards)[:num])
            for name, num in entry.shards.take.items()
        }
        counts = ", ".join(f"{name} {size:,}" for name, size in taken.items())
        yield f"Released shards, with split=first_shards: {counts}."


def _others(data: Path, folders: list[Path]) -> Sheet:
    rows = {folder: _other(folder, folder.relative_to(data).as_posix()) for folder in folders}
    return Sheet(
        name="table1-others",
        title=f"Other corpora in {data}",
        corner="Corpus",
        columns=tuple(Column("", name) for name in OTHER_HEADINGS),
        sections=[Section("", [row for row, _ in rows.values()])],
        notes=[note for _, aside in rows.values() for note in aside],
    )


def _other(folder: Path, name: str) -> tuple[tuple[str, ...], list[str]]:
    entry = catalog.at(folder)
    sizes, least = (entry.sizes, entry.least) if entry else (catalog.own_sizes(), 0)
    here, aside = _readable(folder, sizes, least)
    return (name, *(MISSING if size is None else f"{size:,}" for size in here.values())), aside


def _readable(
    folder: Path, sizes: Mapping[str, float], least: int
) -> tuple[dict[str, int | None], list[str]]:
    """``_sizes`` without notes; or no size and a note on the file that cannot be read."""
    try:
        return _sizes(folder, sizes, least), []
    except InputError as error:
        return dict.fromkeys((*SCENARIOS, "valid", "test")), [f"Set aside: {error}."]


def _sizes(folder: Path, sizes: Mapping[str, float], least: int) -> dict[str, int | None]:
    """Number of examples by scenario, "valid" and "test"; None where the corpus has too few."""
    here: dict[str, int | None] = dict.fromkeys(SCENARIOS)
    total = num_examples(folder, "train") or 0
    for scenario in SCENARIOS:
        with suppress(InputError):
            here[scenario] = subset_size(scenario, sizes, total, least)
    return here | {"valid": num_examples(folder, "valid"), "test": num_examples(folder, "test")}
