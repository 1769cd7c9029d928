"""Licences and hashes of what we depend on; ``make audit`` adds known vulnerabilities."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.audit import LOCK, NAMED, is_permissive, needed, other_licences, pins, unlike_lock


def test_what_we_depend_on_has_permissive_licences():
    assert {"torch", "numpy", "certifi", "pytest"} <= needed().keys()
    assert list(other_licences()) == []


@pytest.mark.parametrize(
    ("said", "permissive"),
    [
        *(("MIT", True), ("GPL-3.0-only AND (MIT OR ISC)", False), ("BSD License", True)),
        *(("GPL-3.0", False), ("MIT AND LGPL-2.1", False), ("GPL-2.0 OR MIT", True)),
        *(("none", False), ("MPL-2.0", False), ("Apache-2.0 WITH LLVM-exception", True)),
    ],
)
def test_a_licence_is_permissive_where_all_its_parts_are(said, permissive):
    assert is_permissive(said) is permissive


def test_the_lock_file_has_a_hash_of_every_package_and_names_no_server():
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(pins(LOCK)) > 50
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.split()[0]
    assert "://" not in text
    assert not [line for line in unlike_lock() if "constraints.txt" in line]


def test_every_package_installs_on_the_first_release_of_each_python():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    named = [line.rpartition(" :: ")[2] for line in project["project"]["classifiers"]]
    pythons = [f"{version}.0" for version in named if re.fullmatch(r"3\.\d+", version)]
    assert len(pythons) >= 3
    refuse = {
        f"{each.name} {each.version}: {asked}"
        for each in distributions()
        for asked in each.metadata.get_all("Requires-Python") or ()
        if not all(version in SpecifierSet(asked) for version in pythons)
    }
    assert refuse == set()


def test_exceptions_are_of_packages_that_are_needed():
    installed = needed().keys() | {"docutils"}  # of the documentation
    assert NAMED.keys() <= installed
