"""Files and folders that are written whole or not at all; JSON, jsonl, hashes, folders' names."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

import yaml

from mclas_lightning.errors import DISK_FULL, InputError

Content = TypeVar("Content")

DEEPEST = 30  # levels of a YAML file

BOM = b"\xef\xbb\xbf"  # the byte order mark that some editors write before UTF-8

NOTHING_KEPT = "nothing is left of it; free some space, or choose another place"

REST_KEPT = "all before it is kept; free some space and start the same command again"


@contextmanager
def clear_when_full(path: Path, advice: str = NOTHING_KEPT) -> Iterator[None]:
    """Turn the error of a full disk, quota or file size limit into an InputError on ``path``."""
    try:
        yield
    except Exception as error:
        # Libraries in Rust (tokenizers, safetensors) raise errors of their own: "(os error 28)".
        said = re.search(r"\(os error (\d+)\)", str(error))
        number = error.errno if isinstance(error, OSError) else said and int(said[1])
        if number not in DISK_FULL:
            raise
        reason = os.strerror(number)
        raise InputError(f"{path}: cannot be written ({reason}); {advice}") from error


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A path to write to, which replaces ``path`` once the block has ended without an error."""
    if path.exists() and not path.is_file():  # root would lose /dev/null.
        raise InputError(f"{path}: is a folder or a device; expected the name of a file to write")
    make_folder(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with clear_when_full(path):
            yield part
        part.replace(path)
    except OSError as error:
        if error.filename != str(part):
            raise
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that replaces ``path`` once the block has ended without an error."""
    with whole_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder that replaces ``path`` once the block has ended without an error.

    A symbolic link, as to a folder on a larger disk, stays a link.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.is_mount():
        raise InputError(f"{path}: a disk is mounted here, which stays; name a folder in it")
    make_folder(path.parent)
    # A process that was killed between the two renames below has left the old folder.
    for old in path.parent.glob(".*.old"):
        ours = re.fullmatch(rf"\.{re.escape(path.name)}\.[^.]+\.old", old.name)
        if ours and not path.exists():
            old.rename(path)
    try:
        with clear_when_full(path):
            part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise InputError(f"{path}: cannot create this folder ({error.strerror})") from error
    # An open folder's number is given to no other folder.
    opened = os.open(part, os.O_RDONLY)
    try:
        with clear_when_full(path):
            yield part
        if not os.path.samestat(os.fstat(opened), part.stat()):
            raise InputError(
                f"{part}: was deleted or renamed while this process worked in it; start it again"
            )
        part.chmod(0o755)
        old = part.with_suffix(".old")
        try:
            if path.exists():
                path.rename(old)
        except OSError as why:  # A layer of a container's image has folders that stay.
            raise InputError(f"{path}: cannot be replaced ({why.strerror}); name another") from why
        part.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        os.close(opened)
        shutil.rmtree(part, ignore_errors=True)


def make_folder(path: Path) -> None:
    """Create ``path``; InputError where it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot create this folder ({error.strerror})") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"{path}: this folder cannot be written to")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    with whole_file(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def read_json(path: Path, expected: type) -> Any:
    """Parse a JSON file that holds an ``expected`` (dict or list); a byte order mark is ignored."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        value = json.loads(text)
        if "\\u" in text:  # Only an escape can give half a character.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(f"{path}: a text holds half a character (a lone surrogate)") from None
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error})") from error
    if not isinstance(value, expected):
        raise InputError(
            f"{path}: expected a JSON {expected.__name__}, found {type(value).__name__}"
        )
    return value


def read_yaml(path: Path) -> Any:
    """Parse a YAML file of plain values; InputError where it is missing, damaged or a bomb.

    An alias may stand for a value of aliases: a few lines would be a billion values. Our files have
    none.
    """
    # Of libyaml, which is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        _check_events(path, yaml.parse(text, loader))
        return yaml.load(text, loader)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, RecursionError, OverflowError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML") from error


def _check_events(path: Path, events: Iterable[yaml.Event]) -> None:
    depth = 0
    for event in events:
        opens, closes = yaml.CollectionStartEvent, yaml.CollectionEndEvent
        depth += isinstance(event, opens) - isinstance(event, closes)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            raise InputError(f"{path}: expected YAML without aliases, up to {DEEPEST} levels deep")


def read_versioned(
    path: Path, version: int, build: Callable[[dict[str, Any]], Content], advice: str = ""
) -> Content:
    """``build`` the content of a JSON object from its fields other than ``format``.

    InputError, with ``advice``, where ``format`` is not ``version``. Messages name ``path``.
    """
    record = read_json(path, dict)
    found = record.pop("format", None)
    if found != version:
        raise InputError(f"{path}: expected format {version}, found {found!r}{advice}")
    try:
        return build(record)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def json_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The numbers and lines of a jsonl file, without byte order mark and blank lines at the end.

    A blank line between records is yielded, so that the reader reports it.
    """
    blank: list[int] = []
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(BOM) if number == 1 else line
        if not text.strip():
            blank.append(number)
            continue
        yield from ((skipped, b"") for skipped in blank)
        blank.clear()
        yield number, text


def found_below(folder: Path, pattern: str) -> list[Path]:
    """The files in ``folder`` and below, behind links too; not in hidden folders, left by kills.

    A link to a folder that the link lies in is not followed: the way down would have no end.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=True):
        here = Path(place)
        folders[:] = [each for each in folders if each[0] != "." and not _leads_up(here / each)]
        found += [here / name for name in names if name[0] != "."]
    return sorted(path for path in found if path.relative_to(folder).match(pattern))


def _leads_up(folder: Path) -> bool:
    """Whether ``folder`` is a link to one of the folders that it lies in."""
    above = (each.resolve() for each in folder.parents)
    return folder.is_symlink() and folder.resolve() in above


def num_records(path: Path) -> int:
    """The number of records in a jsonl file."""
    with path.open("rb") as file:
        return sum(1 for _ in json_lines(file))


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shipped(name: str) -> Path:
    """The folder ``name``, which lies in an installed package, or beside src/ in a checkout."""
    places = (Path(__file__).parent / name, Path(__file__).parents[2] / name)
    return next((place for place in places if place.is_dir()), places[0])


CONF, EXPERIMENTS = shipped("conf"), shipped("experiments")
