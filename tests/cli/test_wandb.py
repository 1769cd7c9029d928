import json
import sys
from pathlib import Path

import pytest

from mclas_lightning.cli.main import parser
from mclas_lightning.errors import InputError
from mclas_lightning.tracking import workspace


def mclas(*words: str) -> None:
    arguments = parser().parse_args(["wandb", *words])
    arguments.run(arguments)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "mclas_lightning.tracking.workspace")
    monkeypatch.delattr("mclas_lightning.tracking.workspace")
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    arguments = parser().parse_args(["wandb", "workspace", "--print"])
    with pytest.raises(InputError, match=r"pip install 'mclas-lightning\[dashboard\]'"):
        arguments.run(arguments)


def test_a_printed_dashboard_is_the_one_of_project_and_team(capsys):
    mclas("workspace", "--project", "mine", "--entity", "us", "--print")
    printed = json.loads(capsys.readouterr().out)
    assert (printed["project"], printed["entity"]) == ("mine", "us")
    expected = json.loads(workspace.workspace_json(workspace.build_workspace("mine", "us")))
    assert printed.keys() == expected.keys()


def test_a_dashboard_is_saved_where_it_is_not_printed(monkeypatch, capsys):
    monkeypatch.setattr(
        workspace, "save_workspace", lambda project, entity: f"{entity}/{project}?nw=1"
    )
    mclas("workspace", "--project", "mine")
    assert capsys.readouterr().out == "None/mine?nw=1\n"


def test_runs_are_uploaded_from_the_folder_that_is_named(tmp_path, monkeypatch):
    asked: list[Path] = []
    monkeypatch.setattr("mclas_lightning.tracking.sync.sync", asked.append)
    mclas("sync", "--runs", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    mclas("sync")
    assert asked == [tmp_path, Path("runs")]
