"""``key.json``: which system wrote which summary of the sheets; for the one who scores them.

    {"format": 1, "dataset": "zh2ensum", "scenario": "minimum", "seed": 0,
     "systems": ["ncls", "ncls_ms", "mclas", "gold"],
     "items": {"s1c5ab20f-1": {"annotator": 1, "document": "42",
                               "order": ["gold", "mclas", "ncls", "ncls_ms"]}, ...},
     "provenance": {...}}

An item is a line of a sheet: a document as one annotator sees it, its first summary under A.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json, write_json
from mclas_lightning.typed import typed

FORMAT = 1
KEY = "key.json"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A document as one annotator sees it; ``order`` names the systems from A on."""

    annotator: int
    document: str
    order: list[str]


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a folder of sheets does not say; ``seed`` is the sampling's."""

    dataset: str
    scenario: str
    seed: int
    systems: list[str]
    items: dict[str, Item]
    provenance: dict

    def write(self, folder: Path) -> None:
        """Write this beside the sheets."""
        write_json(folder / KEY, {"format": FORMAT} | asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Key":
        """Read the key of a folder of sheets."""
        path = folder / KEY
        record = read_json(path, dict)
        if record.get("format") != FORMAT:
            raise InputError(f"{path}: expected format {FORMAT}, found {record.get('format')!r}")
        try:
            key = typed("key", cls, {k: v for k, v in record.items() if k != "format"})
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        for name, item in key.items.items():
            if sorted(item.order) != sorted(key.systems):
                raise InputError(f"{path}: the order of item {name} is not one of all systems")
        return key
