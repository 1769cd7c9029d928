"""The progress bar of everything that takes long."""

import sys

from tqdm import tqdm


def progress_bar(total: int, what: str, unit: str, done: int = 0, disable: bool = False) -> tqdm:
    """A bar on stderr that leaves no trace; where that is a file, a line now and then."""
    return tqdm(
        total=total,
        initial=done,
        desc=f"  {what}",
        unit=f" {unit}",
        unit_scale=unit == "B",
        mininterval=0.1 if sys.stderr.isatty() else 30,
        disable=disable,
        leave=False,
    )
