"""Pages for annotators: one self-contained HTML file each, which works offline.

A page holds documents, anonymous summaries and names of items: no system's name, and nothing from
outside. Its answers come back as a CSV file with the columns of a sheet, and seconds and notes.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from mclas_lightning.files import whole_file
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import SheetKey, SheetTexts
from mclas_lightning.page_policy import rendered


def write_pages(folder: Path, mark: str = "") -> list[Path]:
    """Write ``pages/annotator<n>.html`` for every annotator of the key in ``folder``.

    ``mark`` stands behind the annotator's number, such as a word for simulated annotators.
    """
    key = SheetKey.read(folder)
    texts = SheetTexts.read(folder, key)
    interface = interface_words()
    written = []
    for annotator in key.annotators:
        content = _content(key, texts, annotator) | {"words": interface, "mark": mark}
        written.append(folder / "pages" / f"annotator{annotator}.html")
        words = {"title": interface["en"]["title"], "content": _embedded(content)}
        with whole_file(written[-1]) as file:
            file.write(rendered("mclas_lightning.human", "annotator.html", words))
    return written


def interface_words() -> dict[str, dict[str, Any]]:
    """The words of the interface, by language."""
    words = files("mclas_lightning.human").joinpath("templates", "words.yaml")
    return yaml.safe_load(words.read_text(encoding="utf-8"))


def page_items(key: SheetKey, texts: SheetTexts, annotator: int) -> list[dict[str, Any]]:
    """An annotator's items: name, document, and summaries in the order of the letters."""
    items = []
    for name, item in key.items.items():
        if item.annotator == annotator:
            mine = texts.documents[item.document]
            summaries = [mine[system].strip() or "(empty)" for system in item.order]
            items.append({"item": name, "document": mine["document"], "summaries": summaries})
    return items


def _content(key: SheetKey, texts: SheetTexts, annotator: int) -> dict[str, Any]:
    return {
        "annotator": annotator,
        "languages": texts.languages,
        "perspectives": PERSPECTIVES,
        "items": page_items(key, texts, annotator),
    }


def _embedded(content: dict[str, Any]) -> Markup:
    """JSON that cannot end the ``<script>`` it stands in, nor begin a comment in it."""
    return Markup(json.dumps(content, ensure_ascii=True).replace("<", "\\u003c"))
