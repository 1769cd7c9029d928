"""Types for argparse that several commands share; each refuses what is out of its range."""

import argparse
from contextlib import suppress


def positive(text: str) -> int:
    """A whole number from 1."""
    return _number(text, 1, 10**9)


def port(text: str) -> int:
    """The number of a port that any user may open."""
    return _number(text, 1024, 65535)


def seed(text: str) -> int:
    """A seed that random, numpy and torch accept: a whole number below 2^32."""
    return _number(text, 0, 2**32 - 1)


def share(text: str) -> float:
    """A number from 0 to 1."""
    with suppress(ValueError):
        if 0 <= (number := float(text)) <= 1:
            return number
    raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, found '{text}'")


def _number(text: str, least: int, most: int) -> int:
    with suppress(ValueError):
        if least <= (number := int(text)) <= most:
            return number
    expected = f"expected a whole number from {least} to {most:,}"
    raise argparse.ArgumentTypeError(f"{expected}, found '{text}'")
