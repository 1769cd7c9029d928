"""Answers in the forms that Label Studio and Potato document for their exports."""

import json
import xml.etree.ElementTree as xml
from pathlib import Path
from string import ascii_uppercase

import pytest
import yaml

from mclas_lightning.errors import InputError
from mclas_lightning.human.exchange import import_answers, write_tasks
from mclas_lightning.human.judgements import complete_sheets
from mclas_lightning.human.sheet import CHOICE_COLUMNS, SheetKey, write_sheets


@pytest.fixture
def folder(tmp_path, runs) -> Path:
    write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=2)
    return tmp_path / "out"


def chosen(key: SheetKey, item: str) -> dict[str, str]:
    """Gold is best, MCLAS worst; NCLS is worst in fluency."""
    order = key.items[item].order
    worst = {"fluency_worst": "ncls"}
    return {
        column: ascii_uppercase[
            order.index("gold" if column.endswith("best") else worst.get(column, "mclas"))
        ]
        for column in CHOICE_COLUMNS
    }


def label_studio(folder: Path, **changes) -> list[dict]:
    """The JSON export of both annotators' tasks, answered."""
    key = SheetKey.read(folder)
    tasks = [
        task
        for annotator in (1, 2)
        for task in json.loads((folder / f"label-studio/annotator{annotator}.json").read_text())
    ]
    for number, task in enumerate(tasks):
        result = [
            {"from_name": column, "to_name": "document", "type": "choices", "id": f"r{number}",
             "origin": "manual", "value": {"choices": [letter]}}
            for column, letter in chosen(key, task["data"]["item"]).items()
        ]  # fmt: skip
        skipped = {"result": [], "was_cancelled": True}
        task |= {
            "id": number,
            "annotations": [skipped, {"result": result, "was_cancelled": False, "lead_time": 12.5}],
        } | changes
    return tasks


def potato(folder: Path, as_list: bool) -> Path:
    """The states of both annotators, in either of the two documented forms of labels."""
    key, out = SheetKey.read(folder), folder.parent / "annotation_output"
    for annotator in (1, 2):
        project = folder / "potato" / f"annotator{annotator}"
        tasks = [json.loads(line) for line in (project / "tasks.jsonl").read_text().splitlines()]
        labels = {}
        for task in tasks:
            mine = chosen(key, task["item"])
            labels[task["item"]] = (
                [[{"schema": column, "name": letter}, "true"] for column, letter in mine.items()]
                if as_list
                else {c: {letter: True, "Z": "false"} for c, letter in mine.items()}
            )
        (out / f"user{annotator}").mkdir(parents=True)
        state = {"user_id": f"user{annotator}", "instance_id_to_label_to_value": labels}
        (out / f"user{annotator}" / "user_state.json").write_text(json.dumps(state))
    return out


def check(folder: Path, written: list[Path], seconds: set[float]) -> None:
    assert [path.name for path in written] == ["annotator1-answers.csv", "annotator2-answers.csv"]
    key = SheetKey.read(folder)
    sheets = complete_sheets(folder, key)
    judgements = [one for sheet in sheets for one in sheet.judgements]
    assert len(judgements) == 2 * 3 * 3
    assert {(one.perspective, one.best, one.worst) for one in judgements} == {
        ("informativeness", "gold", "mclas"),
        ("conciseness", "gold", "mclas"),
        ("fluency", "gold", "ncls"),
    }
    assert {time for sheet in sheets for time in sheet.seconds.values()} == seconds


def test_answers_of_label_studio_come_back(folder, tmp_path):
    write_tasks(folder, "label-studio")
    (tmp_path / "export.json").write_text(json.dumps(label_studio(folder)))
    check(folder, import_answers(folder, tmp_path / "export.json"), {12.5})


@pytest.mark.parametrize("as_list", [True, False])
def test_answers_of_potato_come_back(folder, as_list):
    write_tasks(folder, "potato")
    check(folder, import_answers(folder, potato(folder, as_list)), set())


@pytest.mark.parametrize("tool", ["label-studio", "potato"])
def test_tasks_name_no_system(folder, tool):
    texts = [path.read_text() for path in write_tasks(folder, tool).rglob("*.*")]
    shown = "".join(texts)
    for model in ("mclas", "ncls_ms", "ncls"):
        for n in range(29):
            shown = shown.replace(f'"{model} on {n}"', "")
    assert not any(name in shown.lower() for name in ("mclas", "ncls", "gold"))


