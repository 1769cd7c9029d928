"""Faults, and what must be true after each of them.

A fault meets a command in a copy of a prepared folder. Afterwards

- the command has succeeded, was killed, or has named what is wrong in one line;
- each file is whole, and finished results are the old ones or those of an undisturbed command;
- the same command, started again without the fault, ends with the files of an undisturbed one.
"""

import csv
import errno
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from mclas_lightning.model.checkpoint import load_checkpoint
from tests.faults.commands import COMMANDS, FIRST, prepare
from tests.faults.processes import Ended, Running, on_operations

# Times and the state of this checkout; all else is equal to the last bit.
VOLATILE = re.compile(
    r'"(started|seconds|git_\w+|environment\.json|training\.json|content_sha256)": .*\n? *'
    r"|\d{4}-\d\d-\d\d \d\d:\d\d"
)

# Locks, logs that grow line by line, and kept changes of the code.
NO_RESULTS = ("*.lock", "lock", "lock.json", "log.txt", "code-*.diff", "failure.json")

READ: Mapping[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(path.read_bytes()),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_bytes().splitlines()],
    ".yaml": lambda path: dict(yaml.safe_load(path.read_text())),
    ".ckpt": load_checkpoint,
    ".npy": np.load,
    ".npz": lambda path: {**np.load(path)},
    ".arrow": lambda path: pa.ipc.open_stream(path.read_bytes()).read_all(),
    ".csv": lambda path: len({*map(len, csv.reader(path.read_text().splitlines()))}) == 1 or 1 / 0,
}


class Trial:
    """The commands' undisturbed results, and copies of a prepared folder for faults."""

    def __init__(self, folder: Path, seed: int, with_run: bool) -> None:
        self.folder, self.random, self._numbers = folder, random.Random(seed), count()
        self.before = folder / "before"
        self.before.mkdir(parents=True)
        prepare(self.before)
        if with_run:
            made = Running(FIRST, self.before).end()
            assert made.code == 0, made.printed
        self._undisturbed: dict[str, tuple[dict[str, bytes], Ended, int]] = {}

    def place(self) -> Path:
        """A new copy of the prepared folder."""
        place = self.folder / f"try-{next(self._numbers)}"
        shutil.copytree(self.before, place)
        return place

    def undisturbed(self, name: str) -> tuple[dict[str, bytes], Ended, int]:
        """Results, end and number of operations of a command that meets no fault."""
        if name not in self._undisturbed:
            place = self.place()
            counted = self.folder / "operations"
            ended = Running(
                COMMANDS[name].run, place, lambda: on_operations(lambda n, _: note(counted, n))
            ).end()
            assert ended.code == 0, ended.printed
            self._undisturbed[name] = results(place), ended, counted.stat().st_size
            shutil.rmtree(place)
            counted.unlink()
        return self._undisturbed[name]

    def check(self, name: str, place: Path, ended: Ended) -> list[str]:
        """What is not as it must be, after a fault and after the next start."""
        whole, _, _ = self.undisturbed(name)
        wrong = [] if ended.clean else [f"exit code {ended.code}: {ended.printed[-500:]}"]
        wrong += self.changed(whole, place)
        return wrong + self.after_next_start(name, place)

    def changed(self, whole: Mapping[str, bytes], place: Path) -> list[str]:
        """Half files, and results that are neither the old ones nor the new ones."""
        old, now = results(self.before), results(place)
        wrong = [f"{file}: is lost" for file in old.keys() - now.keys()]
        for file in old.keys() & now.keys():
            if now[file] not in (old[file], whole[file]):
                wrong.append(f"{file}: has changed")
        return wrong + [f"{path.relative_to(place)}: is a half file" for path in half_files(place)]

    def after_next_start(self, name: str, place: Path) -> list[str]:
        """What the next start leaves otherwise than an undisturbed command."""
        whole, _, _ = self.undisturbed(name)
        again = Running(COMMANDS[name].run, place).end()
        if again.code:
            return [f"next start: exit code {again.code}: {again.printed[-500:]}"]
        now = results(place)
        return [
            f"after the next start: {file}: {'is missing' if file not in now else 'differs'}"
            for file in whole
            if now.get(file) != whole[file]
        ]


def note(path: Path, number: int) -> None:
    """Make ``path`` ``number`` bytes long."""
    path.touch()
    os.truncate(path, number)


