"""Tasks for Label Studio and Potato, and answers that were given there.

The answers become ``annotator<n>-answers.csv``, as a page's. A task's choices are named by the
columns of a sheet, ``informativeness_best`` and so on, and their values are letters.
"""

import csv
import json
import math
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

import yaml

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json, whole_file, write_json
from mclas_lightning.human.page import interface_words, page_items
from mclas_lightning.human.sheet import CHOICE_COLUMNS, KEY_FILE, SheetKey, SheetTexts

POTATO_STATE = "user_state.json"


class ForeignAnswer(NamedTuple):
    """An item's choices by column, and seconds where the tool measured them."""

    where: str
    item: str
    choices: dict[str, str]
    seconds: float | None


def write_tasks(folder: Path, tool: str) -> Path:
    """Write tasks for all annotators and the tool's configuration, into a folder of its name."""
    key = SheetKey.read(folder)
    texts = SheetTexts.read(folder, key)
    out, letters = folder / tool, ascii_uppercase[: len(key.systems)]
    for annotator in key.annotators:
        tasks = [_task(item) for item in page_items(key, texts, annotator)]
        if tool == "potato":
            _write_potato(out / f"annotator{annotator}", annotator, tasks, letters)
        else:
            write_json(out / f"annotator{annotator}.json", [{"data": task} for task in tasks])
    if tool == "label-studio":
        with whole_file(out / "config.xml") as file:
            file.write(_label_studio_config(letters))
    return out


def _task(item: dict[str, Any]) -> dict[str, str]:
    lettered = dict(zip(ascii_uppercase, item["summaries"], strict=False))
    return {"item": item["item"], "document": item["document"], **lettered}


def _question(column: str) -> str:
    words = interface_words()["en"]
    perspective, end = column.split("_")
    return f"{words[perspective]}: {words[end]}. {words[f'{perspective}_hint']}"


def _label_studio_config(letters: str) -> str:
    view = xml.Element("View")
    for name in ("document", *letters):
        xml.SubElement(view, "Header", value=name.capitalize())
        xml.SubElement(view, "Text", name=name, value=f"${name}")
    for column in CHOICE_COLUMNS:
        xml.SubElement(view, "Header", value=_question(column))
        choices = xml.SubElement(
            view, "Choices", name=column, toName="document", choice="single-radio",
            showInline="true", required="true",
        )  # fmt: skip
        for letter in letters:
            xml.SubElement(choices, "Choice", value=letter)
    xml.indent(view)
    return xml.tostring(view, encoding="unicode") + "\n"


def _write_potato(out: Path, annotator: int, tasks: list[dict[str, str]], letters: str) -> None:
    """A project of one annotator: the order of the summaries is theirs alone."""
    config = {
        "annotation_task_name": f"Summaries, annotator {annotator}",
        "task_dir": ".",
        "data_files": ["tasks.jsonl"],
        "output_annotation_dir": "annotation_output",
        "item_properties": {"id_key": "item", "text_key": "document"},
        "user_config": {"allow_all_users": True},
        "instance_display": {
            "fields": [
                {"key": name, "type": "text", "label": name.capitalize()}
                for name in ("document", *letters)
            ]
        },
        "annotation_schemes": [
            {
                "annotation_type": "radio",
                "name": column,
                "description": _question(column),
                "labels": list(letters),
                "horizontal": True,
                "label_requirement": {"required": True},
            }
            for column in CHOICE_COLUMNS
        ],
    }
    with whole_file(out / "tasks.jsonl") as file:
        file.writelines(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks)
    with whole_file(out / "config.yaml") as file:
        yaml.safe_dump(config, file, allow_unicode=True, sort_keys=False)


