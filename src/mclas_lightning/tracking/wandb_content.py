"""What a W&B run is begun with and what it holds beside its curves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mclas_lightning.errors import check_range
from mclas_lightning.report import predictions
from mclas_lightning.report.results import Results

if TYPE_CHECKING:
    import wandb


@dataclass(frozen=True, kw_only=True)
class WandbSettings:
    """``conf/logger/wandb.yaml``."""

    run_dir: str
    project: str
    entity: str | None
    group: str
    job_type: str
    name: str
    tags: list[str]
    offline: bool
    samples: int  # documents in the table of summaries
    timeout: int  # seconds
    finish_timeout: int

    def __post_init__(self) -> None:
        check_range("logger.samples", self.samples, 0)
        check_range("logger.timeout", self.timeout, 1)
        check_range("logger.finish_timeout", self.finish_timeout, 1)


def sample_table(results: Results, num: int) -> "wandb.Table":
    """``num`` documents with references and hypotheses, the same ones for every run."""
    import wandb

    sides = list(results.scores)
    texts = [f"{side} {kind}" for side in sides for kind in ("reference", "hypothesis")]
    columns: list[Any] = ["model", "seed", "id", "document", *texts]
    table = wandb.Table(columns)
    written = predictions.read(results)
    for id in predictions.shared({results.name: written}, seed=0)[:num]:
        case = written[id]
        texts = [text[side] for side in sides for text in (case.references, case.hypotheses)]
        table.add_data(results.name, results.seed, case.id, case.document, *texts)
    return table
