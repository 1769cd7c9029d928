"""Sphinx extension: pages that are made, pages that lie outside this folder, links between all."""

import os
import re
from pathlib import Path
from typing import Any

from site_reference import commands_page, configuration_page
from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent

MADE = {"reference/commands": commands_page, "reference/configuration": configuration_page}

# Pages of the site whose text is a file outside this folder.
OUTSIDE = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
    "study-plan": "experiments/study/plan.md",
}

# A file outside this folder -> the page that a link to it leads to.
LED = {ROOT / file: DOCS / f"{page}.md" for page, file in OUTSIDE.items()} | {
    ROOT / "README.md": DOCS / "index.md"
}

DEMO = "<!-- what the README says of the demo -->"

LATER = DOCS / "study.md"  # The study's results are a page once they are there.

LINK = re.compile(r"\[([^\[\]]*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]+)?\)")


def replace(app: Sphinx, name: str, content: list[str]) -> None:
    """Give Sphinx the text of the page ``name``, with links that lead to pages of the site."""
    if name in MADE:
        content[0] = MADE[name]()
        return
    file = ROOT / OUTSIDE.get(name, f"docs/{name}.md")
    text = file.read_text(encoding="utf-8")
    text = _linked(text, file.parent, name)
    content[0] = text.replace(DEMO, _linked(_demo(), ROOT, name)) if DEMO in text else text


def _demo() -> str:
    """What the README says of the demo."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.split("make test\n```\n")[1].split("\n## ")[0].strip()


def _linked(text: str, written_in: Path, name: str) -> str:
    """``text`` of files in ``written_in``, with the links of the page ``name``."""
    return LINK.sub(lambda link: _link(link, written_in, (DOCS / name).parent), text)


def _link(link: re.Match[str], written_in: Path, shown_in: Path) -> str:
    text, target, part = link.groups("")
    path = Path(os.path.normpath(written_in / target))
    if path == LATER and not path.exists():
        return text
    return f"[{text}]({os.path.relpath(LED.get(path, path), shown_in)}{part})"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", replace)
    return {"parallel_read_safe": True}