def results(place: Path) -> dict[str, bytes]:
    """The content of each file below ``place`` that is not hidden, without times."""
    found: dict[str, bytes] = {}
    for path in files(place):
        content = path.read_bytes()
        if path.suffix in (".json", ".html", ".yaml"):
            content = VOLATILE.sub("", content.decode()).encode()
        found[path.relative_to(place).as_posix()] = content
    return found


def files(place: Path) -> list[Path]:
    """The files below ``place`` that stand under their final name."""
    found = (path for path in sorted(place.rglob("*")) if path.is_file())
    return [
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(place).parts)
        and not any(path.match(pattern) for pattern in NO_RESULTS)
    ]


def half_files(place: Path) -> Iterator[Path]:
    """The files below ``place`` that cannot be read to their end."""
    for path in files(place):
        # Translations grow line by line, and a torn last line is cut off.
        if path.name.endswith(".scored.jsonl"):
            continue
        try:
            READ.get(path.suffix, Path.read_bytes)(path)
        except Exception:
            yield path


# ---- faults: each yields (what, problems) of every try


def killed(trial: Trial, name: str, times: int) -> Iterator[tuple[str, list[str]]]:
    """SIGKILL, by turns after a random time and before a random operation on a file."""
    _, ended, operations = trial.undisturbed(name)
    for number in range(times):
        place, run = trial.place(), COMMANDS[name].run
        if number % 2:
            seconds = trial.random.uniform(0, ended.seconds)
            what = f"killed after {seconds:.2f} s"
            found = Running(run, place).end(seconds)
        else:
            at = trial.random.randint(1, operations)
            what = f"killed before operation {at} of {operations}"
            found = Running(run, place, lambda at=at: before(at, kill)).end()
        yield what, trial.check(name, place, found)


def vanished(trial: Trial, name: str, times: int) -> Iterator[tuple[str, list[str]]]:
    """The folder that a file is about to be written into is deleted or renamed."""
    _, _, operations = trial.undisturbed(name)
    for number in range(times):
        place, act = trial.place(), (delete, rename)[number % 2]
        at = trial.random.randint(1, operations)
        ended = Running(COMMANDS[name].run, place, lambda at=at, act=act: before(at, act)).end()
        wrong = [] if ended.clean else [f"exit code {ended.code}: {ended.printed[-500:]}"]
        wrong += [f"{path.relative_to(place)}: is a half file" for path in half_files(place)]
        shutil.copytree(trial.before, place, dirs_exist_ok=True)  # What the fault has taken.
        again = trial.after_next_start(name, place)
        # Weights that were taken after the training had ended are not made again silently.
        wrong += [one for one in again if "best.ckpt: no such checkpoint; bring it" not in one]
        yield f"folder {act.__name__}d before operation {at} of {operations}", wrong


