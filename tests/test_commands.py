"""Commands that the program prints run as printed, whatever the names in them."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import wandb
from hydra.core.override_parser.overrides_parser import OverridesParser

from mclas_lightning.cli import demo as demo_module
from mclas_lightning.cli.main import parser
from mclas_lightning.config.compose import compose
from mclas_lightning.config.overrides import hydra_arguments, override
from mclas_lightning.config.settings import read_settings
from mclas_lightning.convert import e5, released_run
from mclas_lightning.corpora.build import build_vocabulary
from mclas_lightning.corpora.importing import describe_import
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.words import is_run_folder
from mclas_lightning.example import write_jsonl
from mclas_lightning.human import sheet
from mclas_lightning.report.table1 import table1_sheets
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.status import plan_lines
from mclas_lightning.tracking.wandb_logger import WandbMirror
from tests.conftest import examples

SOURCE = Path(__file__).parents[1] / "src"

NONE = {"entity": None, "tags": [], "samples": 0, "timeout": 9, "finish_timeout": 9}  # of W&B

NAMES = [
    'a, b = #1 (größer) & it\'s {"$HOME"}',
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("1e5", "a,b", "x=1")),
]

Printed = tuple[str, list[str]]  # what is printed, and the names that its commands must bring along


def said_by(function: Callable[[], object]) -> str:
    with pytest.raises(InputError) as raised:
        function()
    return str(raised.value)


def missing_toy(name: str, **_) -> Printed:
    dataset = read_settings(compose("train", ["dataset=toy", override("data", name)]))[0].dataset
    return said_by(dataset.check_files), [f"{name}/toy"]


def missing_debian(name: str, **_) -> Printed:
    words = ["dataset=debian_en2de", override("data", name)]
    return said_by(read_settings(compose("train", words))[0].dataset.check_files), [
        f"{name}/debian"
    ]


def missing_tokenizer(name: str, **_) -> Printed:
    write_jsonl(Path(name, "train.jsonl"), examples(3))
    return said_by(lambda: Tokenizer.load(f"{name}/tokenizer")), [name]


def missing_e5(name: str, **_) -> Printed:
    return said_by(lambda: Tokenizer.load(f"{name}/e5-small")), [f"{name}/e5-small"]


def imported(name: str, **_) -> Printed:
    manifest = {"files": {}, "counts": {}, "unknown_tags": {}}
    return "\n".join(describe_import(Path(name), manifest)), [name]


def table_1(name: str, **_) -> Printed:
    (note,) = table1_sheets(Path(name))[-1].notes
    return note.split("`", 1)[1].rsplit("`", 1)[0], [f"{name}/en2zhsum"]


def vocabulary(name: str, *, tokenizer: Tokenizer, capsys, **_) -> Printed:
    write_jsonl(Path("corpus", "train.jsonl"), examples(9))
    place = {"released": {}, "store": Path("store")}
    build_vocabulary(Path("corpus"), Path(name), tokenizer, "en", "de", **place)
    return capsys.readouterr().out, [name]


def e5_small(name: str, **_) -> Printed:
    Path(name).mkdir()
    source = {"pieces": 1, "pieces_in_package": 2, "parameters": 3}
    return "\n".join(e5.describe_package(Path(name), source, Path("default"))), [name]


def human_sheet(name: str, *, monkeypatch, capsys, **_) -> Printed:
    monkeypatch.setattr(sheet, "first_runs", lambda *_: [])
    monkeypatch.setattr(sheet, "write_sheets", lambda *_: SimpleNamespace(systems=[]))
    words = [
        "--dataset",
        "toy",
        "--scenario",
        "full",
        "--models",
        "a,b",
        "--runs",
        name,
        "--out",
        f"{name} out",
    ]
    asked = parser().parse_args(["human", "sheet", *words])
    asked.run(asked)
    return capsys.readouterr().out, [f"{name} out", name]


def demo(name: str, *, monkeypatch, capsys, **_) -> Printed:
    for step in ("train", "_show", "_print_estimate", "_build_if_missing"):
        monkeypatch.setattr(demo_module, step, lambda *_: None)
    demo_module.demo("debian_en2de", [override("runs", name)])
    return capsys.readouterr().out, [name]


def sweep_plan(name: str, **_) -> Printed:
    return "\n".join(plan_lines(plan_runs(["toy"], ["seed=0", override("runs", name)]))), [name]


def two_runs_in_one_folder(name: str, **_) -> Printed:
    words = ["seed=0", "run_dir=one", override("data", name)]
    return said_by(lambda: plan_runs(["toy"], words)).replace("; ", "\n"), [name]


def imported_checkpoint(name: str, *, monkeypatch, capsys, **_) -> Printed:
    shape = SimpleNamespace(encoder={"num_hidden_layers": 1}, decoder=SimpleNamespace(layers=1))
    monkeypatch.setattr(released_run, "import_checkpoint", lambda *_: (shape, "", {}))
    Path(name).mkdir()
    asked = parser().parse_args(["import-checkpoint", "x.pt", name, "dataset=toy", "model=ms"])
    asked.run(asked)
    return capsys.readouterr().out, [name]


def offline_wandb(name: str, *, monkeypatch, capsys, **_) -> Printed:
    begun = SimpleNamespace(define_metric=lambda *_, **__: None)
    monkeypatch.setattr(wandb, "init", lambda **_: begun)
    monkeypatch.setattr(WandbMirror, "_run_id", lambda _: "id")
    words = dict.fromkeys(("project", "name", "group", "job_type"), "x")
    logger = WandbMirror(**words, **NONE, offline=True, run_dir=name)
    assert logger.experiment is begun
    return capsys.readouterr().out, [name]


PRINTED = [
    *(missing_toy, missing_debian, missing_tokenizer, missing_e5, imported, table_1, vocabulary),
    *(e5_small, human_sheet, demo, sweep_plan, two_runs_in_one_folder, imported_checkpoint),
    offline_wandb,
]


def brought(line: str) -> Iterator[object]:
    """What a printed command brings to its program, through a shell and the program's parser."""
    program, *words = shlex.split(line, comments=True)
    if program == "mclas":
        yield from map(str, flat(vars(parser().parse_args(words))))
        return
    words = [word for word in words if word != "..."]
    if program == "mclas-evaluate":
        assert is_run_folder(words[0])
        yield words.pop(0)
    assert hydra_arguments(words) == words
    yield from (word.value() for word in OverridesParser.create().parse_overrides(words))


