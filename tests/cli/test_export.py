"""``mclas export``."""

import sys

import pytest

from mclas_lightning.cli import main as cli
from mclas_lightning.inference import export


@pytest.fixture
def mclas(monkeypatch, capsys):
    def call(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["mclas", *map(str, words)])
        try:
            cli.main()
        except SystemExit as ended:
            error = capsys.readouterr().err
            if ended.code != 2 or error.count("\n") != 1:
                raise
            return error
        return capsys.readouterr().out

    return call


def test_an_export_is_summarized_with_as_it_prints(finished_run, mclas, tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("On day 3 there was a storm in Vienna.")
    said = mclas("export", finished_run, tmp_path / "out")
    assert f"summarize with: mclas summarize {tmp_path}/out\n" in said
    assert mclas("summarize", tmp_path / "out", text) == mclas("summarize", finished_run, text)


def test_a_push_names_the_repository_in_the_card(finished_run, mclas, tmp_path, monkeypatch):
    pushed = []
    monkeypatch.setattr(export, "push", lambda *what: pushed.append(what) or "https://hub/me/it")
    said = mclas("export", finished_run, tmp_path / "out", "--push", "me/it")
    assert said.endswith("uploaded to https://hub/me/it\n")
    assert pushed == [(tmp_path / "out", "me/it")]
    assert "Summarizer.load('me/it')" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("name", ["nouser", "", "me/it/that"])
def test_a_push_to_no_name_of_a_hub_writes_nothing(finished_run, mclas, tmp_path, name):
    said = mclas("export", finished_run, tmp_path / "out", "--push", name)
    assert f"--push {name}: expected user/name" in said
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_run_is_refused(mclas, tmp_path):
    assert "no run here" in mclas("export", tmp_path, tmp_path / "out")
