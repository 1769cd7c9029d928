import json
import os
import pty
import re
import subprocess
import sys

import pytest

from mclas_lightning.cli import main as cli
from mclas_lightning.errors import InputError
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.state import states
from mclas_lightning.sweep.status import plan_lines, scoring_notes
from tests.sweep.conftest import finished, started, toy_plan


def test_other_runs_start_nothing(tmp_path, capsys):
    ms = toy_plan(tmp_path)[0]
    started(ms, label_smoothing=0.3)
    words = ["sweep", "run", "toy", "seed=0", f"runs={tmp_path}/runs"]
    arguments = cli.parser().parse_args(words)
    with pytest.raises(InputError, match="nothing was started; problems: 1, see above"):
        arguments.run(arguments)
    shown = capsys.readouterr()
    assert "7 runs: 1 other, 6 waiting" in shown.out
    assert "optim.label_smoothing=0.3, this plan has optim.label_smoothing=0.1" in shown.err


def test_decoding_words_say_that_a_sweep_does_not_score_again(tmp_path, capsys):
    toy = toy_plan(tmp_path)
    for run in toy:
        finished(run.folder, decoding=run.config["decoding"])
    assert list(scoring_notes(toy, states(toy))) == []
    words = ["seed=0", f"runs={tmp_path}/runs", "decoding.beam=1", "scoring.similarity=an/e5"]
    arguments = cli.parser().parse_args(["sweep", "run", "toy", *words])
    arguments.run(arguments)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "7 runs: 7 done"
    assert shown[1].startswith(
        f"note: {toy[0]} and 6 more: scored with decoding.beam=5, this plan has decoding.beam=1; "
        f'scoring.similarity=nothing, this plan has scoring.similarity="an/e5"; a sweep does not'
    )
    assert (
        sum(
            "note: scored with decoding.beam=5" in line
            for line in plan_lines(plan_runs(["toy"], words))
        )
        == 7
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sweep plan seed=0", "name a sweep file"),
        ("sweep run toy hydra.launcher.mem_gb=3", "is a word for --launcher slurm"),
        ("sweep run toy --jobs 2", "--jobs: is a number of --launcher processes"),
    ],
)
def test_what_makes_no_sense_together_is_refused(words, said):
    arguments = cli.parser().parse_args(words.split())
    with pytest.raises(InputError, match=said):
        arguments.run(arguments)


def test_only_what_is_missing_or_failed_can_be_asked_for(capsys):
    assert cli.parser().parse_args(["sweep", "run", "toy"]).only == ("missing", "failed")
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["sweep", "run", "toy", "--only", "diverged"])
    assert "expected missing, failed, or missing,failed: diverged" in capsys.readouterr().err


def test_status_is_json_where_a_program_reads(tmp_path, capsys):
    ms, *others = toy_plan(tmp_path)
    finished(ms.folder)
    words = ["sweep", "status", "toy", "seed=0", f"runs={tmp_path}/runs", "--json"]
    arguments = cli.parser().parse_args(words)
    arguments.run(arguments)
    first, *rest = json.loads(capsys.readouterr().out)
    assert (first["run"], first["state"]) == (str(ms.folder), "done")
    assert first["command"].startswith("mclas-train ")
    assert {each["run"] for each in rest} == {str(run.folder) for run in others}
    assert {each["state"] for each in rest} == {"missing"}


def shown(words: list[str], terminal: bool, **environment: str) -> str:
    """What ``mclas`` writes to a terminal, or to a pipe."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    own = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
    own |= {"TERM": "xterm-256color", **environment}
    subprocess.run(command, stdout=writer, stderr=writer, env=own, check=True)
    os.close(writer)
    with os.fdopen(reader, "rb") as output:
        return output.read1(2**16).decode()


def test_colors_are_for_terminals_and_no_color_is_heard(tmp_path):
    finished(toy_plan(tmp_path)[0].folder)
    words = ["sweep", "status", "toy", "seed=0", f"runs={tmp_path}/runs"]
    color = re.compile(r"\x1b\[[\d;]*[34]\dm")
    assert color.search(shown(words, terminal=True))
    assert not color.search(shown(words, terminal=True, NO_COLOR="1"))
    assert "\x1b" not in shown(words, terminal=False)
