from mclas_lightning.report.sheet import Cell, Column, Section, Sheet, format_number

COLUMNS = (
    *(Column("R-1", "paper"), Column("R-1", "ours", True), Column("R-2", "ours", True)),
    *(Column("", "Seeds"), Column("", "Runs")),
)
SHEET = Sheet(
    name="scores",
    title="Table 2. Scores",
    label="Table 2",
    by="Scenario",
    corner="System",
    columns=COLUMNS,
    sections=[
        Section("minimum", [(name, "1", "2", "3", "5", "7") for name in ("ncls", "mclas")]),
        Section("full", [("mclas", "1", "2", "3", "5", "7")]),
    ],
)


def test_groups_span_all_columns_and_those_without_a_group_stand_alone():
    assert SHEET.groups() == [("R-1", 2), ("R-2", 1), ("", 1), ("", 1)]
    assert sum(size for _, size in SHEET.groups()) == len(COLUMNS)


def test_a_row_has_an_entry_for_each_heading_and_its_section_once_or_always():
    once, always = ([row[0] for row in SHEET.rows(repeat)] for repeat in (False, True))
    assert once == ["minimum", "", "full"]
    assert always == ["minimum", "minimum", "full"]
    assert {len(row) for row in SHEET.rows()} == {len(SHEET.headings)}
    assert SHEET.headings[:3] == ["Scenario", "System", "R-1 paper"]


def test_the_caption_of_a_float_has_the_papers_number_at_its_end():
    assert SHEET.caption == "Scores (as the paper's Table 2)"


def test_a_cell_shows_mean_deviation_mark_and_the_seeds_that_have_it():
    cell = Cell(mean=19.004, deviation=8.544, significant=True, partial="2 of 3")
    assert str(cell) == "19.00 \u00b18.54* (2 of 3)"
    assert cell.shown == "19.00"


def test_a_difference_of_nothing_has_no_sign():
    assert format_number(-0.0001, 2, signed=True) == "0.00"
    assert format_number(0.0, 2) == "0.00"
    assert format_number(-0.004) == "0.00"
    assert format_number(1.0, 1, signed=True) == "+1.0"
