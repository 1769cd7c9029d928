from dataclasses import replace

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.report.heads_agreement import agreement_sheet
from tests.report.analyses import made_up_analysis, score


def rows(sheet) -> dict[str, tuple]:
    (first, *_) = sheet.sections
    return {row[0]: row[1:] for row in first.rows}


def test_a_run_agrees_with_itself(tmp_path):
    found = made_up_analysis(tmp_path)
    for here, there, same, chance, correlation in rows(agreement_sheet(found, found)).values():
        assert here == there == same
        assert float(chance) <= int(here)
        assert correlation == "+1.00"


def test_heads_at_other_places_do_not_agree(tmp_path):
    found = made_up_analysis(tmp_path)
    local = score([[0.0, 0.0, 0.0], [0.1, 0.4, 0.5]])  # Two of the six are local there, three here.
    gold = {"self": {"local": local}, "cross": {}}
    other = replace(found, decoders={"decoder": {"gold": gold}})
    assert rows(agreement_sheet(found, other))["local"][:4] == ("3", "2", "0", "1.0")
    assert rows(agreement_sheet(found, other)).keys() == {"local"}


def test_decoders_of_other_sizes_are_refused(tmp_path):
    found = made_up_analysis(tmp_path)
    gold = {"self": {"local": score([[0.3, 0.1]])}, "cross": {}}
    other = replace(found, decoders={"decoder": {"gold": gold}})
    with pytest.raises(InputError, match="found 2 layers of 3 heads and 1 layers of 2 heads"):
        agreement_sheet(found, other)
