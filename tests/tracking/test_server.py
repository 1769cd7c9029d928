"""Runs of a sweep in a W&B-compatible server, through the ordinary client, and in a browser.

The server, openwandb, is installed into a virtual environment of these tests.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from matplotlib.image import imread

from mclas_lightning.runs.results import Results, find_results
from tests.test_train import command, folder

pytestmark = pytest.mark.slow
KEY = 40 * "a"
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@dataclass
class Server:
    """A running server behind a proxy that keeps what the client says of its runs."""

    address: str
    behind: str
    said: dict[str, dict[str, Any]] = field(default_factory=dict)  # of each run id

    def environment(self) -> dict[str, str]:
        """That of a process whose W&B this is."""
        mine = {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": self.address, "WANDB_MODE": "online"}
        return {**os.environ, **mine}

    def get(self, path: str) -> Any:
        """What the server's own interface answers."""
        request = urllib.request.Request(self.behind + path, headers={"x-wandb-api-key": KEY})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def runs(self, project: str) -> dict[str, dict[str, Any]]:
        """The runs of a project by their names."""
        found = self.get(f"/api/v2/projects/default/{project}/runs")
        return {run["display_name"]: run for run in found["runs"]}

    def record(self, path: str, body: bytes) -> None:
        """Keep group, job type and exit code, which openwandb does not show."""
        if not body.startswith(b"{"):
            return
        asked = json.loads(body)
        if path.endswith("/graphql") and "upsertBucket" in asked.get("query", ""):
            words = asked["variables"].get("input", asked["variables"])
            self.said.setdefault(words["name"], {}).update(
                {key: value for key, value in words.items() if value is not None}
            )
        if path.endswith("/file_stream") and asked.get("complete"):
            self.said[path.split("/")[-2]]["exit_code"] = asked["exitcode"]


class Proxy(BaseHTTPRequestHandler):
    """Passes everything on to ``server``."""

    server_: Server

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server_.record(self.path, body)
        address = self.server_.behind + self.path
        headers = {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"}
        request = urllib.request.Request(
            address, data=body or None, headers=headers, method=self.command
        )
        try:
            with urllib.request.urlopen(request) as answer:
                status, content, kind = answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            status, content, kind = error.code, error.read(), "text/plain"
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = pass_on

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def openwandb(tmp_path_factory) -> Path:
    """The server's program."""
    place = tmp_path_factory.mktemp("openwandb")
    venv.create(place, with_pip=True)
    install = [place / "bin" / "python", "-m", "pip", "install", "-q", "openwandb==0.5.25"]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"openwandb cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return place / "bin" / "openwandb"


@pytest.fixture(scope="module")
def server(openwandb, tmp_path_factory) -> Iterator[Server]:
    """A server of these tests alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["serve", "--host", "127.0.0.1", "--port", str(port), "--data-dir"]
    process = subprocess.Popen(
        [openwandb, *words, tmp_path_factory.mktemp("data")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
            running = Server(f"http://127.0.0.1:{proxy.server_port}", f"http://127.0.0.1:{port}")
            Proxy.server_ = running
            Thread(target=proxy.serve_forever, daemon=True).start()
            yield running
            proxy.shutdown()
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Return once something listens."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.skip("openwandb does not start")


def test_the_runs_of_a_sweep_appear_with_groups_config_and_summaries(words, server, tmp_path):
    sweep = ["-m", *words, "model=ncls,mclas", "seed=0,1", "logger=wandb", "logger.project=sweep"]
    more = ["optim.updates.minimum=30", "optim.validations=10"]
    done = subprocess.run(
        command(sweep, *more), env=server.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    runs = server.runs("sweep")
    results = {place(found): found for found in find_results(tmp_path / "runs")}
    assert set(runs) == set(results)
    assert len(runs) == 4
    for name, run in runs.items():
        model = results[name].model
        assert run["state"] == "finished"
        assert run["tags"] == ["small", "minimum", model, "network=tiny"]
        assert run["config"]["model/name"]["value"] == model
        assert run["config"]["optim/encoder/lr"]["value"] == 0.02
        for metric, value in results[name].metrics().items():
            assert run["summary"][metric] == pytest.approx(value)
        said = server.said[run["run_id"]]
        assert (said["groupName"], said["jobType"]) == ("small/minimum", model)
        assert said["exit_code"] == 0
        history = server.get(f"/api/v2/runs/{run['run_id']}/metrics")["metrics_by_key"]
        assert [point["step"] for point in history["val/loss"]] == list(range(3, 31, 3))
    look_at_the_comparison(server, "sweep", runs, tmp_path)


def place(results: Results) -> str:
    return f"{results.dataset}/{results.scenario}/{results.model}/seed={results.seed}"


def look_at_the_comparison(server: Server, project: str, runs: dict, tmp_path: Path) -> None:
    """The server's page that lays runs side by side, as a browser draws it."""
    if CHROMIUM is None:
        pytest.skip("no chromium here to look at the comparison with")
    ids = ",".join(run["run_id"] for run in runs.values())
    page = f"{server.behind}/compare/default/{project}?runs={ids}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]
    options += [f"--user-data-dir={tmp_path}/browser", "--window-size=1400,1200"]
    drawn = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", page], capture_output=True, text=True, timeout=120
    ).stdout
    assert all(name in drawn for name in runs)
    assert drawn.count("<canvas") >= 6  # one of each metric
    assert "optim/encoder/lr" in drawn
    picture = tmp_path / "comparison.png"
    subprocess.run(
        [CHROMIUM, *options, f"--screenshot={picture}", page], capture_output=True, timeout=120
    )
    assert imread(picture).std() > 0.01  # not one empty color


def test_what_was_trained_offline_is_uploaded_once(words, server, tmp_path):
    words = [
        *words, "model=mclas", "logger=wandb", "logger.offline=true", "logger.project=offline",
        "optim.updates.minimum=60", "optim.validations=20", "optim.patience=100",
    ]  # fmt: skip
    run = folder(words, "mclas")
    process = subprocess.Popen(command(words), env=server.environment(), stderr=subprocess.DEVNULL)
    while not (run / "checkpoints" / "last.ckpt").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    subprocess.run(command(words), env=server.environment(), check=True, capture_output=True)
    upload = [sys.executable, "-m", "mclas_lightning.cli.main", "wandb", "sync", "--runs"]
    said = [
        subprocess.run(
            [*upload, tmp_path / "runs"],
            env=server.environment(),
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for _ in range(2)
    ]
    assert said == [
        "2 uploaded, of 1 runs; 0 uploaded before\n",
        "0 uploaded, of 0 runs; 2 uploaded before\n",
    ]
    (found,) = server.runs("offline").values()
    history = server.get(f"/api/v2/runs/{found['run_id']}/metrics")["metrics_by_key"]
    updates = [point["step"] for point in history["trainer/global_step"]]
    assert sorted(set(updates)) == list(range(1, 61))
    assert all(point["step"] == point["value"] for point in history["trainer/global_step"])
    assert server.said[found["run_id"]]["exit_code"] == 0
