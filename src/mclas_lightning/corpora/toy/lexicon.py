"""The lexicon, read from ``names.toml`` and ``nouns.toml``, and facts drawn from it."""

import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from mclas_lightning.corpora.toy import german
from mclas_lightning.corpora.toy.words import (
    Count,
    Fact,
    Money,
    Name,
    Person,
    Quantity,
    Score,
    Thing,
)

HERE = Path(__file__).parent

Made = TypeVar("Made")


def load_toml(path: str) -> dict[str, Any]:
    """The content of a TOML file of this package."""
    return tomllib.loads((HERE / path).read_text(encoding="utf-8"))


def table_rows(table: str) -> list[list[str]]:
    """The cells of each line ``a | b | ...`` of a text."""
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def _table_lists(tables: dict[str, str], made_of: Callable[..., Made]) -> dict[str, list[Made]]:
    return {key: [made_of(*row) for row in table_rows(table)] for key, table in tables.items()}


def noun_of_row(english: str, german_forms: str, chinese: str) -> Thing:
    """The noun of a row of ``nouns.toml``."""
    singular, plural = english.split(", ")
    measure, _, word = chinese.partition(", ")
    return Thing(singular, plural, german.parse_noun(german_forms), measure, word)


_names, _nouns = load_toml("names.toml"), load_toml("nouns.toml")

PROPER_NAMES, PEOPLE = (_table_lists(_names[part], Name) for part in ("names", "people"))

NOUNS = _table_lists(_nouns["nouns"], noun_of_row)

ADJECTIVES = _table_lists(_nouns["adjectives"], Name)


def draw_fact(declaration: str, rng: Random) -> Fact:
    """A random fact for a declaration of a story, such as ``name place`` or ``count person 1 9``.

    ValueError for an unknown declaration.
    """
    match declaration.split():
        case ["name", table]:
            return rng.choice(PROPER_NAMES[table])
        case ["person"]:
            return _person(rng)
        case ["thing", table]:
            return _thing(table, rng)
        case ["count", table, low, high]:
            return Count(_rounded(rng.randint(int(low), int(high))), _thing(table, rng))
        case ["number", low, high]:
            return Quantity(rng.randint(int(low), int(high)), "")
        case ["decimal", low, high]:
            return Quantity(_tenths(low, high, rng), "")
        case [("percent" | "meter") as unit, low, high]:
            return Quantity(_tenths(low, high, rng), unit)
        case ["euro", low, high]:
            exponent = rng.uniform(math.log10(int(low)), math.log10(int(high)))
            return Money(int(float(f"{10**exponent:.1e}")))
        case ["score"]:
            won = rng.randint(2, 5)
            return Score(won, rng.randrange(won))
    raise ValueError(f"toy corpus: no such fact: '{declaration}'")


def _person(rng: Random) -> Person:
    chinese, female = rng.random() < 0.15, rng.random() < 0.5
    before = "chinese_" if chinese else ""
    given = rng.choice(PEOPLE[before + ("woman" if female else "man")])
    return Person(given, rng.choice(PEOPLE[before + "family"]), female, chinese)


def _thing(table: str, rng: Random) -> Thing:
    thing = rng.choice(NOUNS[table])
    if table not in ADJECTIVES:
        return thing
    return replace(thing, adjective=rng.choice(ADJECTIVES[table]))


def _tenths(low: str, high: str, rng: Random) -> float:
    return rng.randint(round(float(low) * 10), round(float(high) * 10)) / 10


def _rounded(n: int) -> int:
    """A count as news reports it: two digits up to 10,000, whole thousands above."""
    size = 1000 if n > 10_000 else 100 if n > 1000 else 10 if n > 100 else 1
    return round(n / size) * size
