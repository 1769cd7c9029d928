import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import wandb
import yaml
from wandb.errors import UsageError

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.files import EXPERIMENTS
from mclas_lightning.runs.preemption import Preempted
from mclas_lightning.runs.results import Results
from mclas_lightning.tracking.loggers import build_loggers
from mclas_lightning.tracking.wandb_logger import WandbMirror, sample_table
from mclas_lightning.tracking.workspace import CURVES, KEYS, ROUGE_TITLES
from tests.conftest import read_lines
from tests.test_train import command, folder, go
from tests.tracking.records import logs, records, summary
from tests.training.test_checkpoints import at_micro_batch

KEY = 40 * "a"
MIRRORED = "logger=wandb", "model=mclas"


def test_an_offline_run_holds_what_the_folder_does(trained):
    run = trained(*MIRRORED)
    results = Results.read(run / "results.json")
    (log,) = logs(run)
    (begun,) = records(log, "run")
    assert begun["project"] == "mclas-lightning"
    assert begun["run_group"] == "small/minimum"
    assert begun["job_type"] == "mclas"
    assert begun["display_name"] == "small/minimum/mclas/seed=0"
    assert begun["tags"] == ["small", "minimum", "mclas", "network=tiny"]
    found = summary(log)
    assert (found["exit_code"], found["state"]) == (0, "finished")
    assert found["config"]["optim/encoder/lr"] == 0.02
    assert found["config"]["model/targets/decoder"] == ["mono", "cross"]
    assert not any(isinstance(value, dict) for value in found["config"].values())
    assert not any(key.startswith("logger") for key in found["config"])
    assert {key: found["summary"][key] for key in results.metrics()} == results.metrics()
    # Every name that the dashboard draws is logged under it.
    assert set(KEYS) <= set(found["config"])
    history = [row["item"] for row in records(log, "history")]
    assert set(CURVES) <= {key for row in history for key in row}
    assert {f"test/{side}/{name}" for side in ("mono", "cross") for name in ROUGE_TITLES} <= set(
        found["summary"]
    )
    for loss in ("val/loss", "val/loss_mono", "val/loss_cross"):
        assert found["summary"][loss]["min"] == pytest.approx(
            min(float(row[loss]) for row in metrics(run) if row[loss])
        )


