"""Whether the heads of two runs, such as two seeds, are of the same kinds at the same places."""

from collections.abc import Iterator

from mclas_lightning.errors import InputError
from mclas_lightning.report.heads_table import rank_correlation, sheet_of_kinds
from mclas_lightning.report.sheet import Sheet, SheetEntry
from mclas_lightning.runs.heads import HeadsResults

AGREEMENT_COLUMNS = ("heads", "heads there", "same place", "by chance", "corr.")

AGREEMENT_EXPLANATION = (
    "same place: heads that are of the kind in both runs, with the same layer and number. by "
    "chance: as many are expected where places are random. corr.: Spearman's correlation of the "
    "scores, head by head. Only decoders that started from the same MS run have reason to agree "
    "head by head."
)


def agreement_sheet(found: HeadsResults, other: HeadsResults) -> Sheet:
    """The table for two runs; InputError where their decoders differ in size."""
    return sheet_of_kinds(
        "section6-agreement",
        f"Section 6. {found.name} beside {other.name}",
        AGREEMENT_COLUMNS,
        lambda attention: _rows(found, other, attention),
        [AGREEMENT_EXPLANATION],
    )


def _rows(
    found: HeadsResults, other: HeadsResults, attention: str
) -> Iterator[tuple[SheetEntry, ...]]:
    here, there = found.kinds(attention), other.kinds(attention)
    for kind in [kind for kind in here if kind in there]:
        a_LH, b_LH = here[kind], there[kind]
        if a_LH.shape != b_LH.shape:
            sizes = [
                f"{layers} layers of {heads} heads" for layers, heads in (a_LH.shape, b_LH.shape)
            ]
            raise InputError(
                f"the decoders of two compared runs must be equal in size; found {sizes[0]} and "
                f"{sizes[1]}"
            )
        scores = (one.strength(attention, kind) for one in (found, other))
        yield (
            kind,
            str(a_LH.sum()),
            str(b_LH.sum()),
            str((a_LH & b_LH).sum()),
            f"{a_LH.sum() * b_LH.sum() / a_LH.size:.1f}",
            f"{rank_correlation(*scores):+z.2f}",
        )
