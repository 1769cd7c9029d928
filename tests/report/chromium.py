"""A page in headless Chromium, at the end of a script of a test."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mclas_lightning.page_policy import with_policy

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no chromium on this machine"
)


def title_after(script: str, page: str, folder: Path, width: int) -> str:
    """The title of ``page`` after ``script``, in a window of ``width`` pixels."""
    probed = with_policy(page.replace("</body>", f"<script>{script}</script></body>"))
    (folder / "page.html").write_text(probed, encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
         f"--user-data-dir={folder}/profile", "--dump-dom", f"file://{folder}/page.html"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title, done.stderr[-500:]
    return title[1]
