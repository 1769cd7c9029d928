"""Damaged contents of files, and what a reader may do with them: read, or end in one line."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st

from mclas_lightning.errors import InputError
from tests.fuzz.readers import Reader

CHECKS: list[HealthCheck] = list(HealthCheck)  # pyright: ignore  # of hypothesis, put aside

LONGEST_MESSAGE = 2000  # characters, of which a path may be a good part

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)

VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)

# Nested as deep as no parser's stack, and numbers and ranges as large as no type.
BOMBS = (
    b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b"1e999", b"- " * 20_000, b"\xff\xfe\x00",
    b"{" * 3000, b"a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", b"!!python/object:os.system x",
)  # fmt: skip


def check(reader: Reader, folder: Path, content: bytes) -> None:
    """Fail unless the reader reads the content, or raises an InputError of one line."""
    folder.mkdir(exist_ok=True)
    reader.beside(folder)
    path = folder / reader.file
    path.write_bytes(content)
    said = ""
    try:
        reader.read(path)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < LONGEST_MESSAGE


@st.composite
def damaged_value(draw: st.DrawFn, value: Any) -> Any:
    """``value`` with another value, or none, in one of its places."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    changed = copy.copy(value)
    key = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if draw(st.integers(0, 5)) == 0:
        del changed[key]
    else:
        changed[key] = draw(damaged_value(value[key]))
    return changed


@st.composite
def damaged_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """``valid`` with a few bytes in another place, or cut short."""
    found = bytearray(valid)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(found)))
        found[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(found[: draw(st.integers(0, len(found)))] if draw(st.booleans()) else found)


@st.composite
def damaged_json(draw: st.DrawFn, valid: bytes) -> bytes:
    """The first line of ``valid``, a JSON value, with another value in one place."""
    first, *others = valid.splitlines(keepends=True)
    text = json.dumps(draw(damaged_value(json.loads(first))), ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass") + b"\n" + b"".join(others)


def damaged(valid: bytes) -> st.SearchStrategy[bytes]:
    """Contents near ``valid``, and some far from it."""
    ways = [damaged_bytes(valid), st.binary(max_size=50), st.sampled_from(BOMBS)]
    try:
        json.loads(valid.splitlines()[0])
        ways += [damaged_json(valid)] * 3
    except (ValueError, UnicodeDecodeError):
        ways += [damaged_bytes(valid)] * 3
    return st.one_of(ways)
