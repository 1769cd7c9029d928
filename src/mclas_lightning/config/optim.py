"""How a system is trained: a file of ``conf/optim/``, and the updates that it makes."""

from dataclasses import dataclass

from mclas_lightning.errors import InputError, check_range, unknown_choice

# What a budget counts, and its name in messages. summaries: the target tokens of both summaries,
# whichever of them the system writes, so that all systems see as many examples an update; texts:
# those and the source's. target: the target tokens that the system predicts; both: those and the
# source's. released: the target of the last decoder, [BOS] included.
UNITS = {
    "texts": "document and summary tokens",
    "summaries": "summary tokens",
    "both": "source and target tokens",
    "target": "target tokens",
    "released": "target tokens",
}

# Which validation loss chooses: that of S^B alone, or that of all that a system writes.
MONITORS = ("cross", "joint")


@dataclass(frozen=True, kw_only=True)
class Crowding:
    """A micro-batch of more than ``documents`` counts ``tokens`` more (released code)."""

    documents: int
    tokens: int

    def __post_init__(self) -> None:
        check_range("optim.crowding.documents", self.documents, 1)
        check_range("optim.crowding.tokens", self.tokens, 0)


@dataclass(frozen=True, kw_only=True)
class UpdateShape:
    """How an update is cut into micro-batches."""

    max_tokens: int  # padded positions of a micro-batch
    unit: str = "texts"  # which positions are counted: a word of ``UNITS``
    crowding: Crowding | None = None
    accumulate: int = 1
    ranks: int = 1

    @property
    def counts_sources(self) -> bool:
        """Whether sources are a part of the budget, not targets alone."""
        return self.unit in ("texts", "both")

    def fits(self, source: int, target: int) -> int:
        """Documents of at most these lengths that one micro-batch may hold."""
        width = source + target if self.counts_sources else target
        number = self.max_tokens // width
        if self.crowding and number > self.crowding.documents:
            crowd = (self.max_tokens - self.crowding.tokens) // width
            number = max(self.crowding.documents, crowd)
        return max(number, 1)


@dataclass(frozen=True, kw_only=True)
class PartRecipe:
    """How the encoder or the decoders are trained."""

    lr: float  # lr * min(t^-1/2, t * warmup^-3/2): its peak is lr / sqrt(warmup), at t = warmup
    warmup: int
    dropout: float

    def __post_init__(self) -> None:
        check_range("optim: lr", self.lr, 0)
        check_range("optim: warmup", self.warmup, 1)
        check_range("optim: dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, kw_only=True)
class BatchRecipe:
    """The batch that a recipe's learning rates were found with."""

    batch_unit: str
    max_tokens: int
    crowding: Crowding | None
    accumulate: int
    devices: int

    def __post_init__(self) -> None:
        check_range("optim.recipe: accumulate", self.accumulate, 1)
        check_range("optim.recipe: devices", self.devices, 1)

    def shape(self) -> UpdateShape:
        """The update that the recipe's learning rates were found with."""
        return UpdateShape(
            max_tokens=self.max_tokens,
            unit=self.batch_unit,
            crowding=self.crowding,
            accumulate=self.accumulate,
            ranks=self.devices,
        )


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """A recipe: section 5.2's is ``conf/optim/paper.yaml``."""

    encoder: PartRecipe
    decoder: PartRecipe
    beta1: float
    beta2: float
    eps: float
    label_smoothing: float
    gradient_clip: float | None
    recipe: BatchRecipe  # what the rates are made for
    batch_unit: str  # what a micro-batch's budget counts: a word of UNITS
    max_tokens: int  # padded positions of a micro-batch
    crowding: Crowding | None
    accumulate: int
    max_source: int | None  # word pieces of a document and of a summary; none: the dataset's
    max_summary: int | None
    updates: dict[str, int]  # of each scenario
    validations: int  # while training, evenly spread
    patience: int  # validations without improvement after which training stops
    monitor: str = "joint"  # a word of MONITORS; version 0.1.0 knew the joint loss alone

    def __post_init__(self) -> None:
        check_range("optim.beta1", self.beta1, 0, 0.99999)
        check_range("optim.beta2", self.beta2, 0, 0.99999)
        check_range("optim.eps", self.eps, 0)
        check_range("optim.label_smoothing", self.label_smoothing, 0, 0.99)
        if self.gradient_clip is not None and not self.gradient_clip > 0:
            raise InputError(
                f"optim.gradient_clip: expected a number above 0, or null for no limit, found "
                f"{self.gradient_clip}"
            )
        if self.batch_unit not in UNITS:
            raise unknown_choice("optim.batch_unit", self.batch_unit, UNITS)
        if self.monitor not in MONITORS:
            raise unknown_choice("optim.monitor", self.monitor, MONITORS)
        for name in ("max_tokens", "accumulate", "validations", "patience"):
            check_range(f"optim.{name}", getattr(self, name), 1)
        for scenario, updates in self.updates.items():
            check_range(f"optim.updates.{scenario}", updates, 1)

    def shape(self, devices: int) -> UpdateShape:
        """An update of this run."""
        return UpdateShape(
            max_tokens=self.max_tokens,
            unit=self.batch_unit,
            crowding=self.crowding,
            accumulate=self.accumulate,
            ranks=devices,
        )
