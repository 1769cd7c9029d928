"""Tar archives of corpora, unpacked beside the corpus that is being written."""

import bz2
import gzip
import hashlib
import lzma
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from mclas_lightning.corpora.readers.formats import Format, is_archive
from mclas_lightning.corpora.readers.log import Sources
from mclas_lightning.corpora.readers.pairs import Pair, of_pair
from mclas_lightning.errors import InputError
from mclas_lightning.files import found_below
from mclas_lightning.progress import progress_bar

# Compressions by the bytes that a file begins with. tarfile decompresses streams itself, but takes
# one that is cut short between two members for a whole one.
_COMPRESSIONS: dict[bytes, Callable[[Any], Any]] = {
    b"BZh": bz2.open,
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ": lzma.open,
}


class Hashed:
    """A file that is hashed while it is read; ``progress`` gets the bytes."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], object]) -> None:
        self._file, self._progress, self.digest = file, progress, hashlib.sha256()
        self.tail = b""  # the last bytes that were read, as many as a block of a tar archive has

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        self.digest.update(chunk)
        self.tail = (self.tail + chunk)[-tarfile.BLOCKSIZE :]
        self._progress(len(chunk))
        return chunk


def unpack(
    format: Format, paths: Sequence[Path], into: Path, pair: Pair, sources: Sources
) -> list[Path]:
    """The files of the format in the archives among ``paths`` and below, unpacked into ``into``.

    Archives named after other pairs of languages stay packed. InputError for an archive that is
    damaged or holds no such file.
    """
    archives = list(dict.fromkeys(_archives(paths)))
    if archives and format.pair:
        archives = of_pair(
            archives,
            format.pair,
            format.sources + format.targets,
            pair,
            format.either_order,
            ", ".join(map(str, paths)),
        )
    unpacked = []
    for number, archive in enumerate(archives):
        members = list(_unpacked(format, archive, into / str(number) / archive.name, sources))
        if not members:
            raise InputError(f"{archive}: holds no file with a name like {format.names}")
        folder = into / str(number) / archive.name
        sources.members |= {path: archive / path.relative_to(folder) for path in members}
        unpacked += members
    return unpacked


def _archives(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        for file in found_below(path, "*") if path.is_dir() else [path]:
            if file.is_file() and is_archive(file):
                yield file


def _unpacked(format: Format, archive: Path, folder: Path, sources: Sources) -> Iterator[Path]:
    """The members, written one by one, each below the last of its folders, as of a language.

    InputError for a second member of the same place.
    """
    try:
        size = archive.stat().st_size
        with archive.open("rb") as file, progress_bar(size, "unpacking", "B") as bar:
            begin = file.read(8)
            file.seek(0)
            hashed = Hashed(file, bar.update)
            compression = next((c for c in _COMPRESSIONS if begin.startswith(c)), None)
            plain: Any = _COMPRESSIONS[compression](hashed) if compression else hashed
            with tarfile.open(fileobj=plain, mode="r|") as tar:
                for member in tar:
                    name = Path(member.name).name
                    packed = tar.extractfile(member) if member.isfile() else None
                    if packed and re.fullmatch(rf"(?!\.){format.pattern}", name):
                        path = folder / PurePosixPath(member.name).parent.name.strip(".") / name
                        path.parent.mkdir(parents=True, exist_ok=True)
                        if path.exists():
                            raise InputError(
                                f"{archive}: holds {'/'.join(path.parts[-2:])} twice; unpack it, "
                                f"and name the folder"
                            )
                        with packed, path.open("wb") as written:
                            shutil.copyfileobj(packed, written)
                        yield path
            while plain.read(2**20):
                pass
            if not compression and any(hashed.tail):
                raise EOFError("no block of zeros at its end")
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(
            f"{archive}: no whole archive ({error}); it is damaged or cut short, get it again"
        ) from error
    sources.files.append({"file": archive.name, "bytes": size, "sha256": hashed.digest.hexdigest()})
