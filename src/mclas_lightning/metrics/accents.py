"""Whether a system can write accents and capitals.

An uncased network never sees them, so it cannot write them: of an umlaut in a reference it scores
nothing, and beside a system that can write them that is no fault of its summaries.
"""

from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize as unicode_form

from tokenizers import Tokenizer

from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import fold, plain

PROBE = "\u00c4"  # a capital with an accent

KEEPS_ALL = {"case": True, "accents": True}


def kept_by_tokenizer(tokenizer: Tokenizer) -> dict[str, bool]:
    """What of ``case`` and ``accents`` is left of a text before its word pieces are looked up."""
    if tokenizer.normalizer is None:
        return KEEPS_ALL
    left = unicode_form("NFC", tokenizer.normalizer.normalize_str(PROBE))
    return {"case": left != left.lower(), "accents": left.lower() == PROBE.lower()}


def kept_by_tokenizer_file(path: Path) -> dict[str, bool]:
    """The same of a tokenizer.json; empty where there is none that can be read."""
    if not path.exists():
        return {}
    try:
        return kept_by_tokenizer(Tokenizer.from_file(str(path)))
    except Exception:  # The tokenizers library raises nothing more specific.
        return {}


def lacks_accents(outputs: Iterable[str], references: Iterable[str]) -> bool:
    """Whether no output has an accent, though references have."""
    return not any(map(_accented, outputs)) and any(map(_accented, references))


def _accented(text: str) -> bool:
    return plain(text) != fold(normalize(text))
