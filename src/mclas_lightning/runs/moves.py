"""Files of a run that say how far it is, which replace the earlier ones together.

Predictions, scores and results cannot be replaced in one step. Files are written into a folder
whose renaming to ``.ready`` decides that they count, and are then moved out of it. After a kill
between two moves, the next process that writes there moves the rest.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mclas_lightning.files import clear_when_full, make_folder
from mclas_lightning.runs.lock import check_still_there

READY = ".ready"


@contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """An empty folder whose files move into ``folder`` once the block has ended without an error.

    A block that fails moves none, nor does one whose locked folder has vanished meanwhile. One that
    ends moves all: where its process is killed meanwhile, ``finish_moves`` moves the rest.
    """
    make_folder(folder)
    finish_moves(folder)
    with clear_when_full(folder):
        part = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=folder))
    try:
        with clear_when_full(folder):
            yield part
        for place in (folder, *folder.parents):
            check_still_there(place)
        part.rename(folder / READY)
        finish_moves(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def finish_moves(folder: Path) -> None:
    """Move what ``whole_files`` has written whole, and has not moved before it was killed.

    results.json, which has the hashes of the others, is the last one: it says that a run is done.
    """
    ready = folder / READY
    if ready.is_dir():
        for path in sorted(ready.iterdir(), key=lambda path: path.name == "results.json"):
            path.replace(folder / path.name)
        ready.rmdir()