def flat(values: dict[str, object]) -> Iterator[object]:
    for value in values.values():
        yield from value if isinstance(value, list) else [value]


@pytest.mark.parametrize("printed", PRINTED, ids=lambda function: function.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_command_brings_the_names_that_were_meant(
    printed, name, tmp_path, monkeypatch, capsys, tokenizer
):
    monkeypatch.chdir(tmp_path)
    text, names = printed(name, monkeypatch=monkeypatch, capsys=capsys, tokenizer=tokenizer)
    commands = re.findall(r"mclas(?:-train|-evaluate| [a-z]).*", text)
    found = [value for line in commands for value in brought(line)]
    assert set(names) <= set(found)


def test_commands_are_quoted_in_one_place():
    """`config.overrides.command` alone puts a value into a command."""
    begun = re.compile(r"mclas(-train|-evaluate| [a-z]+)( [\w.=-]+)*[ =/'\"]$")
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [getattr(node, "module", None), *(alias.name for alias in node.names)]
                assert "shlex" not in named or path.name == "overrides.py", path
            if isinstance(node, ast.JoinedStr):
                for before, after in zip(node.values, node.values[1:], strict=False):
                    if isinstance(before, ast.Constant) and isinstance(after, ast.FormattedValue):
                        assert not begun.search(str(before.value)), f"{path}:{node.lineno}"
