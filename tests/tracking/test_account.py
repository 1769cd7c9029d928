import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.tracking import account, loggers


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "WANDB_MODE",
            "offlin",
            "WANDB_MODE: Input should be 'online', 'offline', .*found 'offlin'",
        ),
        ("WANDB_MODE", "", "WANDB_MODE: .*found ''"),
        ("WANDB_BASE_URL", "server", "WANDB_BASE_URL: Input should be a valid URL.*found 'server'"),
    ],
)
def test_a_variable_of_wandb_that_is_mistyped_is_one_line(
    mirrored, monkeypatch, variable, value, said
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=said) as caught:
        loggers.build_loggers(read_settings(compose("train", mirrored))[0].logger)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=said):
        account.check_account()


@pytest.mark.parametrize(
    ("setting", "found"), [("offline", "offline"), ("disabled", "disabled"), ("online", "online")]
)
def test_wandbs_own_settings_file_counts(tmp_path, monkeypatch, setting, found):
    """`wandb offline` and `wandb disabled` write it."""
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "settings").write_text(f"[default]\nmode = {setting}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_MODE")
    assert account.wandb_mode() == found
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert account.wandb_mode() == "offline"


# The client of W&B keeps what it knows of an account until its process ends.
CHECK = """
from mclas_lightning.errors import exits_cleanly
from mclas_lightning.tracking.account import check_account

exits_cleanly(check_account)()
"""


class Refuses(BaseHTTPRequestHandler):
    """A server that knows no key."""

    def do_POST(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def check(home: Path, **variables: str) -> str:
    """The line that a process without an account but ``variables`` ends with."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    nobody = {"NETRC": str(home / "netrc"), "WANDB_CONFIG_DIR": str(home / "wandb")}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env={**kept, **nobody, **variables}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    return line


def test_a_missing_key_is_one_line(tmp_path):
    assert re.fullmatch(
        r"error: W&B: no key for https://\S+; log in with `wandb login` or WANDB_API_KEY",
        check(tmp_path),
    )


def test_a_key_that_is_refused_is_one_line(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        line = check(tmp_path, WANDB_API_KEY=40 * "a", WANDB_BASE_URL=address)
        server.shutdown()
    assert line.startswith(f"error: W&B: {address} does not accept the key; log in with")
