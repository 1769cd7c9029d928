"""Checks of scores, signatures and provenance in a ``results.json``, before tables read them."""

import math
import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side

TABLE_SCORES = (
    *("rouge1_f", "rouge2_f", "rougeL_f", "length", "reference_length"),
    *("wrong_language", "reference_wrong_language", "num"),
)

# Families of scores. Each has a signature, and the names of its scores begin with its name.
FAMILIES = ("rouge", "folded_rouge", "paper_rouge", "bertscore", "similarity")

ROUNDING = 1e-3  # by which the cosine of two float vectors may exceed 1

# The least and greatest possible score, by the beginning of its name.
RANGES = {
    **dict.fromkeys(("rouge", "folded_rouge", "paper_rouge"), (0, 1)),
    **dict.fromkeys(("wrong_language", "reference_wrong_language"), (0, 1)),
    **dict.fromkeys(("distinct", "repetition", "copied"), (0, 1)),
    **dict.fromkeys(("reference_distinct", "reference_repetition", "reference_copied"), (0, 1)),
    **dict.fromkeys(("length", "reference_length", "empty", "num"), (0, math.inf)),
    "bertscore": (-math.inf, 1 + ROUNDING),  # rescaled, unlike texts score below 0
    "similarity": (-1 - ROUNDING, 1 + ROUNDING),
}

# The values of the provenance that tables read, by their keys. All others are the system's own.
READ_OF_PROVENANCE = {
    "split": (str, "a text"),
    **dict.fromkeys(("test_sha256", "predictions_sha256"), (str | None, "a text or null")),
    "files_sha256": (dict | None, "an object or null"),
    **dict.fromkeys(("recipe", "training", "training.seen"), (dict, "an object")),
    "training.seen.documents_per_update": (int | float, "a number"),
    **dict.fromkeys(("writes", "writes.mono", "writes.cross"), (dict, "an object")),
}


def check_provenance(provenance: Mapping[str, Any]) -> None:
    """InputError where a value that tables read has another type; any value may be missing."""
    for keys, (kind, name) in READ_OF_PROVENANCE.items():
        *parents, key = keys.split(".")
        found = reduce(lambda inner, parent: inner.get(parent, {}), parents, provenance)
        if key in found and not isinstance(found[key], kind):
            raise InputError(f"'provenance.{keys}' must be {name}, found {found[key]!r}")


def check_scores(side: Side, scores: Any) -> None:
    """InputError for scores of ``side`` that are missing, no finite number, or impossible."""
    if not isinstance(scores, dict):
        raise InputError(f"'scores.{side}' must be an object, found {scores!r}")
    if missing := sorted(set(TABLE_SCORES) - set(scores)):
        raise InputError(f"'scores.{side}' lacks {', '.join(missing)}")
    for key, value in scores.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"'scores.{side}.{key}' must be a finite number, found {value!r}")
        _check_range(f"'scores.{side}.{key}'", value, key)


def _check_range(what: str, value: float, name: str) -> None:
    least, most = next(
        (limits for start, limits in RANGES.items() if name.startswith(start)), (value, value)
    )
    if not least <= value <= most:
        limits = f"{least:.3g} to {most:.3g}" if most < math.inf else f"{least} or more"
        advice = "; divide percent by 100" if value > most else ""
        raise InputError(f"{what}: expected {limits}, found {value}{advice}")


def check_signatures(
    side: Side, signatures: Any, scores: Mapping[str, float], language: str
) -> None:
    """InputError unless exactly those families have a signature that have scores.

    The language that a signature names must be ``language``, unless that is empty.
    """
    if not isinstance(signatures, dict):
        raise InputError(f"'signatures.{side}' must be an object, found {signatures!r}")
    for family in sorted({*signatures, *FAMILIES}):
        signed, scored = family in signatures, any(name.startswith(family) for name in scores)
        if scored and not signed:
            raise InputError(f"'signatures.{side}' lacks '{family}', of which there are scores")
        if signed and not scored:
            raise InputError(f"'signatures.{side}' has '{family}', of which there are no scores")
    for family, signature in signatures.items():
        named = re.search(r"\|lang:([^|]+)", str(signature))
        if named and language not in ("", named[1]):
            raise InputError(
                f"'languages' says that {side} summaries are in {language}, "
                f"'signatures.{side}.{family}' that they are in {named[1]}"
            )
