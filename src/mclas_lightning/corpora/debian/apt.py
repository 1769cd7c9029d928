"""Fetch Debian's description indexes with the machine's own apt, into a folder of our own.

apt runs with lists, cache and sources in this folder, so that the system's state stays as it is and
no root is needed. Mirror, key and proxy are those of the machine.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from mclas_lightning.corpora.debian.deb822 import Stanza
from mclas_lightning.corpora.debian.index import TRANSLATION_CODES
from mclas_lightning.corpora.debian.sources import ETC, debian_source
from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder

SUITES = ("trixie", "bookworm", "bullseye", "sid")  # by precedence of their descriptions

KEPT_FIELDS = ("signed-by", "trusted", "check-valid-until")

# `#clear` drops the machine's hooks, which would touch the system's caches. The languages stand in
# one text with commas: a list would be added to the "none" that container images set.
CONFIG = """\
#clear APT::Update;
Dir::State::lists "{cache}/lists";
Dir::Cache "{cache}/cache";
Dir::Etc::sourcelist "{cache}/deb.sources";
Dir::Etc::sourceparts "/dev/null";
Acquire::Languages "{languages}";
Acquire::GzipIndexes "false";
"""


def fetch(
    suites: Sequence[str], cache: Path, say: Callable[[str], None], etc: Path = ETC
) -> dict[str, dict[str, Path]]:
    """Suite -> language -> index file in ``cache``; ``say`` tells of suites that are left out.

    InputError without apt-get, without Debian's archive in the sources, or where no suite is found.
    """
    apt_get = shutil.which("apt-get")
    if not apt_get:
        raise InputError(
            "apt-get was not found; the debian corpus is built from Debian's package descriptions "
            "and needs a machine with apt and Debian's archive in its sources"
        )
    source = debian_source(etc)
    config = _configure(cache.resolve(), source, suites)
    say(f"apt: fetching the descriptions of {', '.join(suites)} (about 10 MB a suite)")
    complaints = _update(apt_get, config)
    found = {suite: _indexes(cache / "lists", suite) for suite in suites}
    missing = [suite for suite in suites if "en" not in found[suite]]
    if len(missing) == len(suites):
        raise InputError(f"apt could fetch none of {', '.join(suites)}: {complaints[-1]}")
    for suite in missing:
        del found[suite]
        reasons = [line for line in complaints if f" {suite} " in line or f"/{suite}/" in line]
        say(f"notice: suite '{suite}' is left out: {(reasons or complaints)[-1]}")
    if len(complaints) > 1 and not missing:
        say(f"notice: some lists may be those of an earlier build: {complaints[-1]}")
    return found


def check_suites(suites: Sequence[str]) -> None:
    """InputError for a text that cannot be the name of a suite, and for no suite."""
    for suite in suites or ("",):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", suite):
            raise InputError(f"suite '{suite}' is not a name like {', '.join(SUITES)}")


def _configure(cache: Path, source: Stanza, suites: Sequence[str]) -> Path:
    """Write sources and configuration of apt into ``cache``; the path of the configuration."""
    make_folder(cache / "lists" / "partial")
    make_folder(cache / "cache")
    fields = {
        "Types": "deb",
        "URIs": source["uris"].split()[0],
        "Suites": " ".join(suites),
        "Components": "main",
        "Targets": "Translations",  # without the lists of packages
    }
    fields |= {name: source[name] for name in KEPT_FIELDS if name in source}
    lines = (f"{name}: {value}\n" for name, value in fields.items())
    (cache / "deb.sources").write_text("".join(lines), encoding="utf-8")
    config = CONFIG.format(cache=cache, languages=",".join(TRANSLATION_CODES.values()))
    (cache / "apt.conf").write_text(config, encoding="utf-8")
    return cache / "apt.conf"


def _update(apt_get: str, config: Path) -> list[str]:
    """Run ``apt-get update``; its exit status and its lines on failures, the most telling last."""
    done = subprocess.run(
        [apt_get, "-q", "-c", str(config), "update"],
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    failures = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W: Failed"))]
    summary = f"apt-get update ended with status {done.returncode} and no such descriptions"
    return [summary, *(line for line in failures if "Some index files" not in line)]


def _indexes(lists: Path, suite: str) -> dict[str, Path]:
    """Language -> index file of ``suite``; apt writes %5f for the underscore of a name."""
    found = {}
    for language, code in TRANSLATION_CODES.items():
        name = f"*_dists_{suite}_main_i18n_Translation-{code.replace('_', '%5f')}"
        for path in lists.glob(name):
            found[language] = path
    return found
