"""Plain mappings to frozen dataclasses with checked types, and to mappings with flat keys."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from mclas_lightning.errors import InputError, unknown_choice

Record = TypeVar("Record")


def typed(name: str, kind: type[Record], section: Any) -> Record:
    """The dataclass ``kind`` made of the mapping ``section``, which errors call ``name``.

    An empty ``name`` stands for the whole configuration.
    InputError for a missing, unknown or wrongly typed key. A key with a default may be missing:
    the configurations of older runs do not have it.
    """
    if not isinstance(section, Mapping):
        raise InputError(f"{name}: expected a mapping, found '{section}'")
    hints = get_type_hints(kind)
    of_kind = fields(kind)  # pyright: ignore[reportArgumentType]
    known = {field.name for field in of_kind}
    required = {f.name for f in of_kind if f.default is f.default_factory is MISSING}
    for key in section:
        if key not in known:
            raise unknown_choice(f"{name or 'configuration'}:", key, known)
    prefix = f"{name}." if name else ""
    for key in sorted(required - section.keys()):
        raise InputError(f"{prefix}{key}: is missing")
    return kind(**{key: _value(f"{prefix}{key}", hints[key], section[key]) for key in section})


def check_given(config: Any) -> None:
    """InputError for keys whose value is ``???``: the command line has to give them."""
    if missing := [key for key, value in flat(config, ".") if value == "???"]:
        raise InputError(f"words are missing: {' '.join(f'{key}=...' for key in missing)}")


def flat(value: Any, separator: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf of nested mappings: its keys joined with ``separator``, and its value."""
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, inner in value.items():
        yield from flat(inner, separator, f"{prefix}{separator}{key}" if prefix else str(key))


def _value(name: str, kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return typed(name, kind, value)
    if isinstance(kind, UnionType):
        optional = NoneType in get_args(kind)
        (inner,) = (k for k in get_args(kind) if k is not NoneType)
        return None if optional and value is None else _value(name, inner, value)
    if get_origin(kind) is dict and isinstance(value, Mapping):
        inner = get_args(kind)[1]
        return {key: _value(f"{name}.{key}", inner, entry) for key, entry in value.items()}
    if get_origin(kind) is list and isinstance(value, list):
        (inner,) = get_args(kind)
        return [_value(f"{name}[{i}]", inner, entry) for i, entry in enumerate(value)]
    plain: Any = get_origin(kind) or kind
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        advice = f"; give one of its keys: {name}.KEY={value}" if plain is dict else ""
        raise InputError(f"{name}: expected {_KIND_NAMES[plain]}, found '{value}'{advice}")
    return value


_KIND_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
}
