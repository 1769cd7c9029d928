"""``make audit``: known vulnerabilities of what we depend on, its licences, and the lock file.

What cannot be reached offline is skipped, and said. The exit code is 1 where something is found.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

LOCK = ROOT / "requirements.lock"

OURS = "mclas-lightning"

EXTRAS = ("dev", "dashboard", "slurm", "tensorboard", "translation")

# Parts of the names of permissive licences, in the three ways that packages name them.
PERMISSIVE = re.compile(
    r"Apache|MIT|BSD|ISC|PSF|Python Software Foundation|Zlib|CNRI|BSL-1.0|CC0|Unlicense|LLVM|HPND",
    re.IGNORECASE,
)

# Licences that bind the files of the package alone, which we neither change nor pass on.
NAMED = {
    "certifi": "MPL-2.0: a list of certificates",
    "orjson": "MPL-2.0 AND (Apache-2.0 OR MIT): the app alone",
    "tqdm": "MPL-2.0 AND MIT: progress bars",
    "hypothesis": "MPL-2.0: tests alone",
    "docutils": "public domain and BSD, one file GPL: documentation alone",
}


def needed(extras: tuple[str, ...] = EXTRAS) -> dict[str, Distribution]:
    """The installed packages that ours needs, directly or not."""
    found: dict[str, Distribution] = {}
    todo = [(OURS, extra) for extra in ("", *extras)]
    seen = set(todo)
    while todo:
        name, extra = todo.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system, or an extra that is not installed
            continue
        found[canonicalize_name(name)] = package
        for one in map(Requirement, package.requires or []):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                more = [(one.name, each) for each in ("", *one.extras)]
                todo += [each for each in more if each not in seen]
                seen |= set(more)
    del found[OURS]
    return found


def licence(package: Distribution) -> str:
    """What a package says of its licence: the expression, or classifiers, or the first line."""
    about = cast(Message, package.metadata)
    if said := about.get("License-Expression"):
        return said
    classifiers = [
        line.split("::")[-1].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License") and not line.endswith("OSI Approved")
    ]
    return " AND ".join(classifiers) or (about.get("License") or "none").strip().split("\n")[0]


def is_permissive(said: str) -> bool:
    """Whether all licences in an expression are permissive, or one of those to choose from."""
    choices = [said] if "(" in said else said.split(" OR ")
    parts = (re.split(r" AND | WITH | OR ", choice) for choice in choices)
    return any(all(map(PERMISSIVE.search, of_choice)) for of_choice in parts)


def other_licences() -> Iterator[str]:
    """Packages whose licence is neither permissive nor named above."""
    for name, package in sorted(needed().items()):
        if name not in NAMED and not is_permissive(said := licence(package)):
            yield f"{name}: licence {said}"


def pins(path: Path) -> dict[str, str]:
    """The versions that a file of requirements pins, by package."""
    lines = re.findall(r"^([\w.-]+)==([^\s;\\]+)", path.read_text(encoding="utf-8"), re.M)
    return {canonicalize_name(name): version for name, version in lines}


def unlike_lock() -> Iterator[str]:
    """Packages that the lock file lacks, or has in another version than constraints.txt."""
    locked, constrained = pins(LOCK), pins(ROOT / "constraints.txt")
    for name, version in locked.items():
        if constrained.get(name, version) != version:
            yield f"{name}: {LOCK.name} {version}, constraints.txt {constrained[name]}; make lock"
    of_tests = needed().keys() - needed(EXTRAS[1:]).keys()
    for name in sorted(needed().keys() - of_tests - locked.keys()):
        yield f"{name}: is not in {LOCK.name}; make lock"


def vulnerabilities() -> tuple[list[str], str]:
    """Known vulnerabilities of the installed packages, and why they were not looked up, if so."""
    listed = "\n".join(f"{name}=={p.version.split('+')[0]}" for name, p in needed().items())
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format=json",
               "--progress-spinner=off", "--requirement=/dev/stdin"]  # fmt: skip
    done = subprocess.run(command, input=listed, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        lines = done.stderr.strip().splitlines() or ["no answer"]
        return [], lines[-1][:200]
    found = json.loads(done.stdout)["dependencies"]
    unknown = [one["skip_reason"] for one in found if "skip_reason" in one]
    if len(unknown) == len(found):
        return [], unknown[0]
    return [
        f"{package['name']} {package['version']}: {one['id']}"
        + (f", fixed in {one['fix_versions'][0]}" if one["fix_versions"] else "")
        for package in found
        for one in package.get("vulns", [])
    ], ""


def main() -> None:
    """Print the findings of each check."""
    found, skipped = vulnerabilities()
    checks = {
        "vulnerabilities": found,
        "licences": list(other_licences()),
        "lock file": list(unlike_lock()),
    }
    for name, lines in checks.items():
        state = f"{len(lines)} found" if lines else "ok"
        if name == "vulnerabilities" and skipped:
            state = f"skipped, no database could be reached ({skipped})"
        print(f"{name}: {state}")
        print("".join(f"  {line}\n" for line in lines), end="")
    sys.exit(any(checks.values()))


if __name__ == "__main__":
    main()
