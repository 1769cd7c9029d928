"""Dataclasses of the sections that the files of ``conf/`` fill; ranges and words are checked."""

from dataclasses import dataclass

from mclas_lightning.errors import InputError, check_range, unknown_choice
from mclas_lightning.example import SIDES
from mclas_lightning.model import MAX_POSITIONS


@dataclass(frozen=True, kw_only=True)
class EncoderDesign:
    """The encoder: a pretrained model, or the sizes of a new BERT."""

    pretrained: str | None  # a name on a hub, or a folder
    layers: int
    heads: int
    width: int
    feed_forward: int
    max_positions: int
    sentences: bool  # each sentence begins with [CLS] and alternates its segment id (released code)

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "width", "feed_forward", "max_positions"):
            check_range(f"network.encoder.{name}", getattr(self, name), 1)


@dataclass(frozen=True, kw_only=True)
class DecoderDesign:
    """The sizes of each decoder; the width of a decoder is the width of the encoder."""

    layers: int
    heads: int
    feed_forward: int

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "feed_forward"):
            check_range(f"network.decoder.{name}", getattr(self, name), 1)


@dataclass(frozen=True, kw_only=True)
class NetworkDesign:
    """A file of ``conf/network/``."""

    name: str
    tokenizer: str | None
    encoder: EncoderDesign
    decoder: DecoderDesign


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A file of ``conf/model/`` for a trained system."""

    name: str
    source: str
    targets: dict[str, list[str]]
    bos_after_lsep: bool
    initialize: list[str] | None  # decoders that start as the MS decoder; null: all, []: none


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """A file of ``conf/model/`` for a pipeline of trained systems."""

    name: str
    steps: list[str]
    summarizer: str | None
    translator: str | None


@dataclass(frozen=True, kw_only=True)
class BaselineConfig:
    """A file of ``conf/model/`` for a baseline that copies."""

    name: str
    copies: str
    sentences: int
    sides: list[str]


FLOAT32_PRODUCTS = ("highest", "high")


@dataclass(frozen=True, kw_only=True)
class TrainerExtras:
    """The keys of ``conf/trainer/`` that are no arguments of Lightning's Trainer."""

    recompute_activations: bool
    checkpoint_minutes: float | None  # the greatest age of last.ckpt in a training
    keep_last: bool = False  # whether last.ckpt stays after the training
    float32_products: str = "highest"  # of a GPU: highest | high, which is TF32

    def __post_init__(self) -> None:
        if self.float32_products not in FLOAT32_PRODUCTS:
            name = "trainer.float32_products"
            raise unknown_choice(name, self.float32_products, FLOAT32_PRODUCTS)
        if self.checkpoint_minutes is not None:
            check_range("trainer.checkpoint_minutes", self.checkpoint_minutes, 0)


@dataclass(frozen=True, kw_only=True)
class TopLevel:
    """The keys of ``conf/train.yaml``, with each group as a mapping."""

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
    """The section ``scoring`` of ``conf/train.yaml``: the encoders that score summaries."""

    bertscore: str | None  # the encoder of BERTScore: a name on a hub, or a folder
    layer: int | None  # the layer of this encoder; null: bert-score's, else three quarters of all
    rescale: bool  # BERTScore with bert-score's baselines
    similarity: str | None  # an e5 encoder that compares summaries with documents

    def __post_init__(self) -> None:
        if self.bertscore is None and (self.layer is not None or self.rescale):
            raise InputError("scoring: layer and rescale are BERTScore's; give bertscore, too")
        if self.layer is not None:
            check_range("scoring.layer", self.layer, 1)


DECODING_CHOICES = {
    "lengths": ("summary", "target"),
    "mask": ("both", "cross", "none"),
    "block_trigrams": ("summary", "target", "released", "none"),
    "weights": ("auto", "float32", "bfloat16", "int8"),
    "bound": ("longest", "present"),
}

# Word pieces: the summaries of a target share the decoder's positions.
LONGEST_SUMMARY = MAX_POSITIONS // len(SIDES) - 2

# The paper has 0.6 to 1. From 24 up, the penalty of 250 word pieces overflows float32.
LARGEST_PENALTY = 10

WIDEST_BEAM = 1_000  # One document's beam has the memory of a batch of so many.


@dataclass(frozen=True, kw_only=True)
class DecodingConfig:
    """A file of ``conf/decoding/``: beam search, and what it may write."""

    beam: int
    length_penalty: float
    min_length: int  # in word pieces
    max_length: int  # in word pieces
    lengths: str  # summary: each summary has them | target: the whole target has, and is cut there
    mask: str  # both: each summary keeps to its vocabulary | cross: only S^B does | none
    renormalize: bool  # probabilities over the vocabulary of the mask; else over the whole one
    block_trigrams: str  # summary: within a summary | target: across both | released | none
    weights: str  # auto | float32 | bfloat16, for GPUs | int8, rounded, for CPUs
    max_tokens: int | None  # source positions x beams of a batch; null: what suits the device
    bound: str = (
        "longest"  # the length at which an open hypothesis can still win: longest | present
    )
    captured: bool = False  # the network's step is a CUDA graph; on a GPU alone

    def __post_init__(self) -> None:
        for name, words in DECODING_CHOICES.items():
            if getattr(self, name) not in words:
                raise unknown_choice(f"decoding.{name}", getattr(self, name), words)
        check_range("decoding.beam", self.beam, 1, WIDEST_BEAM)
        check_range("decoding.length_penalty", self.length_penalty, 0, LARGEST_PENALTY)
        check_range("decoding.min_length", self.min_length, 1)
        # The shortest target of two summaries: four control tokens, and a token of each summary.
        least = self.min_length if self.lengths == "summary" else max(self.min_length + 1, 6)
        check_range("decoding.max_length", self.max_length, least, LONGEST_SUMMARY)
        if self.max_tokens is not None:
            check_range("decoding.max_tokens", self.max_tokens, 1)
        if self.captured and self.weights == "int8":
            raise InputError(
                "decoding.captured=true: is for GPUs, and decoding.weights=int8 for CPUs; "
                "leave one of them out"
            )
