"""One dataclass for each folder of ``conf/``."""

from dataclasses import dataclass, fields

from mclas_lightning.errors import InputError, check_range, one_of
from mclas_lightning.example import SIDES
from mclas_lightning.model.decoder import MAX_POSITIONS


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """A pretrained model's name or folder, or the sizes of a new BERT."""

    pretrained: str | None
    layers: int
    heads: int
    width: int
    feed_forward: int
    max_positions: int
    sentences: bool  # each opened by [CLS], with alternating segment ids (released code)

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "width", "feed_forward", "max_positions"):
            check_range(f"network.encoder.{name}", getattr(self, name), 1)


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """Sizes of each decoder; its width is the encoder's."""

    layers: int
    heads: int
    feed_forward: int

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "feed_forward"):
            check_range(f"network.decoder.{name}", getattr(self, name), 1)


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """One file of ``conf/network/``."""

    name: str
    tokenizer: str | None
    encoder: EncoderSettings
    decoder: DecoderSettings


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """One file of ``conf/model/``."""

    name: str
    source: str
    targets: dict[str, list[str]]
    bos_after_lsep: bool
    initialize: list[str] | None  # decoders that start as the MS decoder; []: from scratch


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """One file of ``conf/model/`` that has steps."""

    name: str
    steps: list[str]
    summarizer: str | None
    translator: str | None


@dataclass(frozen=True, kw_only=True)
class OwnTrainer:
    """What ``conf/trainer/`` says that is none of Lightning's arguments."""

    recompute_activations: bool
    checkpoint_minutes: float | None
    keep_last: bool = False

    def __post_init__(self) -> None:
        if self.checkpoint_minutes is not None:
            check_range("trainer.checkpoint_minutes", self.checkpoint_minutes, 0)


OWN = [field.name for field in fields(OwnTrainer)]


@dataclass(frozen=True, kw_only=True)
class TopLevel:
    """The keys of ``conf/train.yaml``; the groups are read one by one."""

    dataset: dict
    scenario: str
    model: dict
    network: dict
    optim: dict
    decoding: dict
    scoring: dict
    trainer: dict
    logger: dict | None
    seed: int
    split: str
    split_seed: int
    init_from: str | None
    workers: int
    store: str
    runs: str
    run_dir: str


@dataclass(frozen=True, kw_only=True)
class ScoringConfig:
    """Which encoders score summaries: names on a hub, or folders."""

    bertscore: str | None
    layer: int | None  # of bertscore's encoder
    rescale: bool  # BERTScore with bert-score's baselines
    similarity: str | None

    def __post_init__(self) -> None:
        if self.bertscore is None and (self.layer is not None or self.rescale):
            raise InputError("scoring: layer and rescale are BERTScore's; give bertscore, too")
        if self.layer is not None:
            check_range("scoring.layer", self.layer, 1)


WORDS = {
    "lengths": ("summary", "target"),
    "mask": ("both", "cross", "none"),
    "block_trigrams": ("summary", "target", "released", "none"),
    "weights": ("float32", "bfloat16", "int8"),
}

LONGEST = MAX_POSITIONS // len(SIDES) - 2  # All sides of a target share the decoder's positions.


@dataclass(frozen=True, kw_only=True)
class DecodingConfig:
    """Settings of the search."""

    beam: int
    length_penalty: float
    min_length: int  # word pieces
    max_length: int
    lengths: str  # summary: of each summary | target: of all that a decoder writes, cut there
    mask: str  # both: each summary keeps to its language | cross: only S^B does | none
    renormalize: bool  # probabilities over what the mask leaves; else over the whole vocabulary
    block_trigrams: str  # summary: within each | target: across both | released | none
    weights: str  # float32 | bfloat16, for GPUs | int8, on a CPU: faster, and not quite the same
    max_tokens: int  # of a batch: source positions x beams

    def __post_init__(self) -> None:
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise one_of(f"decoding.{name}", getattr(self, name), words)
        check_range("decoding.beam", self.beam, 1)
        check_range("decoding.length_penalty", self.length_penalty, 0)
        check_range("decoding.min_length", self.min_length, 1)
        # A target of two summaries has three control tokens, or four, and a token of each.
        least = self.min_length if self.lengths == "summary" else max(self.min_length + 1, 6)
        check_range("decoding.max_length", self.max_length, least, LONGEST)
        check_range("decoding.max_tokens", self.max_tokens, 1)
