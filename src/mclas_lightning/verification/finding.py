"""A finding on one topic of a run, such as its configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mclas_lightning.files import sha256

SHOWN = 10  # characters of a hash that a finding shows


@dataclass(frozen=True)
class Finding:
    """What was found; ``unchecked`` where something to compare with is not recorded or not here."""

    topic: str
    state: Literal["match", "mismatch", "unchecked"]
    said: str


def matched(topic: str, said: str) -> Finding:
    """All that was compared is equal."""
    return Finding(topic, "match", said)


def mismatched(topic: str, said: str) -> Finding:
    """Something differs, or cannot be read."""
    return Finding(topic, "mismatch", said)


def unchecked(topic: str, said: str) -> Finding:
    """Nothing could be compared."""
    return Finding(topic, "unchecked", said)


def compared(topic: str, path: Path, recorded: object) -> Finding:
    """Whether the file ``path`` has the ``recorded`` SHA-256."""
    if not recorded:
        return unchecked(topic, f"{path}: results.json records no hash of it")
    if not path.is_file():  # A device would never end.
        return unchecked(topic, f"{path}: is not here")
    found = sha256(path)
    if found == recorded:
        return matched(topic, str(path))
    shown = f"SHA-256 {found[:SHOWN]}, recorded {str(recorded)[:SHOWN]}"
    return mismatched(topic, f"{path}: is not the file that the run was scored with ({shown})")
