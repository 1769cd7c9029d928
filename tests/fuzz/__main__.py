"""``make fuzz``: many damaged files for each reader.

Where atheris is installed, files are changed by what code they reach; elsewhere by chance, as in
the tests. A reader runs in a process of its own, with bounded memory and time for each file.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOUND = Path("build/fuzz")  # where files that a reader stumbles over are kept

# Files lie in memory: a disk is slower than the readers.
MEMORY = Path("/dev/shm")

MEGABYTES = 4000  # of memory, most of which torch and transformers take

SECONDS = 20  # for one file


def main() -> None:
    """Fuzz the named readers, or all; exit 1 where one stumbles."""
    command = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    command.add_argument("names", nargs="*", metavar="READER", help="of tests/fuzz/readers.py")
    command.add_argument("--runs", type=int, default=100_000, help="files for each (100,000)")
    command.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = command.parse_args()
    if asked.one:
        fuzz(asked.names[0], asked.runs)
        return
    from tests.fuzz.readers import readers

    guided = importlib.util.find_spec("atheris") is not None
    print("by coverage, with atheris" if guided else "by chance: atheris is not installed")
    FOUND.mkdir(parents=True, exist_ok=True)
    failed = [name for name in asked.names or readers() if not run(name, asked.runs)]
    sys.exit(f"files are in {FOUND}: {', '.join(failed)}" if failed else 0)


def run(name: str, runs: int) -> bool:
    """Whether a reader has read all files, or named what is wrong with them."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", "--one", "--runs", str(runs), name]
    # libFuzzer ends its process without Python's exit, which would remove a folder of its own.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace",
            env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
    seconds = time.monotonic() - begun
    print(f"  {name}: {'ok' if done.returncode == 0 else 'FAILED'}, {runs:,} in {seconds:.0f} s")
    if done.returncode:
        print("    " + "\n    ".join((done.stdout + done.stderr).splitlines()[-25:]), flush=True)
    return done.returncode == 0


def fuzz(name: str, runs: int) -> None:
    """Give a reader ``runs`` files."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        import atheris  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        by_chance(name, runs, folder)
        return
    with atheris.instrument_imports(include=["mclas_lightning"]):  # pyright: ignore
        from tests.fuzz.harness import BOMBS, check
        from tests.fuzz.readers import readers
    reader, seeds = readers()[name], folder / "seeds"
    seeds.mkdir()
    for number, content in enumerate((reader.valid, *BOMBS)):
        (seeds / str(number)).write_bytes(content)
    limits = [f"-runs={runs}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}"]
    places = [f"-artifact_prefix={FOUND}/{name.replace(' ', '_')}-", str(seeds)]
    atheris.Setup([sys.argv[0], *limits, *places], lambda data: check(reader, folder / "a", data))
    atheris.Fuzz()


def by_chance(name: str, runs: int, folder: Path) -> None:
    """As the test does, with more files."""
    from hypothesis import given, settings

    from tests.fuzz.harness import CHECKS, check, damaged
    from tests.fuzz.readers import readers

    reader = readers()[name]
    way = settings(max_examples=runs, database=None, deadline=None, suppress_health_check=CHECKS)
    way(given(damaged(reader.valid))(lambda content: check(reader, folder / "a", content)))()


if __name__ == "__main__":
    main()
