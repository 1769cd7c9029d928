"""Words of a command line: overrides in Hydra's grammar, and commands for a shell.

Hydra's grammar allows few characters in a value. Here a value may hold any character: what Hydra
could not read is put in quotes. Syntax of Hydra keeps its meaning: quotes, lists, mappings,
interpolations, ``choice(...)``, ``range(...)``, and the commas of a multirun.
"""

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import CONF

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

# Keys whose values are always text: the 1e5 of dataset.name=1e5 is no number.
TEXT_KEYS = frozenset(
    {
        *("dataset.name", "dataset.path", "dataset.tokenizer"),
        *("dataset.licence", "dataset.how_to_get"),
        *("model.name", "network.name", "runs", "data", "store", "run_dir"),
    }
)

# Keys whose values are always text, but for null, which says that there is no value.
TEXT_OR_NULL_KEYS = frozenset(
    {
        *("dataset.vocabulary", "network.tokenizer", "network.encoder.pretrained"),
        *("model.summarizer", "model.translator", "init_from"),
        *("scoring.bertscore", "scoring.similarity"),
    }
)

# Keys of values that a library parses: outside a multirun, a comma is a part of the value.
LIBRARY_PREFIXES = ("logger.", "trainer.", "hydra.", "+")

# Words that ask for a multirun begin with one of these.
MULTIRUN_PREFIXES = ("-m", "--multirun", "hydra.mode=MULTIRUN", "+sweep=")

_OVERRIDE = re.compile(r"(\+{0,2}[\w$./@:-]+)=(.*)", re.ASCII | re.DOTALL)

# Texts that Hydra reads unchanged without quotes.
_PLAIN = re.compile(
    r"(?!(?:true|false|null|inf|nan)$)(?:[a-z_/]|\.(?!\d))[\w./+-]*", re.ASCII | re.IGNORECASE
)


def command(program: str, words: Iterable[str]) -> str:
    """``program`` with ``words`` as a line that can be pasted into a shell."""
    return f"{program} {shlex.join(words)}"


def runs_option(folder: Path) -> list[str]:
    """The words by which a command of ``mclas`` finds the runs in ``folder``."""
    return [] if str(folder) == "runs" else ["--runs", str(folder)]


def override(key: str, value: Any) -> str:
    """A word that sets ``key`` to ``value``; interpolations in ``value`` stay interpolations."""
    return f"{key}={_written(value)}"


def uninterpolated(text: str) -> str:
    """``text`` with each ``${`` escaped, so that OmegaConf reads no interpolation in it."""
    return re.sub(r"(\\*)\$\{", lambda found: f"{found[1] * 2}\\${{", text)


def hydra_arguments(words: Sequence[str]) -> list[str]:
    """The arguments of ``mclas-train``, with every override in Hydra's grammar."""
    multirun = any(word.startswith(MULTIRUN_PREFIXES) for word in words)
    return [quoted(word, multirun=multirun) for word in words]


def quoted(word: str, *, multirun: bool = False) -> str:
    """An override in Hydra's grammar; bare commas separate values in a multirun alone.

    InputError for a list of a group's files, of which Hydra would mix all and say nothing.
    """
    found = _OVERRIDE.fullmatch(word)
    if found is None:
        return word
    key, value = found.groups()
    name = key.lstrip("+")
    if _is_group(name) and any(map(_is_list, elements(value))):
        raise InputError(f"{word}: a choice of a group is no name; give one of conf/{name}")
    if multirun:
        return f"{key}={_joined(name, value)}"
    parsed = _parsed(value)
    if parsed and _is_bare_sweep(parsed):
        is_text = name in TEXT_KEYS | TEXT_OR_NULL_KEYS or key.startswith(LIBRARY_PREFIXES)
        return f"{key}={_quoted(value)}" if is_text else word  # Hydra's own error names the key.
    return f"{key}={_element(name, value)}"


def elements(value: str) -> Iterator[str]:
    """The parts of ``value`` between commas outside of quotes, brackets and calls."""
    pieces = value.split(",")
    while pieces:
        heads = (",".join(pieces[:end]) for end in range(1, len(pieces) + 1))
        whole = next(filter(_is_element, heads), pieces[0])
        yield whole.strip(" \t")
        pieces = pieces[whole.count(",") + 1 :]


def _joined(key: str, value: str) -> str:
    found = list(elements(value))
    if len(found) == 1:
        return _element(key, value)
    return ",".join(_element(key, text) or _quoted(text) for text in found)


def _element(key: str, text: str) -> str:
    """One value, in quotes where Hydra would read it as something else or not at all."""
    parsed = _parsed(text)
    if parsed and (parsed.is_sweep_override() or text.startswith(("'", '"'))):
        return text
    if key in TEXT_KEYS | TEXT_OR_NULL_KEYS or _is_group(key):
        return text if parsed and _is_text(key, text, parsed.value()) else _quoted(text)
    if not parsed and _is_list(text):
        return f"[{_joined(key, text[1:-1])}]"
    if parsed or text.startswith(("[", "{")):
        return text  # Hydra's own error says what is wrong with a list or mapping.
    return _quoted(text)


def _is_group(key: str) -> bool:
    """Whether ``key`` chooses a file of ``conf/``, whose name may be 2024 or null."""
    return os.path.isdir(CONF / key)


def _is_text(key: str, text: str, value: Any) -> bool:
    """Whether ``value``, which Hydra reads from ``text``, is this text or one without escapes."""
    if value is None:
        return key in TEXT_OR_NULL_KEYS
    return isinstance(value, str) and (value == text or "\\" in text)


def _is_element(text: str) -> bool:
    return _is_list(text) or ((parsed := _parsed(text)) is not None and not _is_bare_sweep(parsed))


def _is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]")


def _is_bare_sweep(parsed: "Override") -> bool:
    """Whether ``parsed`` is a list of values between commas, none of them in quotes."""
    from hydra.core.override_parser.types import QuotedString, ValueType

    bare = parsed.value_type == ValueType.SIMPLE_CHOICE_SWEEP
    return bare and not any(isinstance(v, QuotedString) for v in parsed.sweep_iterator())


@cache
def _parsed(value: str) -> "Override | None":
    """Hydra's parse of a value; None where Hydra cannot parse it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(f"_={value}")
    except HydraException:
        return None


def _written(value: Any) -> str:
    """A Python value in Hydra's grammar."""
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_written(k)}:{_written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if not isinstance(value, str):
        return repr(value) if isinstance(value, float) else json.dumps(value)
    return value if _PLAIN.fullmatch(value) else _quoted(value, double=True)


def _quoted(text: str, double: bool = False) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(text, Quote.double if double else Quote.single).with_quotes()
