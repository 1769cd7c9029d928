from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mclas_lightning import paper
from mclas_lightning.corpora import catalog
from mclas_lightning.files import write_json
from mclas_lightning.report.render import sheets_as_text, terminal
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.report.table1 import table1_sheets


def corpus(folder: Path, train: int, valid: int, test: int, **manifest: Any) -> Path:
    """A folder whose manifest says how much is in its files, which are empty."""
    sizes = {"train.jsonl": train, "valid.jsonl": valid, "test.jsonl": test}
    files = {name: {"records": size, "sha256": ""} for name, size in sizes.items()}
    write_json(folder / "manifest.json", {"corpus": "imported", "files": files} | manifest)
    for name in sizes:
        (folder / name).touch()
    return folder


def body(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in sheet.rows()]


def rows(data: Path) -> dict[str, list[tuple[str, ...]]]:
    return {sheet.title.removeprefix("Table 1. "): body(sheet) for sheet in table1_sheets(data)}


def drawn(data: Path, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        terminal.show(console, table1_sheets(data))
    return captured.get()


def test_without_corpora_the_papers_numbers_stand_alone_with_how_to_get_them(tmp_path):
    first, second, third = table1_sheets(tmp_path)
    assert first.title == f"Table 1. Zh2EnSum (zh to en), {tmp_path}/zh2ensum"
    assert body(first) == [
        ("minimum", "5,000", "0.3", "-", "", ""),
        ("medium", "25,000", "1.5", "-", "", ""),
        ("maximum", "50,000", "3.0", "-", "", ""),
        ("full", "1,693,713", "", "-", "", ""),
        ("valid", "3,000", "", "-", "", ""),
        ("test", "3,000", "", "-", "", ""),
    ]
    for block, name in ((first, "zh2ensum"), (second, "en2desum"), (third, "en2zhsum")):
        assert block.notes == [
            f"Not here. To get it: {catalog.named(name).to_get(tmp_path / name)}"
        ]


def test_the_papers_corpora_have_the_papers_sizes(tmp_path):
    for name, printed in paper.numbers().corpora.items():
        corpus(tmp_path / name, printed.train, printed.valid, printed.test)
    found = table1_sheets(tmp_path)
    assert len(found) == 3
    for block in found:
        assert block.notes == []
        assert len(body(block)) == 6
        for _, size, _, here, _, difference in body(block):
            assert (size, difference) == (here, "0")
    shares = [(row[2], row[4]) for row in body(found[2])]
    assert shares == [("0.4", "0.4"), ("2.0", "2.1"), ("4.0", "4.1"), *[("", "")] * 3]


def test_a_smaller_corpus_shows_the_difference_and_what_it_has_no_room_for(tmp_path):
    folder = corpus(tmp_path / "en2desum", train=12_925, valid=4_306, test=0)
    (folder / "test.jsonl").unlink()
    block = table1_sheets(tmp_path)[1]
    assert body(block) == [
        ("minimum", "2,619", "0.6", "2,619", "20.3", "0"),
        ("medium", "12,925", "3.0", "12,925", "100.0", "0"),
        ("maximum", "25,832", "6.0", "-", "", ""),
        ("full", "429,393", "", "12,925", "", "-416,468"),
        ("valid", "4,305", "", "4,306", "", "+1"),
        ("test", "4,099", "", "-", "", ""),
    ]
    assert block.notes == ["-: no such file, or fewer examples than the scenario asks for."]


def test_lines_are_counted_where_no_manifest_says_their_number(tmp_path):
    folder = tmp_path / "en2zhsum"
    folder.mkdir()
    for name, num in (("train", 1_511), ("valid", 13), ("test", 17)):
        (folder / f"{name}.jsonl").write_text("{}\n" * num)
    here = {row[0]: row[3] for row in body(table1_sheets(tmp_path)[2])}
    assert here == {
        **{"minimum": "1,500", "medium": "-", "maximum": "-"},
        **{"full": "1,511", "valid": "13", "test": "17"},
    }


def test_what_is_not_here_is_counted_as_missing(tmp_path):
    corpus(tmp_path / "en2desum", train=12_925, valid=4_306, test=0)
    assert [sheet.missing for sheet in table1_sheets(tmp_path)] == [6, 1, 6]


def test_released_shards_are_summed_in_the_order_of_their_names(tmp_path):
    shards = [[str(i), 100 + i] for i in range(12)]
    corpus(tmp_path / "en2desum", 29_000, 4_305, 4_099, shards={"train": shards})
    names = [0, 1, 10, 11, 2, 3, 4, 5, 6, 7]
    five, ten = (sum(100 + i for i in names[:num]) for num in (5, 10))
    assert table1_sheets(tmp_path)[1].notes == [
        f"Released shards, with split=first_shards: minimum 100, medium {five}, maximum {ten:,}."
    ]


def test_other_corpora_are_listed_with_the_sizes_of_their_scenarios(tmp_path):
    corpus(tmp_path / "toy" / "zh2de", 4_000, 200, 199)
    corpus(tmp_path / "debian" / "en2zh", 1_300, 86, 117)
    corpus(tmp_path / "mine", 1_000, 31, 37)
    corpus(tmp_path / "half", 20_000, 7, 11, dataset="en2zhsum")
    corpus(tmp_path / ".toy.x.part" / "en2de", 1, 1, 1)
    assert rows(tmp_path)[f"Other corpora in {tmp_path}"] == [
        ("debian/en2zh", "100", "300", "600", "1,300", "86", "117"),
        ("half", "1,500", "7,500", "15,000", "20,000", "7", "11"),
        ("mine", "10", "30", "60", "1,000", "31", "37"),
        ("toy/zh2de", "200", "1,000", "2,000", "4,000", "200", "199"),
    ]


def test_the_parts_of_a_build_are_counted_by_the_manifest_above_them(tmp_path):
    for split in ("train", "valid", "test"):
        path = tmp_path / "toy" / "en2de" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    files = {"en2de/train.jsonl": {"records": 211}, "de/train.jsonl": {"records": 5}}
    write_json(tmp_path / "toy" / "manifest.json", {"corpus": "toy", "files": files})
    row = ("toy/en2de", "200", "-", "-", "211", "0", "0")
    assert rows(tmp_path)[f"Other corpora in {tmp_path}"] == [row]


def test_markdown_has_the_same_cells(tmp_path):
    corpus(tmp_path / "mine", 1_000, 31, 37)
    corpus(tmp_path / "zh2ensum", 1_693_713, 3_000, 2_999)
    text = sheets_as_text(table1_sheets(tmp_path), "markdown")
    lines = text.splitlines()
    for block in table1_sheets(tmp_path):
        assert f"### {block.title}" in lines
        for row in body(block):
            assert f"| {' | '.join(row)} |" in lines
        for note in block.notes:
            assert f"- {note}" in lines
    assert "| test | 3,000 |  | 2,999 |  | -1 |" in lines
    assert text.count("| --- |") == 4


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_fit_the_terminal(tmp_path, monkeypatch, width):
    monkeypatch.chdir(tmp_path)
    corpus(Path("data/zh2ensum"), 1_693_713, 3_000, 2_999)
    corpus(Path("data/a-long-folder/en2de"), 1_693_713, 30_000, 30_000)
    text = drawn(Path("data"), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    cells = [line.split() for line in text.splitlines()]
    assert ["full", "1,693,713", "1,693,713", "0"] in cells
    assert ["maximum", "50,000", "3.0", "50,000", "3.0", "0"] in cells
    assert "a-long-folder/en2de" in text


def test_a_damaged_manifest_is_named_and_the_other_corpora_stand(tmp_path):
    printed = paper.numbers().corpora["zh2ensum"]
    corpus(tmp_path / "zh2ensum", printed.train, printed.valid, printed.test)
    damaged = corpus(tmp_path / "en2desum", 1, 1, 1) / "manifest.json"
    damaged.write_text("{")
    first, second, _ = table1_sheets(tmp_path)
    assert body(first)[3][3] == f"{printed.train:,}"
    assert [row[3] for row in body(second)] == ["-"] * 6
    assert second.notes[0].startswith(f"Set aside: {damaged}: not a readable JSON file")
