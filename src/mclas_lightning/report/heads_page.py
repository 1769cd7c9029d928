"""The interactive page of a run's heads: one HTML file that needs no other."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.page_policy import rendered
from mclas_lightning.report.heads_table import ATTENTION_NAMES
from mclas_lightning.runs.heads import ATTENTIONS, HeadsResults, ShownMaps


def heads_page(folder: Path) -> str:
    """The page of the analysis in ``folder``; InputError where none is."""
    found = HeadsResults.read(folder)
    # The script element ends at the first "</", whatever the JSON means.
    data = json.dumps(page_data(found, folder), ensure_ascii=False).replace("<", "\\u003c")
    words = {"name": found.name, "shown": found.drawn, "data": data}
    return rendered("mclas_lightning.report", "heads.html", words)


def page_data(found: HeadsResults, folder: Path) -> dict[str, Any]:
    """The heads with their kinds and scores, and the documents with their maps."""
    maps = [found.maps(folder, entry["id"]) for entry in found.drawn]
    layers, heads = maps[0].self_LHWW.shape[:2]
    kinds = {attention: found.kinds(attention) for attention in ATTENTIONS}
    return {
        "size": [layers, heads],
        "names": ATTENTION_NAMES,
        "kinds": {attention: [*of] for attention, of in kinds.items()},
        "heads": [
            {
                "attention": attention,
                "layer": layer,
                "head": head,
                "kinds": [
                    kind for kind, found_LH in kinds[attention].items() if found_LH[layer, head]
                ],
                "scores": {
                    kind: round(float(found.strength(attention, kind)[layer, head]), 4)
                    for kind in kinds[attention]
                },
            }
            for attention in ATTENTIONS
            for layer in range(layers)
            for head in range(heads)
        ],
        "shown": [_entry(shown) for shown in maps],
    }


def _entry(shown: ShownMaps) -> dict[str, Any]:
    """A document with its maps as base64 of bytes, 255 for all attention of a row."""
    both = zip(ATTENTIONS, (shown.self_LHWW, shown.cross_LHWV), strict=True)
    return {**shown.of, **{name: base64.b64encode(_bytes(array)).decode() for name, array in both}}


def _bytes(weights: np.ndarray) -> bytes:
    return (255 * weights).round().clip(0, 255).astype(np.uint8).tobytes()