def full(trial: Trial, name: str, times: int) -> Iterator[tuple[str, list[str]]]:
    """A disk of random free room, which has enough at the next start."""
    whole, _, _ = trial.undisturbed(name)
    used, needed = size(trial.before), sum(map(len, whole.values()))
    for _ in range(times):
        free = trial.random.randrange(max(1, needed - used) * 2 // 4096 + 1) * 4096
        with disk(trial) as place:
            remount(place, f"size={used + free}")
            ended = Running(COMMANDS[name].run, place).end()
            remount(place, "size=256m")
            yield f"{free:,} free bytes", trial.check(name, place, ended)


def read_only(trial: Trial, name: str, _: int) -> Iterator[tuple[str, list[str]]]:
    """A disk that is read-only, and writable at the next start."""
    with disk(trial) as place:
        remount(place, "ro")
        ended = Running(COMMANDS[name].run, place).end()
        remount(place, "rw")
        named = [] if ended.code else ["succeeds where nothing can be written"]
        yield "read-only", named + trial.check(name, place, ended)


def damaged(trial: Trial, name: str, _: int) -> Iterator[tuple[str, list[str]]]:
    """A file before the command is emptied, cut in half, or has one other byte."""
    whole = trial.undisturbed(name)[0]
    paths = [p for pattern in COMMANDS[name].damaged for p in sorted(trial.before.glob(pattern))]
    for path in paths:
        for damage in (emptied, cut, flipped):
            if damage is flipped and path.suffix == ".json" and path.parent.name == "seed=0":
                continue  # A number that was edited is found by ``mclas verify``.
            place, file = trial.place(), path.relative_to(trial.before)
            content = damage(path.read_bytes())
            (place / file).write_bytes(content)
            ended = Running(COMMANDS[name].run, place).end()
            wrong = [] if ended.clean else [f"exit code {ended.code}: {ended.printed[-500:]}"]
            now = results(place)
            if ended.code == 0 and file.name not in ended.printed:
                wrong += [f"{f}: differs, silently" for f in whole if now.get(f) != whole[f]]
            yield f"{file} {damage.__name__}", wrong


def clock_back(trial: Trial, name: str, _: int) -> Iterator[tuple[str, list[str]]]:
    """A clock that goes back by a day at every operation on a file."""
    place = trial.place()
    ended = Running(COMMANDS[name].run, place, run_clock_backwards).end()
    yield "clock runs backwards", trial.check(name, place, ended)


def two_at_once(trial: Trial, name: str, times: int) -> Iterator[tuple[str, list[str]]]:
    """Two processes in the same folder, of which one may be refused."""
    _, undisturbed, _ = trial.undisturbed(name)
    for _ in range(times):
        place, later = trial.place(), trial.random.uniform(0, undisturbed.seconds)
        first = Running(COMMANDS[name].run, place)
        time.sleep(later)
        second = Running(COMMANDS[name].run, place, log=place.with_suffix(".second"))
        ended = first.end(), second.end()
        wrong = [f"exit code {e.code}: {e.printed[-500:]}" for e in ended if not e.clean]
        if all(e.code for e in ended):
            wrong.append("neither has succeeded")
        what = f"two processes, {later:.2f} s apart, {[e.code for e in ended]}"
        yield what, wrong + trial.check(name, place, ended[0])


def no_locks(trial: Trial, name: str, _: int) -> Iterator[tuple[str, list[str]]]:
    """A file system without locks."""
    for error in (errno.ENOLCK, errno.ENOSYS):
        place = trial.place()
        ended = Running(COMMANDS[name].run, place, lambda error=error: without_locks(error)).end()
        wrong = [] if ended.code == 0 else [f"exit code {ended.code}: {ended.printed[-500:]}"]
        yield f"no locks ({errno.errorcode[error]})", wrong + trial.check(name, place, ended)


FAULTS: dict[str, Callable[[Trial, str, int], Iterator[tuple[str, list[str]]]]] = {
    "killed": killed,
    "folder vanished": vanished,
    "disk full": full,
    "read-only": read_only,
    "damaged": damaged,
    "clock back": clock_back,
    "two at once": two_at_once,
    "no locks": no_locks,
}

NEED_MOUNTS = ("disk full", "read-only")


# ---- what a fault does inside the command's process


def before(number: int, act: Callable[[Path], object]) -> None:
    """Call ``act`` before the operation of this number."""
    on_operations(lambda seen, path: act(path) if seen == number else None)


def kill(path: Path) -> None:
    """SIGKILL to this process and its children."""
    os.killpg(0, signal.SIGKILL)


def delete(path: Path) -> None:
    """Delete the folder that holds ``path``, unless it is the current one."""
    if path.parent != Path.cwd():
        shutil.rmtree(path.parent, ignore_errors=True)


def rename(path: Path) -> None:
    """Rename the folder that holds ``path``, unless it is the current one."""
    if path.parent.exists() and path.parent != Path.cwd():
        path.parent.rename(path.parent.with_name(f".{path.parent.name}.moved"))


def run_clock_backwards() -> None:
    """Make each file older than the one that was written before it."""
    written: list[Path] = []
    now = time.time()

    def act(number: int, path: Path) -> None:
        for before, older in zip(written, count(), strict=False):
            if before.exists():
                os.utime(before, (now - 86400 * older, now - 86400 * older))
        if path not in written:
            written.append(path)

    on_operations(act)
    time.time = lambda: now - 86400 * len(written)


def without_locks(error: int) -> None:
    """Let each lock fail as on a file system that has none."""

    def lock(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    fcntl.lockf = fcntl.flock = lock


# ---- disks and damage


@contextmanager
def disk(trial: Trial) -> Iterator[Path]:
    """A copy of the prepared folder on a file system of its own."""
    place = trial.place()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", place], check=True)
    try:
        shutil.copytree(trial.before, place, dirs_exist_ok=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def remount(place: Path, option: str) -> None:
    """Change a size, or whether it can be written to."""
    subprocess.run(["mount", "-o", f"remount,{option}", place], check=True)


def can_mount() -> bool:
    """Whether this process may mount a file system."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def size(place: Path) -> int:
    """The bytes of all files, in whole pages."""
    return sum(-(-p.stat().st_size // 4096) * 4096 for p in place.rglob("*") if p.is_file())


def emptied(content: bytes) -> bytes:
    """Nothing."""
    return b""


def cut(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """Another byte in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