def import_answers(folder: Path, path: Path) -> list[Path]:
    """Write the answers in an export of Label Studio, or of Potato, into a folder of sheets.

    ``path`` is Label Studio's JSON, or a ``user_state.json`` of Potato, or a folder of these.
    InputError for an item of another folder, and where an annotator's answers are there already.
    """
    key = SheetKey.read(folder)
    answers = [one for one in _read(path) if one.choices]
    if not answers:
        raise InputError(f"{path}: expected answers to the tasks of {folder}, found none")
    answered: dict[str, str] = {}
    for one in answers:
        _check_answer(one, key, folder)
        if one.item in answered:
            raise InputError(
                f"{one.where}: item '{one.item}' was already answered in {answered[one.item]}; "
                "keep one of the two answers"
            )
        answered[one.item] = one.where

    def annotator(one: ForeignAnswer) -> int:
        return key.items[one.item].annotator

    files = {
        folder / f"annotator{number}-answers.csv": list(mine)
        for number, mine in groupby(sorted(answers, key=annotator), key=annotator)
    }
    for out in files:
        if out.exists():
            raise InputError(f"{out}: is already there; move it away to import these answers")
    for out, mine in files.items():
        _write_answers(out, mine)
    return list(files)


def _check_answer(one: ForeignAnswer, key: SheetKey, folder: Path) -> None:
    if one.item not in key.items:
        raise InputError(f"{one.where}: item '{one.item}' is not one of {folder / KEY_FILE}")
    letters = ascii_uppercase[: len(key.items[one.item].order)]
    for column, letter in one.choices.items():
        if letter not in [*letters]:
            raise InputError(
                f"{one.where}: the answer to '{column}' is '{letter}'; "
                f"expected one of {', '.join(letters)}"
            )
    timed = isinstance(one.seconds, int | float) and 0 <= one.seconds < math.inf
    if one.seconds is not None and not timed:
        raise InputError(f"{one.where}: lead_time: expected seconds, found {one.seconds!r}")


def _write_answers(path: Path, answers: list[ForeignAnswer]) -> None:
    with whole_file(path) as file:
        rows = csv.DictWriter(file, ["item", *CHOICE_COLUMNS, "seconds"], lineterminator="\n")
        rows.writeheader()
        for one in answers:
            rows.writerow({"item": one.item, **one.choices, "seconds": one.seconds})


def _read(path: Path) -> Iterator[ForeignAnswer]:
    if path.is_dir():
        states = sorted(path.rglob(POTATO_STATE))
        if not states:
            raise InputError(f"{path}: no {POTATO_STATE} of Potato is here")
        for state in states:
            yield from _read_potato(state)
    elif path.name == POTATO_STATE:
        yield from _read_potato(path)
    else:
        yield from _read_label_studio(path)


def _read_label_studio(path: Path) -> Iterator[ForeignAnswer]:
    for number, task in enumerate(read_json(path, list), start=1):
        where = f"{path}: task {number}"
        try:
            item = str(task["data"]["item"])
            for annotation in task["annotations"]:
                if not annotation.get("was_cancelled"):
                    chosen = [
                        (one["from_name"], one["value"]["choices"])
                        for one in annotation["result"]
                        if one["from_name"] in CHOICE_COLUMNS  # A project may ask for more.
                    ]
                    yield ForeignAnswer(
                        where, item, _single(where, chosen), annotation.get("lead_time")
                    )
        except (KeyError, TypeError, AttributeError):
            raise InputError(
                f"{where}: not Label Studio's JSON export of the tasks of `mclas human export`"
            ) from None


def _read_potato(path: Path) -> Iterator[ForeignAnswer]:
    """Labels: ``[[{"schema": ..., "name": ...}, value], ...]`` or ``{schema: {name: value}}``."""
    try:
        for item, labels in read_json(path, dict)["instance_id_to_label_to_value"].items():
            if isinstance(labels, dict):
                found = [(s, name, v) for s, mine in labels.items() for name, v in mine.items()]
            else:
                found = [(label["schema"], label["name"], value) for label, value in labels]
            chosen = [(s, [name]) for s, name, v in found if v not in (False, None, "", "false")]
            where = f"{path}: item '{item}'"
            yield ForeignAnswer(where, item, _single(where, chosen), None)
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(
            f"{path}: not Potato's answers to the tasks of `mclas human export`"
        ) from None


def _single(where: str, chosen: list[tuple[str, list[str]]]) -> dict[str, str]:
    """The one letter of each column; InputError where a column has several."""
    found: dict[str, str] = {}
    for column, letters in chosen:
        if column in CHOICE_COLUMNS:
            if len(letters) != 1 or column in found:
                raise InputError(
                    f"{where}: expected one answer to '{column}', "
                    f"found {'several' if letters else 'none'}"
                )
            found[column] = letters[0]
    return found
