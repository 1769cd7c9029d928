"""Sheets for annotators: documents with anonymous summaries, to be judged from three perspectives.

Section 5.5: 20 test documents of a scenario, three systems and the gold summary, seven annotators,
best-worst scaling. A sheet is a CSV file with one document a line. On each line of each sheet, the
systems stand in another random order under the letters A, B, ...
"""

import csv
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from string import ascii_uppercase

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_versioned, sha256, whole_folder, write_json
from mclas_lightning.human.results import GOLD, PERSPECTIVES
from mclas_lightning.runs.predictions import (
    Prediction,
    comparable_predictions,
    predictions_path,
    shared_documents,
)
from mclas_lightning.runs.results import Results, find_results
from mclas_lightning.runs.run import check_run_names
from mclas_lightning.schema import typed

KEY_FORMAT = 1

KEY_FILE, TEXTS_FILE = "key.json", "texts.json"

MOST_SYSTEMS = 9  # An annotator's keys 1 to 9 choose one.


@dataclass(frozen=True, kw_only=True)
class SheetItem:
    """One line of a sheet; ``order`` has the systems under A, B, ... in this order."""

    annotator: int
    document: str
    order: list[str]


@dataclass(frozen=True, kw_only=True)
class SheetKey:
    """The key of a folder of sheets: the systems behind letters; ``seed`` drew the documents."""

    dataset: str
    scenario: str
    seed: int
    systems: list[str]
    items: dict[str, SheetItem]
    provenance: dict

    def __post_init__(self) -> None:
        for system in self.systems:
            check_run_names(self.dataset, self.scenario, system)
        others = {*self.systems} - {"document"}  # texts.json has the document under this name
        if not 2 <= len(others) == len(self.systems) <= MOST_SYSTEMS:
            raise InputError(
                f"systems: expected 2 to {MOST_SYSTEMS}, each once and none called document, found "
                f"{', '.join(self.systems)}"
            )
        for name, item in self.items.items():
            if sorted(item.order) != sorted(self.systems):
                raise InputError(f"the order of item {name} is not one of all systems")
        judged = [(item.annotator, item.document) for item in self.items.values()]
        documents = {document for _, document in judged}
        if sorted(judged) != sorted(product(self.annotators, documents)):
            raise InputError("items: expected one item for each annotator and document")

    def write(self, folder: Path) -> None:
        """Write ``key.json`` into the sheets' folder."""
        write_json(folder / KEY_FILE, {"format": KEY_FORMAT} | asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "SheetKey":
        """Read the key of a folder of sheets; InputError where it is missing or wrong."""
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder that `mclas human sheet` made")
        return read_versioned(folder / KEY_FILE, KEY_FORMAT, lambda found: typed("key", cls, found))

    @property
    def annotators(self) -> list[int]:
        """The numbers of all annotators."""
        return sorted({item.annotator for item in self.items.values()})


# One document's text under "document", and its summaries under the systems' names.
DocumentTexts = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class SheetTexts:
    """The texts of a folder of sheets, as the runs wrote them; ``documents`` is by their ids."""

    languages: dict[str, str | None]
    documents: dict[str, DocumentTexts]

    def write(self, folder: Path) -> None:
        """Write ``texts.json`` into the sheets' folder."""
        write_json(folder / TEXTS_FILE, {"format": KEY_FORMAT} | asdict(self))

    @classmethod
    def read(cls, folder: Path, key: SheetKey) -> "SheetTexts":
        """Read the texts of a folder of sheets; InputError where one of the key is missing."""
        path = folder / TEXTS_FILE
        texts = read_versioned(path, KEY_FORMAT, lambda found: typed("texts", cls, found))
        for item in key.items.values():
            if not {"document", *key.systems} <= texts.documents.get(item.document, {}).keys():
                raise InputError(f"{path}: lacks texts of document '{item.document}'")
        return texts


BEST_WORST = ("best", "worst")

CHOICE_COLUMNS = [f"{perspective}_{end}" for perspective in PERSPECTIVES for end in BEST_WORST]

INSTRUCTIONS = """\
Each line of your sheet has a document and its summaries A to {last}. Compare the summaries from
three perspectives, each on its own:

  informativeness   it holds the important information of the document
  conciseness       it holds nothing else, and nothing twice
  fluency           it reads as if a person had written it well

Write the letter of the best summary into the column that ends in _best, the letter of the worst
into the one that ends in _worst. Fill in all six columns of every line. Best and worst are
different letters: where summaries seem equal, choose one of them. Which system stands under which
letter differs from line to line.

Change nothing else, and save the sheet as CSV (UTF-8).
"""


def first_runs(runs: Path, dataset: str, scenario: str, models: Sequence[str]) -> list[Results]:
    """The lowest seed of each model; InputError where a model has no run or is named twice."""
    if len(set(models)) < len(models):
        raise InputError(f"--models: expected each model once, found {','.join(models)}")
    chosen: dict[str, Results] = {}
    for model in models:
        mine = find_results(runs, dataset, scenario, model)
        if not mine:
            place = runs / dataset / scenario / model
            raise InputError(f"{place}: no finished run here; mclas-train makes one")
        chosen[model] = min(mine, key=lambda run: run.seed)
    return list(chosen.values())


def write_sheets(
    runs: Sequence[Results], out: Path, num: int, seed: int, annotators: int
) -> SheetKey:
    """Write sheets, instructions and key for ``num`` documents; ``runs`` has one run a model."""
    if out.exists():
        raise InputError(f"{out}: is already there; choose a new folder for the sheets")
    texts = _sample(runs, num, seed)
    origin = {
        run.model: {"seed": run.seed, "predictions_sha256": sha256(predictions_path(run))}
        for run in runs
    }
    systems = [*origin, GOLD]
    key = SheetKey(
        dataset=runs[0].dataset,
        scenario=runs[0].scenario,
        seed=seed,
        systems=systems,
        items={
            name: SheetItem(annotator=annotator, document=id, order=_shuffled(systems, name))
            for annotator in range(1, annotators + 1)
            for name, id in zip(_names(origin, seed, annotator, texts), texts, strict=True)
        },
        provenance={"runs": origin},
    )
    with whole_folder(out) as folder:
        for annotator in range(1, annotators + 1):
            _write_sheet(folder / f"annotator{annotator}.csv", key, annotator, texts)
        instructions = INSTRUCTIONS.format(last=ascii_uppercase[len(systems) - 1])
        (folder / "instructions.txt").write_text(instructions, encoding="utf-8")
        key.write(folder)
        SheetTexts(languages=runs[0].languages, documents=texts).write(folder)
    return key


def _sample(runs: Sequence[Results], num: int, seed: int) -> dict[str, DocumentTexts]:
    """The texts of ``num`` documents that all runs share, drawn by ``seed``.

    InputError where a run's predictions changed after scoring or are of another test set.
    """
    found = comparable_predictions({run.model: run for run in runs})
    if found.aside:
        raise InputError("; ".join(found.aside))
    written = found.systems
    ids = shared_documents(written, seed)
    if len(ids) < num:
        raise InputError(f"expected {num} documents, but {', '.join(written)} share {len(ids)}")
    return {id: _texts({m: mine[id] for m, mine in written.items()}) for id in ids[:num]}


def _texts(found: Mapping[str, Prediction]) -> DocumentTexts:
    """A document, its cross summary by each system, and its reference."""
    for model, prediction in found.items():
        if "cross" not in prediction.hypotheses or "cross" not in prediction.references:
            raise InputError(f"model '{model}' writes no cross-lingual summaries")
    one = next(iter(found.values()))
    summaries = {model: prediction.hypotheses["cross"] for model, prediction in found.items()}
    return {"document": one.document, **summaries, GOLD: one.references["cross"]}


def _names(
    origin: Mapping[str, object], seed: int, annotator: int, ids: Iterable[str]
) -> Iterator[str]:
    """Names that no other sheet has; the first letter keeps spreadsheets from seeing numbers."""
    content = json.dumps([origin, seed, annotator, *ids]).encode()
    sheet = f"s{hashlib.sha256(content).hexdigest()[:8]}"
    return (f"{sheet}-{number}" for number, _ in enumerate(ids, start=1))


def _shuffled(systems: Sequence[str], item: str) -> list[str]:
    return random.Random(item).sample(systems, len(systems))


def _write_sheet(
    path: Path, key: SheetKey, annotator: int, texts: Mapping[str, DocumentTexts]
) -> None:
    # The byte order mark tells spreadsheets that the file is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        letters = ascii_uppercase[: len(key.systems)]
        rows = csv.DictWriter(file, ["item", "document", *letters, *CHOICE_COLUMNS])
        rows.writeheader()
        for name, item in key.items.items():
            if item.annotator == annotator:
                rows.writerow({"item": name, **text_cells(item, texts)})


def text_cells(item: SheetItem, texts: Mapping[str, DocumentTexts]) -> dict[str, str]:
    """The cells of a line that annotators read, by column: the document, and A, B, ..."""
    mine = texts[item.document]
    shown = (mine["document"], *(mine[system] for system in item.order))
    columns = ("document", *ascii_uppercase[: len(item.order)])
    return dict(zip(columns, map(text_cell, shown), strict=True))


def text_cell(text: str) -> str:
    """``text`` in one line, with an apostrophe where a spreadsheet would see a formula."""
    text = " ".join(text.split()) or "(empty)"
    return f"'{text}" if text[0] in "=+-@" else text
