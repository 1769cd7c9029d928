import io
from pathlib import Path

from mclas_lightning.files import write_json
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.state import states, write_failure
from mclas_lightning.sweep.status import failure_lines, plan_lines, seconds_per_update, status_grid
from tests.sweep.conftest import finished, started


def test_what_waits_for_a_failed_run_says_so(toy, tmp_path):
    ms, *others = toy
    log = ms.folder / "log.txt"
    write_failure(ms.folder, "data/train.jsonl: no such file", 2, log)
    found = states(toy)
    assert found[ms.folder].name == "failed"
    assert all(found[run.folder].failed_need for run in others)
    assert list(failure_lines(toy, found)) == [
        f"failed: {ms}: data/train.jsonl: no such file\n  log: {log}",
        f"waiting on a failed run, {ms.folder}: 6 runs",
    ]


def test_the_grid_has_a_row_a_system_and_a_column_a_seed(tmp_path):
    from rich.console import Console

    runs = plan_runs(["toy"], [f"runs={tmp_path}/runs"])
    finished(tmp_path / "runs/toy_en/full/ms/seed=0")
    write_failure(tmp_path / "runs/toy_en2zh/minimum/mclas/seed=0", "it broke", 1, Path("a.txt"))
    console = Console(width=100, file=io.StringIO())
    with console.capture() as shown:
        console.print(status_grid(runs, states(runs)))
    rows = [line.split() for line in shown.get().splitlines()]
    assert ["full", "ms", "done", "-"] in rows
    assert ["minimum", "mclas", "-", "wait", "FAIL", "wait"] in rows
    assert "14 runs: 1 done, 6 waiting, 1 failed, 6 missing" in shown.get()


def test_a_cell_stands_below_its_seed_however_long_a_seed_or_a_word_is(tmp_path):
    from rich.console import Console

    words = [f"runs={tmp_path}/runs", "dataset.target=de", "seed=7,123456789,20240101"]
    runs = plan_runs(["toy"], words)
    write_json(tmp_path / "runs/toy_en/full/ms/seed=7/training.json", {})
    write_failure(tmp_path / "runs/toy_en/full/ms/seed=20240101", "it broke", 1, Path("a.txt"))
    console = Console(width=200, file=io.StringIO())
    with console.capture() as shown:
        console.print(status_grid(runs, states(runs)))
    lines = shown.get().splitlines()
    seeds, cells = (next(n for n in lines if has in n) for has in ("123456789", "scoring"))
    for seed, word in (("7", "scoring"), ("20240101", "FAIL"), ("123456789", "-")):
        assert cells[seeds.index(seed) :].split()[0] == word


def test_datasets_that_do_not_fit_beside_the_others_stand_below_them(tmp_path):
    from rich.console import Console

    runs = plan_runs(["crosssum"], [f"runs={tmp_path}/runs"])
    shown = {}
    for width in (60, 200):
        console = Console(width=width, file=io.StringIO())
        with console.capture() as captured:
            console.print(status_grid(runs, states(runs)))
        shown[width] = captured.get()
        assert max(map(len, shown[width].splitlines())) <= width
        for target in ("es", "fr", "id", "ru", "uk"):
            assert f"crosssum_en2{target}, seed" in shown[width]
    assert shown[200].count("scenario") == 1
    rows = [line.split() for line in shown[60].splitlines()]
    assert rows.count(["minimum", "mclas", "wait", "wait"]) == 5
    assert ["full", "ms", "-", "-"] in rows


def test_costs_are_those_of_finished_runs_of_the_same_kind(tmp_path):
    runs = plan_runs(["toy"], [f"runs={tmp_path}/runs", "dataset.target=de"])
    assert seconds_per_update(runs) == {}
    for run in runs:
        if run.seed == 0:
            finished(run.folder, seconds={"ms": 60.0}.get(run.model, 30.0))
    assert seconds_per_update(runs)["toy_en", "ms"] == 2.0
    shown = "\n".join(plan_lines(runs))
    assert "4,000 updates of up to 3,072 document and summary tokens: about 2.2 h" in shown
    # One pretraining of 2 s an update, three trainings of 1 s an update.
    left = "left to train: 4 runs, 13,000 updates: about 4.7 h of training, one by one"
    assert shown.endswith(left)


def test_a_run_that_has_diverged_is_not_left_to_train(toy):
    write_json(toy[-1].folder / "diverged.json", {"update": 7, "reason": "its loss is nan"})
    assert [*plan_lines(toy)][-1] == "left to train: 6 runs, 19,000 updates"


def test_a_run_of_another_configuration_is_never_done(toy):
    ms, mclas, *_ = toy
    for run in (ms, mclas):
        started(run, updates={**run.config["optim"]["updates"], run.scenario: 12})
        finished(run.folder)
    found = states(toy)
    assert [found[run.folder].name for run in toy] == ["other", "other", *["waiting"] * 5]
    assert all(found[run.folder].failed_need for run in toy[2:])
    first, second, waiting = failure_lines(toy, found)
    assert first.startswith(
        f"other: {ms}: holds a run with optim.updates.full=12, this plan has "
        f"optim.updates.full={ms.updates}; plan it with the words it was trained with"
    )
    assert "optim.updates.minimum=12, this plan has optim.updates.minimum=3000; plan" in second
    assert waiting == f"waiting on another run, {ms.folder}: 5 runs"
    plan_shown = list(plan_lines(toy))
    assert (
        sum("other: its folder holds a run with optim.updates" in line for line in plan_shown) == 2
    )
    assert plan_shown[-2].startswith("other: 2 runs are there with another configuration")
    assert plan_shown[-1].startswith("left to train: 5 runs")


def test_a_plan_in_words_is_copied_into_a_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Where no run has been started.
    shown = list(plan_lines(plan_runs(["toy"], ["seed=0"])))
    assert shown[2:5] == [
        "[2/7] mclas-train dataset=toy dataset.target=de scenario=minimum model=ncls seed=0 "
        "init_from=runs/toy_en/full/ms",
        "    after runs/toy_en/full/ms/seed=0",
        "    3,000 updates of up to 2,048 document and summary tokens",
    ]
    assert shown[-1] == "left to train: 7 runs, 22,000 updates"
