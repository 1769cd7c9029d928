"""Words of a command line: overrides in Hydra's grammar, and commands for a shell.

Hydra's grammar knows few characters. Here a value may hold any. What Hydra means by itself stays:
quotes, lists, mappings, interpolations, ``choice(...)``, ``range(...)``, the commas of a multirun.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

# Keys whose values are text, whatever they look like: dataset.name=1e5 is no number.
TEXT = frozenset(
    {
        *("dataset.name", "dataset.path", "dataset.tokenizer"),
        *("dataset.licence", "dataset.how_to_get"),
        *("model.name", "network.name", "runs", "data", "store", "run_dir"),
    }
)

# The same, where null says that there is none.
TEXT_OR_NULL = frozenset(
    {
        *("dataset.vocabulary", "network.tokenizer", "network.encoder.pretrained"),
        *("model.summarizer", "model.translator", "init_from"),
        *("scoring.bertscore", "scoring.similarity"),
    }
)

# What a library reads: commas are its own, but for those of a multirun.
OF_LIBRARIES = ("logger.", "trainer.", "hydra.", "+")

MULTIRUN = ("-m", "--multirun", "hydra.mode=MULTIRUN", "+sweep=")  # begin words that ask for one

_OVERRIDE = re.compile(r"(\+{0,2}[\w$./@:-]+)=(.*)", re.ASCII | re.DOTALL)

# Hydra reads these as the text that they are.
_PLAIN = re.compile(
    r"(?!(?:true|false|null|inf|nan)$)(?:[a-z_/]|\.(?!\d))[\w./+-]*", re.ASCII | re.IGNORECASE
)


def command(program: str, words: Iterable[str]) -> str:
    """A line that a shell runs as it stands."""
    return f"{program} {shlex.join(words)}"


def runs_option(folder: Path) -> list[str]:
    """The words by which a command of ``mclas`` finds the runs in ``folder``."""
    return [] if str(folder) == "runs" else ["--runs", str(folder)]


def override(key: str, value: Any) -> str:
    """A word that sets ``key`` to ``value``; interpolations in it stay interpolations."""
    return f"{key}={_written(value)}"


def exactly(text: str) -> str:
    """``text`` as a value in which nothing is an interpolation."""
    return re.sub(r"(\\*)\$\{", lambda found: f"{found[1] * 2}\\${{", text)


def arguments(words: Sequence[str]) -> list[str]:
    """What ``mclas-train`` is given, with every override in Hydra's grammar."""
    multirun = any(word.startswith(MULTIRUN) for word in words)
    return [quoted(word, multirun=multirun) for word in words]


def quoted(word: str, *, multirun: bool = False) -> str:
    """An override in Hydra's grammar; only in a multirun do bare commas separate values."""
    found = _OVERRIDE.fullmatch(word)
    if found is None:
        return word
    key, value = found.groups()
    name = key.lstrip("+")
    if multirun:
        return f"{key}={_joined(name, value)}"
    parsed = _parsed(value)
    if parsed and _is_bare_sweep(parsed):
        is_text = name in TEXT | TEXT_OR_NULL or key.startswith(OF_LIBRARIES)
        return f"{key}={_quoted(value)}" if is_text else word  # Hydra says what else it may be.
    return f"{key}={_element(name, value)}"


def elements(value: str) -> Iterator[str]:
    """What commas separate; those inside of quotes, brackets or calls do not."""
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
    """One value, in quotes where Hydra would read something else, or nothing."""
    parsed = _parsed(text)
    if parsed and (parsed.is_sweep_override() or text.startswith(("'", '"'))):
        return text
    if key in TEXT | TEXT_OR_NULL:
        return text if parsed and _is_text(key, text, parsed.value()) else _quoted(text)
    if not parsed and _is_list(text):
        return f"[{_joined(key, text[1:-1])}]"
    if parsed or text.startswith(("[", "{")):
        return text  # Hydra says what is wrong with a list or mapping.
    return _quoted(text)


def _is_text(key: str, text: str, value: Any) -> bool:
    """Whether Hydra reads this text as it stands, or with the escapes that it has."""
    if value is None:
        return key in TEXT_OR_NULL
    return isinstance(value, str) and (value == text or "\\" in text)


def _is_element(text: str) -> bool:
    return _is_list(text) or ((parsed := _parsed(text)) is not None and not _is_bare_sweep(parsed))


def _is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]")


def _is_bare_sweep(parsed: "Override") -> bool:
    """Whether these are values with commas between, none of them quoted."""
    from hydra.core.override_parser.types import QuotedString, ValueType

    bare = parsed.value_type == ValueType.SIMPLE_CHOICE_SWEEP
    return bare and not any(isinstance(v, QuotedString) for v in parsed.sweep_iterator())


@cache
def _parsed(value: str) -> "Override | None":
    """What Hydra makes of a value; None where it can make nothing of it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(f"_={value}")
    except HydraException:
        return None


def _written(value: Any) -> str:
    """A value in Hydra's grammar."""
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
