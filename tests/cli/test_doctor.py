"""``mclas doctor``."""

import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from benchmarks.runs import write_run
from mclas_lightning.cli import doctor
from mclas_lightning.cli.doctor import corpora, devices, runs_found, server
from mclas_lightning.cli.main import parsed
from mclas_lightning.example import write_jsonl
from tests.conftest import examples
from tests.test_devices import free_port


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """Servers that do not answer, on this machine."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    for variable in ("HF_ENDPOINT", "WANDB_BASE_URL"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")


def said(capsys, *words: str) -> str:
    arguments = parsed(["doctor", *words])
    arguments.run(arguments)
    return capsys.readouterr().out


def test_one_screen_has_every_topic_and_what_to_do(capsys, tmp_path):
    places = ["--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    text = said(capsys, *places)
    assert len(text.splitlines()) < 50
    for topic in ("versions", "devices", "room", "network", "surroundings", "corpora", "runs"):
        assert f"\n{topic}\n" in f"\n{text}"
    assert "-> mclas data toy makes one in seconds" in text
    found = json.loads(said(capsys, *places, "--json"))
    assert {finding["topic"] for finding in found} >= {"versions", "runs"}
    assert all(set(finding) == {"topic", "name", "found", "todo"} for finding in found)
    assert all(finding["name"] in text and finding["todo"] in text for finding in found)


@pytest.mark.parametrize("status", [200, 404])
def test_a_server_that_answers_anything_is_there(monkeypatch, status):
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as local:
        thread = threading.Thread(target=local.serve_forever)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{local.server_port}")
        finding = server("model hub")
        local.shutdown()
        thread.join()
    assert finding.found.endswith("answers")
    assert finding.todo == ""


def test_a_server_that_does_not_answer_says_what_to_do_without(monkeypatch):
    finding = server("W&B")
    assert "does not answer" in finding.found
    assert finding.todo.startswith("logger=csv")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for word, asked in (("1", False), ("true", False), ("false", True), ("0", True), ("", True)):
        monkeypatch.setenv("HF_HUB_OFFLINE", word)  # as the hub's client reads it
        assert ("does not answer" in server("model hub").found) == asked
        assert (server("model hub").found == "not asked (HF_HUB_OFFLINE is set)") != asked
    for address in ("nonsense", "http://my host"):
        monkeypatch.setenv("WANDB_BASE_URL", address)
        assert "does not answer" in server("W&B").found


def test_the_server_of_wandb_is_the_one_that_its_package_would_ask(monkeypatch, tmp_path):
    address = os.environ["WANDB_BASE_URL"]
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "settings").write_text(f"[default]\nbase_url = {address}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_BASE_URL")
    assert server("W&B").found.startswith(f"{address} does not answer")


@pytest.mark.parametrize(
    ("flags", "good_for"), [("avx2 avx512_vnni amx_bf16", "AMX"), ("avx2", "AVX2"), ("sse", "32")]
)
def test_a_cpu_is_good_for_what_its_flags_say(tmp_path, flags, good_for):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags}\nbugs :\n")
    cpu, *_ = devices(tmp_path / "cpuinfo")
    assert good_for in cpu.found
    assert devices(tmp_path / "none")  # As on other systems than Linux.


def test_corpora_have_their_sizes_and_what_they_lack(tmp_path):
    for split, number in (("train", 5), ("test", 3)):
        write_jsonl(tmp_path / "a b" / f"{split}.jsonl", examples(number))
    (finding,) = corpora(tmp_path)
    assert (finding.name, finding.found) == ("a b", "train 5, test 3")
    assert finding.todo == f"lacks valid: mclas data check '{tmp_path}/a b'"


def test_corpora_and_runs_behind_a_link_to_a_larger_disk_are_found(tmp_path):
    write_jsonl(tmp_path / "larger" / "train.jsonl", examples(5))
    (tmp_path / "larger" / "config.yaml").touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "linked").symlink_to(tmp_path / "larger")
    (finding,) = corpora(tmp_path / "here")
    assert (finding.name, finding.found) == ("linked", "train 5")
    (finding,) = runs_found(tmp_path / "here")
    assert (finding.name, finding.found) == ("not ended", "1")


def test_a_corpus_that_was_changed_or_damaged_is_named_beside_the_others(tmp_path):
    for name in ("changed", "damaged", "whole"):
        for split in ("train", "valid", "test"):
            write_jsonl(tmp_path / name / f"{split}.jsonl", examples(5))
        files = {"train.jsonl": {"records": 7 if name == "changed" else 5}}
        manifest = {"corpus": "imported", "files": files}
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    changed, damaged, whole = corpora(tmp_path)
    assert changed.todo.startswith("train had 7 when it was made: mclas data check")
    assert damaged.found == "damaged"
    assert "manifest.json" in damaged.todo
    assert (whole.found, whole.todo) == ("train 5, valid 5, test 5", "")


def test_runs_are_counted_by_state(tmp_path, held):
    files = {"b": "diverged.json", "c": "training.json", "d": "", "e": "", "f": "results.json"}
    for name, file in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
        if file:
            (tmp_path / name / file).touch()
    held(tmp_path / "e")
    of_wandb = tmp_path / "d" / "wandb" / "run-20261130_172528-0eyur1wa" / "files"
    of_wandb.mkdir(parents=True)
    (of_wandb / "config.yaml").touch()
    a = write_run(tmp_path, "toy_en2de", "minimum", "mclas", 0, num=5)
    (tmp_path / a.dataset / a.scenario / a.model / "seed=0" / "config.yaml").touch()
    found = {finding.name: finding.found for finding in runs_found(tmp_path)}
    assert found == dict.fromkeys(
        ["scored", "running", "diverged", "scores unusable", "trained, not scored", "not ended"],
        "1",
    )


def test_little_room_is_said(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**30))
    todo = [finding.todo for finding in doctor.room(tmp_path, tmp_path / "new" / "runs")]
    assert todo[1:] == ["a run of network=paper needs 5 GiB: free some, or runs=..."] * 2