def test_samples_are_of_what_was_scored_alone(trained):
    run = trained("model=mclas")
    results = Results.read(run / "results.json")
    assert len(sample_table(results, 3).data) == 3
    with (run / "predictions.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"is not the file that results\.json was scored from"):
        sample_table(results, 3)


def test_tags_are_as_long_as_wandb_takes_them(monkeypatch, tmp_path):
    words = ["logger=wandb", f"dataset.name={'n' * 99}", f"run_dir={tmp_path}"]
    for name in ("config.yaml", "environment.json"):
        (tmp_path / name).touch()
    asked = {}

    def init(**words):
        asked.update(words)
        raise UsageError("asked for all it needs")

    monkeypatch.setattr(wandb, "init", init)
    (mirror,) = build_loggers(read_settings(compose("train", words))[0].logger)
    assert isinstance(mirror, WandbMirror)
    with pytest.raises(InputError, match="asked for all it needs"):
        _ = mirror.experiment
    assert asked["tags"][0] == "n" * 64
    wandb.Settings(run_tags=asked["tags"])  # refuses a tag that is too long


def metrics(run: Path) -> list[dict[str, str]]:
    """The rows of metrics.csv."""
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_curves_are_those_of_metrics_csv_over_updates(trained):
    run = trained(*MIRRORED)
    (log,) = logs(run)
    history = [row["item"] for row in records(log, "history")]
    assert [row["trainer/global_step"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert [row["_step"] for row in history] == [1, 2, 3, 4, 5, 6]
    for ours, theirs in zip(metrics(run), history, strict=True):
        for name in CURVES:
            assert (float(ours[name]) if ours[name] else None) == theirs.get(name)
    axes = [m for m in records(log, "metric") if m.get("glob_name") == "*" or m.get("summary")]
    assert {metric["step_metric"] for metric in axes} == {"trainer/global_step"}


def test_the_table_of_summaries_is_of_the_same_documents_for_every_run(mirrored):
    shown = []
    for model in ("mclas", "ncls"):
        go(mirrored, f"model={model}", "logger.samples=3")
        run = folder(mirrored, model)
        (table,) = run.rglob("*.table.json")
        shown.append(json.loads(table.read_text()))
        lines = {line["id"]: line for line in read_lines(run / "predictions.jsonl")}
        for row in (dict(zip(shown[-1]["columns"], row, strict=True)) for row in shown[-1]["data"]):
            line = lines[row["id"]]
            assert row["document"] == line["document"]
            assert row["cross reference"] == line["references"]["cross"]
            assert row["cross hypothesis"] == line["hypotheses"]["cross"]
        assert len(shown[-1]["data"]) == 3
    assert [row[2] for row in shown[0]["data"]] == [row[2] for row in shown[1]["data"]]
    assert "mono reference" in shown[0]["columns"]
    assert "mono reference" not in shown[1]["columns"]


def test_a_resumed_run_continues_its_id_and_one_trained_anew_does_not(mirrored, monkeypatch):
    run = folder(mirrored, "mclas")
    with monkeypatch.context() as patched:
        at_micro_batch(patched, 4, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Preempted):
            go(mirrored)
    go(mirrored)
    stopped, ended = map(summary, logs(run))
    assert (stopped["exit_code"], ended["exit_code"]) == (143, 0)
    assert stopped["run_id"] == ended["run_id"]
    assert records(logs(run)[0], "preempting")
    shutil.rmtree(run)
    go(mirrored, "optim.updates.minimum=3")
    (anew,) = map(summary, logs(run))
    assert anew["run_id"] != ended["run_id"]


def test_two_jobs_of_one_process_have_runs_of_their_own(mirrored):
    with pytest.raises(InputError, match="diverged"):
        go(mirrored, "optim.encoder.lr=1e30", "optim.decoder.lr=1e30")
    go(mirrored, "seed=1")
    diverged, fine = (
        summary(logs(folder(mirrored, "mclas").with_name(f"seed={seed}"))[0]) for seed in (0, 1)
    )
    assert (diverged["exit_code"], fine["exit_code"]) == (2, 0)
    assert diverged["run_id"] != fine["run_id"]
    assert fine["config"]["seed"] == 1


def test_a_training_goes_on_where_the_process_that_uploads_has_died(mirrored, capsys, monkeypatch):
    whole = go([*mirrored, "logger=csv", "seed=1"])
    log_metrics = WandbMirror.log_metrics

    def dies(mirror: WandbMirror, metrics: dict[str, float], step: int) -> None:
        log_metrics(mirror, metrics, step)
        if step == 2:
            kill_uploader()

    shutil.rmtree(folder(mirrored, "mclas").with_name("seed=1"))
    with monkeypatch.context() as patch:
        patch.setattr(WandbMirror, "log_metrics", dies)
        assert go([*mirrored, "seed=1"]).scores == whole.scores
    assert capsys.readouterr().out.count("warning: W&B is lost") == 1
    go(mirrored)  # The next job has a process of its own.
    assert summary(logs(folder(mirrored, "mclas"))[0])["exit_code"] == 0


def kill_uploader() -> None:
    """Kill W&B's own process, a child of this one."""
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            if "wandb-core" in Path(f"/proc/{pid}/comm").read_text():
                os.kill(int(pid), signal.SIGKILL)
                time.sleep(1)  # until its end of the connection is closed


def test_a_trial_leaves_the_results_and_has_a_run_of_its_own(mirrored, trained):
    run = trained(*MIRRORED)
    kept = {name: (run / name).read_bytes() for name in ("results.json", "predictions.jsonl")}
    for _ in range(2):  # The same decoding has the same place.
        results = evaluate(compose("evaluate", [*mirrored, "scored=valid", "decoding.beam=1"]))
    assert results is not None
    assert {name: (run / name).read_bytes() for name in kept} == kept
    (place,) = run.glob("valid/*/results.json")
    assert Results.read(place) == results
    assert results.decoding["beam"] == 1
    assert len(read_lines(place.with_name("predictions.jsonl"))) == 11  # of the validation split
    of = [(records(log, "run")[0], summary(log)) for log in logs(run)]
    trials = [found for begun, found in of if begun["job_type"] == "decoding"]
    assert len(trials) == 2
    (trained,) = (found for _, found in of if found not in trials)
    trial = trials[-1]
    assert trial["run_id"] == trials[0]["run_id"] != trained["run_id"]
    assert trial["summary"]["valid/cross/rouge1_f"] == results.scores["cross"]["rouge1_f"]
    assert not any(name.startswith("test/") for name in trial["summary"])


def test_another_split_than_valid_and_test_is_refused(words):
    with pytest.raises(InputError, match="split 'train' does not exist; choose from: test, valid"):
        evaluate(compose("evaluate", [*words, "scored=train"]))


@pytest.mark.slow
def test_the_sweep_of_the_decoder_runs_as_an_agent_starts_it(mirrored, trained, tmp_path):
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args
    from wandb.sdk.lib.config_util import save_config_file_from_dict

    trained("model=mclas")
    file = EXPERIMENTS / "wandb" / "decoding.yaml"
    sweep = yaml.safe_load(file.read_text(encoding="utf-8"))
    choices = {
        name: said.get("values", [said.get("value")]) for name, said in sweep["parameters"].items()
    }
    for pick in (0, -1):
        chosen = {name: {"value": values[pick]} for name, values in choices.items()}
        flags = create_sweep_command_args({"args": chosen})["args_no_hyphens"]
        settings = compose("evaluate", flags)
        assert settings.scored == "valid"
        read_settings(compose("train", [flag for flag in flags if not flag.startswith("scored")]))
    program, macro = create_sweep_command(list(sweep["command"]))
    assert (program, macro) == ("mclas-evaluate", "${args_no_hyphens}")
    save_config_file_from_dict(str(tmp_path / "trial.yaml"), chosen)
    agent = {"WANDB_SWEEP_ID": "s0", "WANDB_RUN_ID": "trial-1"}
    agent["WANDB_SWEEP_PARAM_PATH"] = str(tmp_path / "trial.yaml")
    mine = [word for word in mirrored if word.split("=")[0] not in choices]
    told = [flag for flag in flags if flag.split("=")[0] not in ("dataset", "scenario")]
    process = [*command([])[:2], "mclas_lightning.evaluate", *told, "dataset=toy", *mine]
    process += ["scenario=minimum", "decoding.max_length=12"]
    subprocess.run(process, check=True, env={**os.environ, **agent}, capture_output=True)
    (log,) = logs(folder(mirrored, "mclas"))
    trial = summary(log)
    assert trial["run_id"] == "trial-1"
    assert sweep["metric"]["name"] in trial["summary"]
    assert trial["config"]["decoding/beam"] == trial["config"]["decoding.beam"] == 10


def test_a_sweep_may_not_choose_by_the_test_set(words, monkeypatch):
    monkeypatch.setenv("WANDB_SWEEP_ID", "s0")
    with pytest.raises(InputError, match="may not choose by the test set; give scored=valid"):
        evaluate(compose("evaluate", words))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("logger.offline=maybe", "logger.offline: expected true or false, found 'maybe'"),
        ("logger.timeout=0", "logger.timeout: expected 1 or more, found 0"),
        ("logger.samples=-1", "logger.samples: expected 0 or more, found -1"),
    ],
)
def test_bad_words_are_refused_before_anything_is_written(mirrored, word, said):
    with pytest.raises(InputError) as error:
        go(mirrored, word)
    assert str(error.value) == said
    assert not folder(mirrored, "mclas").exists()


def online(words: list[str], home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Train in a process whose W&B is online, with no account but ``variables``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    nobody = {"NETRC": str(home / "netrc"), "WANDB_CONFIG_DIR": str(home / "wandb")}
    return subprocess.run(
        command(words), env={**kept, **nobody, **variables}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_one_line_in_bounded_time(mirrored, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        words = [*mirrored, "logger.timeout=2"]
        done = online(words, tmp_path, WANDB_API_KEY=KEY, WANDB_BASE_URL=address)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"W&B: {address} does not answer within 2 s" in line
    assert "logger.offline=true" in line
    assert not folder(mirrored, "mclas").exists()
    assert time.monotonic() - began < 60  # Importing torch on a busy machine is most of it.
