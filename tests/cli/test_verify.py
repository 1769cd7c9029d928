import json

import pytest

from mclas_lightning.cli.main import parsed
from mclas_lightning.errors import InputError
from tests.report.score_sheets import change


def mclas(*words: object) -> None:
    arguments = parsed([*map(str, words)])
    arguments.run(arguments)


def test_a_good_run_is_verified_with_exit_code_0(finished_run, capsys):
    mclas("verify", finished_run, "--deep", 3)
    shown = capsys.readouterr().out
    assert "DOES NOT MATCH" not in shown
    assert "scores" in shown.split("matches")[-1]
    assert shown.rstrip().endswith("decoding")


def test_an_edited_run_is_named_with_exit_code_1(trained, capsys):
    run = trained("model=mclas")  # whose config.yaml was edited
    change(run / "results.json", scores__mono__length=2.0)
    with pytest.raises(SystemExit, match="1"):
        mclas("verify", run)
    shown = capsys.readouterr()
    assert "DOES NOT MATCH  scores: results.json, mono: length 2, found " in shown.out
    assert "1 of 1 results do not match their files" in shown.err
    with pytest.raises(SystemExit, match="1"):
        mclas("verify", run.parent, "--json")
    (found,) = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(run)
    assert found["matches"] is False
    topics = {one["topic"] for one in found["findings"] if one["state"] == "mismatch"}
    assert topics == {"configuration", "scores", "scores.npz"}


def test_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no finished run here or below"):
        mclas("verify", tmp_path)
