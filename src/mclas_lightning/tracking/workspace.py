"""``mclas wandb workspace``: the W&B dashboard that compares runs, as code.

Runs of one scenario and model, which differ in their seeds, form a group: a curve or a bar is the
mean of a group. Trials of a decoding are left out; W&B has a page for their sweep.
"""

import json
from typing import Any

import wandb
import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces as ws

from mclas_lightning.errors import InputError
from mclas_lightning.tracking.account import check_account

UPDATES_AXIS = "trainer/global_step"

ROUGE_TITLES = {"rouge1_f": "ROUGE-1", "rouge2_f": "ROUGE-2", "rougeL_f": "ROUGE-L"}

CURVES = (
    *("train/loss", "val/loss", "val/loss_mono", "val/loss_cross"),
    *("val/accuracy_cross", "val/perplexity_cross", "lr/encoder", "lr/decoder"),
)

KEYS = ("dataset/name", "scenario", "model/name", "seed", "optim/encoder/lr", "optim/decoder/lr")


def build_workspace(project: str, entity: str) -> ws.Workspace:
    """The dashboard of ``project``: curves, ROUGE, summaries, parallel coordinates."""
    sections = {
        "Curves by scenario and model": _curves(),
        "ROUGE by model": _bars(),
        "Summaries": [
            wr.WeavePanelSummaryTable(table_name="test/samples", layout=wr.Layout(w=24, h=14))
        ],
        "Configuration and scores": [_coordinates()],
    }
    return ws.Workspace(
        entity=entity,
        project=project,
        name="Comparison of models",
        sections=[
            ws.Section(name=name, panels=panels, is_open=True) for name, panels in sections.items()
        ],
        settings=ws.WorkspaceSettings(x_axis=UPDATES_AXIS, max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Metric("JobType") != "decoding"),
            groupby=[ws.Metric("Group"), ws.Metric("JobType")],
        ),
    )


def _curves() -> list[Any]:
    return [wr.LinePlot(title=name, x=UPDATES_AXIS, y=[name], title_x="updates") for name in CURVES]


def _bars() -> list[Any]:
    return [
        wr.BarPlot(
            title=f"{title} of the {side} summaries",
            metrics=[wr.SummaryMetric(f"test/{side}/{name}")],
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
        )
        for side in ("cross", "mono")
        for name, title in ROUGE_TITLES.items()
    ]


def _coordinates() -> wr.ParallelCoordinatesPlot:
    scores = ["val/loss_cross.min", *(f"test/cross/{name}" for name in ROUGE_TITLES)]
    axes: list[Any] = [*map(wr.Config, KEYS), *map(wr.SummaryMetric, scores)]
    return wr.ParallelCoordinatesPlot(
        title="From configuration to scores",
        columns=[wr.ParallelCoordinatesPlotColumn(metric=axis) for axis in axes],
        layout=wr.Layout(w=24, h=10),
    )


def workspace_json(workspace: ws.Workspace) -> str:
    """The dashboard as the JSON that W&B would save."""
    view = workspace._to_model()
    spec = view.spec.model_dump_json(by_alias=True, exclude_none=True)
    place = {"entity": view.entity, "project": view.project, "name": view.display_name}
    return json.dumps({**place, "spec": json.loads(spec)}, indent=2)


def save_workspace(project: str, entity: str | None) -> str:
    """Save the dashboard as a view of the project; its address.

    InputError without an account, or without ``entity`` where the account has no default one.
    """
    check_account()
    entity = entity or wandb.Api().default_entity
    if not entity:
        raise InputError("mclas wandb workspace: the account has no default entity; give --entity")
    return build_workspace(project, entity).save().url
