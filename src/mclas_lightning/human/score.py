"""A folder of filled sheets becomes the preferences and agreement of one scenario."""

from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.files import sha256
from mclas_lightning.human.judgements import not_returned, read_judgements, sheets
from mclas_lightning.human.key import KEY, Key
from mclas_lightning.human.results import GOLD, PERSPECTIVES, HumanResults, without
from mclas_lightning.human.scaling import fleiss, labels, preferences
from mclas_lightning.report.results import MODELS


def score_sheets(folder: Path) -> HumanResults:
    """Read, check and score the sheets that were written to ``folder``."""
    key = Key.read(folder)
    judgements = read_judgements(folder, key)
    return HumanResults(
        dataset=key.dataset,
        scenario=key.scenario,
        documents=len({judgement.document for judgement in judgements}),
        annotators=len({judgement.annotator for judgement in judgements}),
        preferences=preferences(judgements, key.systems),
        agreement=fleiss(labels(judgements, key.systems)),
        provenance={
            "seed": key.seed,
            **key.provenance,
            "not_returned": not_returned(key, judgements),
            "key_sha256": sha256(folder / KEY),
            "sheets_sha256": {path.name: sha256(path) for path in sheets(folder)},
        },
    )


def draw(results: HumanResults) -> Group:
    """Preferences and agreement, for a terminal."""
    title = (
        f"{results.dataset}, {results.scenario}: times best minus times worst "
        f"({results.documents} documents, {results.annotators} annotators)"
    )
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in PERSPECTIVES:
        table.add_column(name.capitalize(), justify="right")
    for system, row in results.preferences.items():
        name = "Gold" if system == GOLD else MODELS.get(system, system)
        table.add_row(name, *(f"{row[perspective]:+.3f}" for perspective in PERSPECTIVES))
    agreement = results.agreement
    shown = f"Fleiss' kappa {agreement.kappa:.2f}, overall agreement {agreement.overall:.2%}\n"
    if missing := without(results):
        shown += f"{missing}\n"
    return Group(table, Text(shown))