def test_every_name_in_label_studios_configuration_is_in_its_tasks(folder):
    out = write_tasks(folder, "label-studio")
    view = xml.parse(out / "config.xml").getroot()
    data = json.loads((out / "annotator1.json").read_text())[0]["data"]
    assert {f"${name}" for name in data} == {t.attrib["value"] for t in view.iter("Text")} | {
        "$item"
    }
    assert [c.attrib["name"] for c in view.iter("Choices")] == CHOICE_COLUMNS
    for choices in view.iter("Choices"):
        assert [choice.attrib["value"] for choice in choices] == ["A", "B", "C", "D"]


def test_every_name_in_potatos_configuration_is_in_its_tasks(folder):
    out = write_tasks(folder, "potato") / "annotator2"
    config = yaml.safe_load((out / "config.yaml").read_text())
    (line, *_) = (out / config["data_files"][0]).read_text().splitlines()
    fields = [field["key"] for field in config["instance_display"]["fields"]]
    assert list(json.loads(line)) == [config["item_properties"]["id_key"], *fields]
    assert [scheme["name"] for scheme in config["annotation_schemes"]] == CHOICE_COLUMNS


def test_answers_are_never_written_over(folder, tmp_path):
    write_tasks(folder, "label-studio")
    (tmp_path / "export.json").write_text(json.dumps(label_studio(folder)))
    (folder / "annotator2-answers.csv").write_text("item")
    with pytest.raises(InputError, match=r"annotator2-answers\.csv: is already there"):
        import_answers(folder, tmp_path / "export.json")
    assert not (folder / "annotator1-answers.csv").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"item": "s1-1"}}, "task 1: item 's1-1' is not one of"),
        ({"data": {}}, "task 1: not Label Studio's JSON export of the tasks of `[a-z ]+`$"),
        (
            {"annotations": [{"result": [
                {"from_name": "fluency_best", "value": {"choices": ["A", "B"]}}]}]},
            "task 1: expected one answer to 'fluency_best', found several",
        ),
        (
            {"annotations": [{"result": [
                {"from_name": "fluency_best", "value": {"choices": []}}]}]},
            "task 1: expected one answer to 'fluency_best', found none",
        ),
        ({"annotations": []}, "export.json: expected answers to the tasks of .*, found none"),
        ({"annotations": [{"result": []}]}, "expected answers to the tasks of .*, found none"),
        (
            {"annotations": [{"result": [
                {"from_name": "fluency_best", "value": {"choices": ["\ud83d"]}}]}]},
            "export.json: a text holds half a character",
        ),
        ({"data": {"item": ["s1-1"]}}, "task 1: item '.*' is not one of"),
        (
            {"annotations": [{"result": [
                {"from_name": "fluency_best", "value": {"choices": ["E"]}}]}]},
            "task 1: the answer to 'fluency_best' is 'E'; expected one of A, B, C, D",
        ),
        (
            {"annotations": [{"lead_time": "1 s", "result": [
                {"from_name": "fluency_best", "value": {"choices": ["A"]}}]}]},
            "task 1: lead_time: expected seconds, found '1 s'",
        ),
        (
            {"annotations": [{"lead_time": -1, "result": [
                {"from_name": "fluency_best", "value": {"choices": ["A"]}}]}]},
            "task 1: lead_time: expected seconds, found -1",
        ),
        (
            {"annotations": 2 * [{"result": [
                {"from_name": "fluency_best", "value": {"choices": ["A"]}}]}]},
            "task 1: item '.*' was already answered in .*task 1; keep one of the two answers",
        ),
    ],
)  # fmt: skip
def test_a_wrong_export_is_refused_with_its_task(folder, tmp_path, change, message):
    write_tasks(folder, "label-studio")
    (tmp_path / "export.json").write_text(json.dumps(label_studio(folder, **change)))
    with pytest.raises(InputError, match=message):
        import_answers(folder, tmp_path / "export.json")


def test_other_questions_of_a_project_are_passed_over(folder, tmp_path):
    write_tasks(folder, "label-studio")
    tasks = label_studio(folder)
    for task in tasks:
        comment = {"from_name": "comment", "type": "textarea", "value": {"text": ["x"]}}
        task["annotations"][1]["result"].append(comment)
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    check(folder, import_answers(folder, path), {12.5})


def test_a_folder_without_answers_of_potato_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no user_state\.json of Potato is here"):
        import_answers(folder, tmp_path / "empty")
    state = tmp_path / "empty" / "user_state.json"
    state.write_text('{"instance_id_to_label_to_value": {}}')
    with pytest.raises(InputError, match=r"empty: expected answers to the tasks of .*, found none"):
        import_answers(folder, tmp_path / "empty")
    state.write_text('{"instance_id_to_label_to_value": [1]}')
    with pytest.raises(
        InputError,
        match=r"user_state\.json: not Potato's answers to the tasks of `mclas human export`$",
    ):
        import_answers(folder, tmp_path / "empty")
