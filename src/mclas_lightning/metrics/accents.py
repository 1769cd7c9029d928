"""Whether a system can write accents and capitals.

The tokenizer of an uncased network removes both, so that the network never writes the umlaut of a
reference. ROUGE counts that as an error of every summary; a fair comparison with a system that can
write accents folds them (``rouge.folded_profile``).
"""

from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize as unicode_form

from tokenizers import Tokenizer

from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import without_accents, without_case

PROBE = "\u00c4"  # capital A with diaeresis

KEEPS_ALL = {"case": True, "accents": True}


def kept_by_tokenizer(tokenizer: Tokenizer) -> dict[str, bool]:
    """Whether ``case`` and ``accents`` of a text survive the tokenizer's normalization."""
    if tokenizer.normalizer is None:
        return KEEPS_ALL
    left = unicode_form("NFC", tokenizer.normalizer.normalize_str(PROBE))
    return {"case": left != left.lower(), "accents": left.lower() == PROBE.lower()}


def kept_by_tokenizer_file(path: Path) -> dict[str, bool]:
    """``kept_by_tokenizer`` of a tokenizer.json; empty where the file cannot be read."""
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
    return without_accents(text) != without_case(normalize(text))
