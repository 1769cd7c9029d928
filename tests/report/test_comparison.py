from dataclasses import replace

import pytest
from rich.console import Console

from mclas_lightning.errors import InputError
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.render import sheets_as_text, terminal


def markdown(runs, **options) -> str:
    return sheets_as_text(comparison_sheets(runs, **options), "markdown")


def cells(text: str) -> dict[str, list[str]]:
    """The rows of a Markdown table by their first cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: rest for name, *rest in rows}


def drawn(runs, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        terminal.show(console, comparison_sheets(runs))
    return captured.get()


def test_a_row_has_percentages_the_excess_length_and_the_number_of_seeds(made_up):
    rows = cells(markdown([made_up("ncls_ms")]))
    assert rows["System"] == ["R-1", "R-2", "R-L", "Length", "To ref.", "Wrong %", "Seeds"]
    assert rows["NCLS+MS"] == ["40.00", "20.00", "30.00", "11.0", "-2.0", "5.0", "1"]
    assert rows["Reference"] == ["", "", "", "13.0", "", "2.0", ""]


def test_several_seeds_share_a_row_of_means_and_sample_deviations(made_up):
    runs = [made_up("mclas", s, rouge1_f=f, length=10 + s) for s, f in enumerate((0.1, 0.2, 0.6))]
    row = cells(markdown(runs))["MCLAS"]
    # mean 30; ((-20)^2 + (-10)^2 + 30^2) / 2 = 700 = 26.46^2
    assert row[:3] == ["30.00 ±26.46", "20.00 ±0.00", "30.00 ±0.00"]
    assert row[3:] == ["11.0 ±1.0", "-2.0 ±1.0", "5.0 ±0.0", "3"]


def test_the_best_of_each_column_is_bold_and_ties_are_bold_together(made_up):
    runs = [
        made_up("ncls", rouge1_f=0.42001, rouge2_f=0.1, length=16.0, wrong_language=0.0),
        made_up("mclas", rouge1_f=0.42002, rouge2_f=0.3, length=12.0, wrong_language=0.1),
        made_up("tltran", rouge1_f=0.1, rouge2_f=0.2, length=9.0, wrong_language=0.2),
    ]
    rows = cells(markdown(runs))
    assert rows["NCLS"] == ["**42.00**", "10.00", "30.00", "16.0", "+3.0", "**0.0**", "1"]
    assert rows["MCLAS"] == ["**42.00**", "**30.00**", "30.00", "12.0", "**-1.0**", "10.0", "1"]
    assert rows["TLTran"] == ["10.00", "20.00", "30.00", "9.0", "-4.0", "20.0", "1"]


def test_scores_of_different_signatures_are_declared_and_not_ranked(made_up):
    runs = [made_up("ncls"), made_up("mclas", tok="characters", rouge1_f=0.5, wrong_language=0)]
    text = markdown(runs)
    assert "- Not compared, no differences: ROUGE has 2 signatures." in text
    assert r"rouge\|" not in text
    assert "rouge|lang:de|tok:characters: minimum/mclas/seed=0" in text
    assert "rouge|lang:de|tok:words: minimum/ncls/seed=0" in text
    assert cells(text)["MCLAS"][0] == "50.00"
    assert cells(text)["MCLAS"][5] == "**0.0**"


@pytest.mark.parametrize("change", [{"num": 16}, {"reference_length": 14.0}])
def test_systems_scored_on_different_references_are_declared_and_not_ranked(made_up, change):
    text = markdown([made_up("ncls"), made_up("mclas", rouge1_f=0.9, **change)])
    assert "- Not compared, no differences: test sets differ." in text
    assert "**" not in text


def test_test_sets_differ_where_their_hashes_do_though_their_numbers_agree(made_up):
    runs = [
        replace(made_up(model, rouge1_f=f), provenance={"test_sha256": sha * 64} if sha else {})
        for model, f, sha in (("ncls", 0.1, "a"), ("mclas", 0.2, "b"), ("other", 0.3, ""))
    ]
    text = markdown(runs[::-1])
    assert "SHA-256 aaaaaaaa: minimum/ncls/seed=0" in text
    assert "SHA-256 bbbbbbbb: minimum/mclas/seed=0" in text
    assert "**" not in text
    assert "Not compared" not in markdown([runs[0], runs[2]])


def test_comparable_systems_are_not_warned_about(made_up):
    assert "Not compared" not in markdown([made_up("ncls"), made_up("mclas")])


def test_each_dataset_and_scenario_has_its_own_block(made_up):
    text = markdown([made_up("ncls"), made_up("ncls", scenario="full"), made_up("mclas")])
    first, second = text.removeprefix("### ").split("### ")
    assert first.startswith("toy_en2de, minimum: cross summaries (de)\n")
    assert second.startswith("toy_en2de, full: cross summaries (de)\n")
    assert list(cells(first)) == ["System", "---", "NCLS", "MCLAS", "Reference"]
    assert list(cells(second)) == ["System", "---", "NCLS", "Reference"]


def test_a_system_without_cross_summaries_is_only_in_the_mono_table(made_up):
    runs = [made_up("ms"), made_up("ncls"), made_up("mclas")]
    assert list(cells(markdown(runs)))[2:] == ["NCLS", "MCLAS", "Reference"]
    assert list(cells(markdown(runs, side="mono")))[2:] == ["MS", "MCLAS", "Reference"]
    assert "mono summaries (en)" in markdown(runs, side="mono")


def test_a_table_without_systems_is_refused(made_up):
    with pytest.raises(InputError, match="none of these 1 results scores cross summaries"):
        comparison_sheets([made_up("ms")])


def test_optional_scores_are_columns_where_a_run_has_them(made_up):
    scored = made_up("mclas")
    more = {side: scores | {"similarity": 0.81234} for side, scores in scored.scores.items()}
    signed = {side: s | {"similarity": "similarity|e5"} for side, s in scored.signatures.items()}
    rows = cells(markdown([made_up("ncls"), replace(scored, scores=more, signatures=signed)]))
    assert rows["System"][3] == "Similarity"
    assert (rows["NCLS"][3], rows["MCLAS"][3]) == ("-", "0.8123")


def test_the_terminal_shows_the_cells_of_the_markdown_in_80_columns(made_up):
    runs = [made_up("ncls_ms", seed, rouge1_f=0.3 + seed / 10) for seed in (0, 1)]
    text = drawn(runs)
    rows = [line.split() for line in text.splitlines() if "NCLS+MS" in line]
    assert [cell for row in rows for cell in row if cell != "NCLS+MS"] == [
        *("35.00", "±7.07", "20.00", "±0.00", "30.00", "±0.00"),
        *("11.0", "±0.0", "-2.0", "±0.0", "5.0", "±0.0", "2"),
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_the_terminal_sets_the_best_in_bold(made_up):
    console = Console(width=100, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        terminal.show(console, comparison_sheets([made_up("ncls", rouge1_f=0.1), made_up("mclas")]))
    assert "\x1b[1m40.00\x1b[0m" in captured.get()
    assert "\x1b[1m10.00" not in captured.get()


def test_output_without_a_word_of_its_references_is_not_the_best_in_its_language(made_up):
    nothing = dict.fromkeys(("rouge1_f", "rouge2_f", "rougeL_f", "wrong_language"), 0.0)
    runs = [
        made_up("ncls", wrong_language=0.1),
        made_up("mclas", wrong_language=0.2),
        made_up("tltran", **nothing),
    ]
    rows = cells(markdown(runs))
    assert [rows[name][5] for name in ("NCLS", "MCLAS", "TLTran")] == ["**10.0**", "20.0", "0.0"]
