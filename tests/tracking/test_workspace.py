import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from mclas_lightning.tracking.workspace import build_workspace, workspace_json


def panels(spec: dict) -> dict[str, list[dict]]:
    """The panels of each section."""
    sections = spec["section"]["panelBankConfig"]["sections"]
    return {section["name"]: section["panels"] for section in sections}


def test_the_dashboard_compares_scenarios_and_models_over_updates():
    spec = json.loads(workspace_json(build_workspace("mine", "me")))["spec"]
    of = panels(spec)
    curves = of["Curves by scenario and model"]
    assert {panel["config"]["xAxis"] for panel in curves} == {"trainer/global_step"}
    assert "val/loss" in {panel["config"]["metrics"][0] for panel in curves}
    bars = [panel for panel in of["ROUGE by model"] if panel["viewType"] == "Bar Chart"]
    assert "summary_metrics.test/cross/rougeL_f" in {b["config"]["metrics"][0] for b in bars}
    (coordinates,) = of["Configuration and scores"]
    axes = [column["accessor"] for column in coordinates["config"]["columns"]]
    # A key with dots would become a path into nested values, which ours has not.
    assert "config:optim/encoder/lr.value" in axes
    assert "summary:test/cross/rouge1_f" in axes
    assert "test/samples" in json.dumps(of["Summaries"])
    (runs,) = spec["section"]["runSets"]
    assert [key["name"] for key in runs["grouping"]] == ["group", "jobType"]
    (left_out,) = runs["filters"]["filters"]
    assert (left_out["key"]["name"], left_out["op"], left_out["value"]) == (
        "jobType",
        "!=",
        "decoding",
    )


class Server(BaseHTTPRequestHandler):
    """As much of W&B as the saving of a view asks for; ``saved`` keeps the views."""

    saved: list[dict] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.endswith("/graphql"):
            self.send_error(404)
            return
        asked = json.loads(body)
        data: dict = {"viewer": {"id": "1", "entity": "me", "username": "me"}}
        if "upsertView" in asked.get("query", ""):
            self.saved.append(asked["variables"])
            data = {"upsertView": {"view": {"id": "v", "name": "nw-x-v"}, "inserted": True}}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def test_online_it_is_saved_as_a_view_of_the_project(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        variables = {
            "WANDB_API_KEY": 40 * "a",
            "WANDB_BASE_URL": f"http://127.0.0.1:{server.server_port}",
            "NETRC": str(tmp_path / "netrc"),
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
        command = [sys.executable, "-m", "mclas_lightning.cli.main", "wandb", "workspace"]
        done = subprocess.run(
            [*command, "--project", "mine"], env=kept | variables, capture_output=True, text=True
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert f"{variables['WANDB_BASE_URL']}/me/mine?nw=" in done.stdout
    (view,) = Server.saved
    assert (view["entityName"], view["projectName"]) == ("me", "mine")
    assert list(panels(json.loads(view["spec"]))) == list(
        panels(json.loads(workspace_json(build_workspace("mine", "me")))["spec"])
    )
