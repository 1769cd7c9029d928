"""The arrays of an ``.npz`` file, which somebody else may have written."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LARGEST = 2**31  # bytes of all arrays together; a few kB of a file may stand for a TB of zeros


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of ``path`` by name, or those of ``names`` that it holds.

    ValueError, or OSError, for a file that is damaged, holds objects of Python, or is too large.
    """
    try:
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > LARGEST:
                raise ValueError(f"holds {size:,} bytes of arrays, expected up to {LARGEST:,}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                wanted = arrays.files if names is None else names
                found = {name: arrays[name] for name in wanted if name in arrays.files}
        for name, array in found.items():
            if not isinstance(array, np.ndarray):  # numpy gives the bytes of what is no array.
                raise ValueError(f"'{name}' is no array")
        return found
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many kinds.
        raise ValueError(f"{type(error).__name__}: {error}") from error
