"""A human evaluation as tables for a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mclas_lightning.human.results import (
    FEWEST_DOCUMENTS,
    GOLD,
    PERSPECTIVES,
    HumanAnalysis,
    HumanResults,
    not_returned_sentence,
)
from mclas_lightning.metrics.significance import SIGNIFICANCE_LEVEL
from mclas_lightning.task import MODELS


def draw_results(results: HumanResults) -> Group:
    """Preferences and agreement, differences of systems, and annotators."""
    title = (
        f"{results.dataset}, {results.scenario}: times best minus times worst ({results.judged})"
    )
    table = _table(title, "", *(name.capitalize() for name in PERSPECTIVES))
    for system, row in results.preferences.items():
        found = results.analysis.intervals.get(system, {}) if results.analysis else {}
        cells = (f"{row[name]:+.3f}{_ends(found.get(name))}" for name in PERSPECTIVES)
        table.add_row(_name(system), *cells)
    agreement, parts = results.agreement, list[RenderableType]([table])
    kappa = _ends(results.analysis.kappa_interval, "{:z.2f}") if results.analysis else ""
    shown = (
        f"Fleiss' kappa {agreement.kappa:z.2f}{kappa}, overall agreement {agreement.overall:.2%}\n"
    )
    for name, one in (results.by_perspective or {}).items():
        shown += f"  {name}: kappa {one.kappa:z.2f}, agreement {one.overall:.2%}\n"
    if results.analysis:
        shown += f"Krippendorff's alpha {results.analysis.alpha:z.2f}\n"
    if missing := not_returned_sentence(results):
        shown += f"{missing}\n"
    parts.append(Text(shown))
    if results.analysis:
        parts.extend(_details(results.analysis))
    return Group(*parts)


def _details(analysis: HumanAnalysis) -> Iterator[RenderableType]:
    title = f"Differences whose p-value is below {SIGNIFICANCE_LEVEL} after Holm's correction"
    table = _table(title, "", "Systems", "Difference", "p")
    for one in analysis.differences:
        if one.holm < SIGNIFICANCE_LEVEL:
            table.add_row(
                one.perspective, f"{_name(one.a)} - {_name(one.b)}",
                f"{one.difference:+.3f}{_ends(one.interval)}", f"{one.holm:.4f}",
            )  # fmt: skip
    if analysis.kappa_interval is None:
        yield Text(f"No intervals and no tests: fewer than {FEWEST_DOCUMENTS} documents.\n")
    else:
        yield table if table.row_count else Text(f"{title}: none\n")
    table = _table("Annotators", "", "Agreement with the others", "Seconds a document", "Signs")
    for one in analysis.annotators:
        seconds = "-" if one.seconds is None else f"{one.seconds:.0f}"
        table.add_row(
            str(one.annotator), f"{one.agreement:.2%}", seconds, "; ".join(one.signs) or "-"
        )
    yield table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(
        title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
        collapse_padding=True,
    )  # fmt: skip
    table.add_column(first)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _name(system: str) -> str:
    return "Gold" if system == GOLD else MODELS.get(system, system)


def _ends(interval: list[float] | None, form: str = "{:+z.2f}") -> str:
    return " [{}, {}]".format(*map(form.format, interval)) if interval else ""
