"""The kinds of a run's heads beside the paper's counts (section 6)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from mclas_lightning import paper
from mclas_lightning.report.sheet import MISSING, Column, Section, Sheet, SheetEntry
from mclas_lightning.runs.heads import MEASURED, HeadsResults, strongest

PAPER_SECTIONS = {"self": "self_attention", "cross": "encoder_decoder"}

ATTENTION_NAMES = {"self": "Self-attention", "cross": "Encoder-decoder"}

FACTORS = (0.5, 1.5)  # of the thresholds, to show their influence

HEAD_COLUMNS = (
    *("paper", "heads", "%", "firm", "same", "own"),
    *(f"x {factor:g}" for factor in FACTORS),
    *("best", "score"),
)

EXPLANATION = (
    "A head is of a kind where its mean score over documents reaches the kind's threshold; it may "
    "be of several kinds. firm: heads whose 95 % interval lies above the threshold. same: of how "
    "many documents a head of the kind reaches the threshold. own: heads on the run's own "
    f"summaries. {', '.join(f'x {factor:g}' for factor in FACTORS)}: heads with thresholds "
    "multiplied by this. best: the layer and head, counted from 1, with the highest score."
)

BY_EYE = (
    "The paper told kinds apart by eye, on En2ZhSum; its counts and these share names, not a "
    "definition. It names no separator and no lookup heads."
)

SIDE_NAMES = {"mono": "S^A", "cross": "S^B"}

# Of each measure: its name in a table, how a change is written, and what that is multiplied by.
MEASURES = {"loss": ("loss", "+z.3f", 1), "rouge1": ("R-1", "+z.2f", 100)}

REPLACED_BY = {"zero": "zero", "mean": "their mean"}

ABLATION_EXPLANATION = (
    "The change where the output of the kind's best head is replaced. A head that is needed raises "
    "the loss, in nats a word piece of the references, and lowers ROUGE-1, of summaries decoded "
    "with one beam. corr.: Spearman's correlation, over all heads of the attention, of the score "
    "of the kind with that change."
)


def heads_sheets(found: HeadsResults) -> list[Sheet]:
    """Of each decoder the table of kinds and, where heads were silenced, those of the ablation."""
    decoders = found.of_decoders()
    return [
        sheet
        for name, alone in zip(found.decoders, decoders, strict=True)
        for sheet in _decoder_sheets(alone, f", decoder {name}" if len(decoders) > 1 else "")
    ]


def _decoder_sheets(found: HeadsResults, decoder: str) -> Iterator[Sheet]:
    yield heads_sheet(found, decoder)
    for ablation in found.ablation.values():
        for replacement in MEASURED:
            yield ablation_sheet(found, decoder, ablation, replacement)


def ablation_sheet(
    found: HeadsResults, decoder: str, ablation: Mapping[str, Any], replacement: str
) -> Sheet:
    """What silencing the best head of each kind costs."""
    whole = ", ".join(
        f"{name} {SIDE_NAMES[side]} {value * factor:{form.removeprefix('+')}}"
        for measure, (name, form, factor) in MEASURES.items()
        for side, value in ablation[measure].items()
    )
    changes = ablation["change"][replacement]
    columns = [
        f"{MEASURES[measure][0]} {SIDE_NAMES[side]}"
        for measure in MEASURED[replacement]
        for side in ablation[measure]
    ]
    return sheet_of_kinds(
        f"section6-ablation-{replacement}-{found.name}{decoder}",
        f"Section 6. Heads replaced by {REPLACED_BY[replacement]}, {found.name}{decoder}",
        ["best", *columns, *(f"corr. {column}" for column in columns)],
        lambda attention: _ablation_rows(found, attention, changes[attention]),
        [ABLATION_EXPLANATION, f"With all heads, on {ablation['num']} documents: {whole}."],
    )


def _ablation_rows(
    found: HeadsResults, attention: str, changes: Mapping[str, Any]
) -> Iterator[tuple[SheetEntry, ...]]:
    every = [
        (np.array(change_LH) * MEASURES[measure][2], MEASURES[measure][1])
        for measure, of_sides in changes.items()
        for change_LH in of_sides.values()
    ]
    for kind in found.kinds(attention):
        layer, head, *_ = strongest(found.scores(attention), kind)
        values_LH = found.strength(attention, kind)
        yield (
            kind,
            f"{layer + 1}.{head + 1}",
            *(f"{change_LH[layer, head]:{form}}" for change_LH, form in every),
            *(f"{rank_correlation(values_LH, change_LH):+z.2f}" for change_LH, _ in every),
        )


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation; 0 where all values of one are equal."""
    ranks = [_ranks(each.ravel()) for each in (a, b)]
    if any(each.std() == 0 for each in ranks):
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; equal values have the mean of their ranks."""
    return (values[:, None] > values).sum(1) + ((values[:, None] == values).sum(1) - 1) / 2


def heads_sheet(found: HeadsResults, decoder: str = "") -> Sheet:
    """The table of kinds, with the alignment error rates in its notes."""
    return sheet_of_kinds(
        f"section6-{found.name}{decoder}",
        f"Section 6. What the decoder's heads do, {found.name}{decoder}",
        HEAD_COLUMNS,
        lambda attention: _rows(found, attention),
        [EXPLANATION, BY_EYE, *_alignment(found), *found.notes],
    )


def sheet_of_kinds(
    name: str,
    title: str,
    columns: Iterable[str],
    rows: Callable[[str], Iterable[tuple[SheetEntry, ...]]],
    notes: list[str],
) -> Sheet:
    """A table with a row for each kind; ``rows`` gives those of an attention."""
    return Sheet(
        name=name,
        title=title,
        by="Attention",
        corner="Kind",
        columns=tuple(Column("", column) for column in columns),
        sections=[
            Section(heading, list(rows(attention)))
            for attention, heading in ATTENTION_NAMES.items()
        ],
        notes=notes,
    )


def _rows(found: HeadsResults, attention: str) -> Iterator[tuple[SheetEntry, ...]]:
    printed = paper.numbers().heads[PAPER_SECTIONS[attention]]["kinds"]
    gold, own = (found.kinds(attention, target) for target in ("gold", "own"))
    firm = found.kinds(attention, key="low")
    scaled = [found.kinds(attention, factor=factor) for factor in FACTORS]
    for kind in found.thresholds[attention]:
        theirs = f"{printed[kind]['num']} of 48" if kind in printed else MISSING
        if kind not in gold:
            yield (kind, theirs, *[MISSING] * (len(HEAD_COLUMNS) - 1))
            continue
        heads_LH = gold[kind]
        best = strongest(found.scores(attention), kind)
        yield (
            kind,
            theirs,
            f"{heads_LH.sum()} of {heads_LH.size}",
            f"{heads_LH.mean():.1%}",
            str((firm[kind] & heads_LH).sum()),
            _stability(found, attention, kind, heads_LH),
            str(own[kind].sum()) if kind in own else MISSING,
            *(str(kinds[kind].sum()) for kinds in scaled),
            f"{best.layer + 1}.{best.head + 1}",
            f"{best.score:z.2f}",
        )


def _stability(found: HeadsResults, attention: str, kind: str, heads_LH: Any) -> str:
    """The mean share of documents in which the heads of a kind reach its threshold."""
    if not heads_LH.any():
        return MISSING
    return f"{found.strength(attention, kind, key='share')[heads_LH].mean():.0%}"


def _alignment(found: HeadsResults) -> list[str]:
    if not found.alignment:
        return []
    rates = ", ".join(f"{name} {rate:.3f}" for name, rate in found.alignment.items())
    return [
        f"Alignment error rate of S^B with S^A, on the words of the corpus's lexicon: {rates}. The "
        "best head has the highest score of translation. Through the document, a word of S^B "
        "corresponds to the word of S^A whose row of encoder-decoder attention is most like its "
        "own, in the head with the highest score of lookup."
    ]
