"""Headless Chromium, driven by real key presses and clicks through its debugging pipe."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

CODES = {"Enter": 13, "Backspace": 8, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38,
         "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "PageUp": 33, "PageDown": 34}  # fmt: skip


class Browser:
    """One window; ``folder`` keeps the profile, so that a second window goes on with it."""

    def __init__(self, folder: Path, width=1280, height=900, dark=False, language="en") -> None:
        (read, self._write), (self._read, write) = os.pipe(), os.pipe()
        command = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--remote-debugging-pipe", f"--user-data-dir={folder}/profile",
            f"--accept-lang={language}", f"--window-size={width},{height}", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "bash", *command],
            pass_fds=(read, write),
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._answers, self._number, self._session = b"", 0, None
        (page, *_) = [
            one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"
        ]
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.downloads = folder / "downloads"
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self._session = attached["sessionId"]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self.call("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a message of the DevTools protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._answers:
                received = os.read(self._read, 1 << 20)
                assert received, "the browser has ended"
                self._answers += received
            raw, self._answers = self._answers.split(b"\0", 1)
            answer = json.loads(raw)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    @contextmanager
    def second_tab(self) -> Iterator[None]:
        """Within the context, all calls are of a new tab."""
        first, self._session = self._session, None
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", flatten=True, **target)
        self._session = attached["sessionId"]
        yield
        self._session = first

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until the expression is true."""
        end = time.monotonic() + 30
        while not self.run(script):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)

    def open(self, page: Path) -> None:
        """Open a file, or open it anew."""
        self.call("Page.navigate", url=page.as_uri())
        here = f"location.href === {json.dumps(page.as_uri())}"
        self.wait(f"{here} && !!document.querySelector('main h1, main .desk')")

    def press(self, *keys: str) -> None:
        """Press keys one by one: a character, or a key's name such as ``Enter``."""
        for key in keys:
            self.hold(key, repeats=0)

    def hold(self, key: str, repeats=3) -> None:
        """Hold a key down, which then repeats, and let it go."""
        code = f"Digit{key}" if key.isdigit() else f"Key{key.upper()}" if len(key) == 1 else key
        same = {
            "key": key,
            "code": code,
            "windowsVirtualKeyCode": CODES.get(key, ord(key[0].upper())),
        }
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        for n in range(repeats + 1):
            down = {"type": "keyDown", "text": text, "autoRepeat": n > 0}
            self.call("Input.dispatchKeyEvent", **down, **same)
        self.call("Input.dispatchKeyEvent", type="keyUp", **same)

    def click(self, script: str) -> None:
        """Click the middle of the element that the expression gives."""
        self.run(f"({script}).scrollIntoView({{block: 'center'}})")
        x, y = self.run(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])(({script}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def downloaded(self, name: str) -> Path:
        """A downloaded file, once it is whole."""
        path, end = self.downloads / name, time.monotonic() + 30
        while not path.exists():
            assert time.monotonic() < end, f"never downloaded: {name}"
            time.sleep(0.05)
        return path

    def screenshot(self, path: Path) -> None:
        """What the window shows, as a PNG."""
        shot = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))
