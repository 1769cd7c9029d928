"""docs/architecture.md shows the tree and the layers as they are."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.test_layers import ORDER

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.M)[0]


def tree() -> list[Path]:
    """Paths of the section Files, where two spaces more are one folder deeper."""
    paths, folders = [], {0: Path()}
    for indent, name in re.findall(r"^    ( *)([\w./-]+)  +\S", section("Files"), re.M):
        path = folders[len(indent)] / name
        paths.append(path)
        if name.endswith("/"):
            folders[len(indent) + 2] = path
    return paths


PATHS = tree()
# A folder that has entries has all of them; another one stands for what lies in it.
OPEN = sorted({path.parent for path in PATHS} - {Path()})


def entries(folder: Path) -> set[str]:
    """Folders, modules, pages and configurations; a package's line is that of its __init__.py."""
    return {
        path.name
        for path in (ROOT / folder).iterdir()
        if path.name[0] not in "._" and (path.is_dir() or path.suffix in {".py", ".md", ".yaml"})
    }


def test_a_path_is_named_once():
    assert [path for path, count in Counter(PATHS).items() if count > 1] == []


@pytest.mark.parametrize("folder", OPEN, ids=str)
def test_a_folder_of_the_tree_has_the_entries_of_the_real_one(folder):
    if folder != Path("src"):
        assert {path.name for path in PATHS if path.parent == folder} == entries(folder)


def test_every_module_of_the_package_is_named():
    modules = {
        path.relative_to(ROOT)
        for path in (ROOT / "src").rglob("*.py")
        if path.name != "__init__.py"
    }
    assert modules == {path for path in PATHS if path.parts[0] == "src" and path.suffix == ".py"}


def test_layers_are_those_that_imports_are_tested_with():
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", section("Layers"), re.M)
    assert [int(number) for number, _ in rows] == list(range(len(ORDER)))
    assert [tuple(re.findall(r"`(\w+)`", names)) for _, names in rows] == list(ORDER)


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=str)
def test_files_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8").split("\n## Files\n")[0]
    for name in re.findall(r"`((?:[\w.-]+/)*\w+\.py)`", text):
        assert any((ROOT / place / name).exists() for place in ("", "src/mclas_lightning")), name
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target
