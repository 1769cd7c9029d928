import asyncio
import json
import os
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.heads.analysis import analyze
from mclas_lightning.heads.config import heads_config
from mclas_lightning.inference.translator_languages import NLLB_CODES
from mclas_lightning.runs.run import Run
from tests.human.browser import CHROMIUM, Browser

pytest.importorskip("gradio", reason="the extra 'app' is not installed")

DOCUMENT = "On day 3 there was a storm in Munich. People stayed inside."


@pytest.fixture
def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_port_in_use_is_one_line(free_port):
    from mclas_lightning.webapp.page import check_port

    check_port(free_port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(InputError, match=f"--port {free_port}: cannot be opened"):
            check_port(free_port)


def test_every_answer_holds_the_browser_to_this_server():
    from mclas_lightning.webapp.page import Policy

    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    asyncio.run(Policy(app)({}, None, send))
    policy = dict(sent[0]["headers"])[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy
    assert sent[0]["headers"][0] == (b"x", b"y")
    assert sent[1] == {"type": "http.response.body", "body": b""}


def test_languages_in_arabic_script_are_read_from_the_right():
    from mclas_lightning.webapp.page import RIGHT_TO_LEFT

    arabic = {language for language, code in NLLB_CODES.items() if code.endswith("_Arab")}
    assert {"ar", "ps"} <= arabic <= RIGHT_TO_LEFT


SLIDERS = """
import json, sys
from dataclasses import replace
from mclas_lightning.webapp.page import build
from mclas_lightning.webapp.systems import load_systems

(system,) = load_systems(sys.argv[1:], None, "cpu")
decoding = replace(system.summarizer.decoding, beam=13, length_penalty=2.7)
system = replace(system, summarizer=replace(system.summarizer, decoding=decoding))
parts = build([system], {}).config["components"]
sliders = [one["props"] for one in parts if one["type"] == "slider"]
print(json.dumps([[one["value"], one["maximum"]] for one in sliders]))
"""


def test_settings_begin_as_the_run_was_configured(finished_run):
    # gradio leaves an event loop open, which is no matter of this process.
    command = [sys.executable, "-c", SLIDERS, str(finished_run)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    # The server refuses a value beyond a slider's end.
    assert json.loads(said.splitlines()[-1]) == [[13, 13], [2.7, 2.7]]


class Page:
    """The page of some runs, in a process of its own."""

    def __init__(self, folders, port: int) -> None:
        command = [sys.executable, "-m", "mclas_lightning.cli.main", "app", *map(str, folders)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--device", "cpu"], stdout=subprocess.PIPE, text=True,
            # As on a machine that reaches no other one.
            env={**os.environ, "HF_HUB_OFFLINE": "1", "https_proxy": "http://127.0.0.1:9"},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


def paste(text: str) -> str:
    """JavaScript that writes a text as a person's paste does."""
    return (
        "(area => { Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')"
        f".set.call(area, {json.dumps(text)}); area.dispatchEvent(new Event('input', "
        "{bubbles: true})); })(document.querySelector('#document textarea'))"
    )


def opened(browser: Browser, address: str) -> None:
    # Without this, a window of a busy machine has no focus at times, and hears of none.
    browser.call("Emulation.setFocusEmulationEnabled", enabled=True)
    browser.call("Page.navigate", url=address)
    browser.wait(LOADED)


LOADED = "!!document.querySelector('#document textarea') && !!document.querySelector('#summarize')"


def summarized(ready: str) -> str:
    """JavaScript that presses the button, and again after 9 seconds, until ``ready``.

    A page that is still loading does not hear the button.
    """
    press = "window.at = Date.now(), document.querySelector('#summarize').click()"
    return f"{ready} || (Date.now() - (window.at || 0) > 9000 && ({press}), false)"


ELSEWHERE = (
    "performance.getEntriesByType('resource').map(one => new URL(one.name).origin)"
    ".filter(origin => origin !== location.origin)"
)


def refused(address: str, num: int) -> int:
    """How many of ``num`` documents that are sent at once are refused."""
    config = json.loads(urlopen(f"{address}config").read())
    (function,) = [one["id"] for one in config["dependencies"] if len(one["inputs"]) == 3]
    count = 0
    for number in range(num):
        record = {"data": [DOCUMENT, 2, 1], "fn_index": function, "session_hash": f"s{number}"}
        body, kind = json.dumps(record).encode(), {"Content-Type": "application/json"}
        try:
            urlopen(Request(f"{address}gradio_api/queue/join", body, kind)).close()
        except HTTPError as error:
            count += error.code == 503
    return count


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_reader_summarizes_a_document_with_two_runs(trained, tmp_path, free_port):
    folders = [trained("model=mclas"), trained("model=ncls")]
    analyze(Run(folders[0]), heads_config(), num=5)
    with Page(folders, free_port) as page:
        address = f"http://127.0.0.1:{free_port}/"
        assert page.said.startswith(address)
        for width, dark in ((1280, False), (390, True)):
            with Browser(tmp_path / f"browser-{width}", width=width, dark=dark) as browser:
                opened(browser, address)
                browser.run(paste(DOCUMENT))
                browser.wait(summarized("document.querySelectorAll('.mclas h4').length === 3"))
                names = browser.run(
                    "[...document.querySelectorAll('.mclas h3')].map(e => e.innerText)"
                )
                assert names == [*map(str, folders)]
                browser.run("document.querySelector('.mclas [data-to]').focus()")
                browser.wait("document.querySelectorAll('.mclas .on').length >= 2")
                browser.click("document.querySelectorAll('.mclas h3')[0]")
                assert browser.run("document.querySelectorAll('.mclas .on').length") == 0
                assert browser.run(ELSEWHERE) == []
                assert browser.run("document.documentElement.scrollWidth <= innerWidth")
                assert browser.run("document.body.classList.contains('dark')") == dark
                tops = browser.run(
                    "[...document.querySelectorAll('.mclas')].map(e => e.getBoundingClientRect().x)"
                )
                assert (tops[0] == tops[1]) == (width == 390)  # one below the other on a phone
        with Browser(tmp_path / "browser-examples") as browser:
            opened(browser, address)
            browser.wait(
                "!!document.querySelector('[role=option]') || (input => { input.blur(); "
                "input.focus(); return false; })(document.querySelector('#examples input'))"
            )
            browser.click("document.querySelectorAll('[role=option]')[1]")
            browser.wait("document.querySelector('#document textarea').value.startsWith('On day')")
        assert refused(address, 20) >= 5  # One is summarized, and some wait.
