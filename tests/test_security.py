"""What SECURITY.md promises of code, files and servers."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.model.checkpoint import load_checkpoint, pretrained_config
from mclas_lightning.report import page
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.tables import TableRequest
from mclas_lightning.sweep.state import write_failure
from mclas_lightning.train import train
from tests.conftest import small_network

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for name in ("src", "benchmarks") for path in (ROOT / name).rglob("*.py"))

# Functions that run a text as code or as a command of a shell, or load objects of any class.
FORBIDDEN = re.compile(
    r"(os\.(system|popen)|subprocess\.get(status)?output|eval|exec|pickle\.loads?|marshal\.loads?"
    r"|shelve\.open|yaml\.(unsafe_load|full_load)(_all)?|.*\.extractall|joblib\.load|pd\.read_pickle)"
)
# The released code's checkpoints, whose unpickler makes no class of a file (tests/convert).
INERT = {"convert/released.py": "torch.load(path, map_location='cpu', pickle_module=_inert, "}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls in a file, each with the name of what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def given(call: ast.Call, name: str) -> object:
    """The constant value of a keyword; None where it is not given."""
    found = next((word.value for word in call.keywords if word.arg == name), None)
    return getattr(found, "value", None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_runs_a_text_or_goes_through_a_shell_or_loads_any_class(path):
    for name, call in calls(path):
        assert not FORBIDDEN.fullmatch(name), f"{path}:{call.lineno}: {name}"
        assert given(call, "shell") in (None, False), f"{path}:{call.lineno}: shell"
        assert not given(call, "allow_pickle"), f"{path}:{call.lineno}: allow_pickle"
        if name.endswith(".from_pretrained") and name.startswith("Auto"):
            assert given(call, "trust_remote_code") is False, f"{path}:{call.lineno}: {name}"
        if name == "yaml.load":
            assert ast.unparse(call.args[1]) == "loader", f"{path}: names a safe loader"
        inert = next((v for k, v in INERT.items() if path.as_posix().endswith(k)), "\0")
        if name == "torch.load" and not ast.unparse(call).startswith(inert):
            assert given(call, "weights_only") is True, f"{path}:{call.lineno}: weights_only"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_server_listens_to_other_machines(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not texts & {"0.0.0.0", "::"}
    hosts = {"'127.0.0.1'", "HOST"} if "127.0.0.1" in texts else set()
    for name, call in calls(path):
        if name.endswith(".bind"):
            (pair,) = call.args
            assert isinstance(pair, ast.Tuple), f"{path}:{call.lineno}"
            assert ast.unparse(pair.elts[0]) in hosts, f"{path}:{call.lineno}"
        assert given(call, "share") in (None, False), f"{path}:{call.lineno}: gradio's tunnel"


class Harmful:
    """An object whose pickle makes a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_runs_no_code(tmp_path):
    torch.save({"state_dict": {}, "extra": Harmful(tmp_path / "harmed")}, tmp_path / "best.ckpt")
    with pytest.raises(InputError, match="not a whole checkpoint"):
        load_checkpoint(tmp_path / "best.ckpt")
    assert not (tmp_path / "harmed").exists()


def test_an_encoder_of_others_runs_no_code_of_its_folder(tmp_path):
    BertConfig(num_hidden_layers=1).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "harmful", "auto_map": {"AutoConfig": "code.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'harmed')!r}, 'w')")
    with pytest.raises(InputError, match="neither a folder with a model"):
        pretrained_config(str(tmp_path))
    assert not (tmp_path / "harmed").exists()
    torch.save(Harmful(tmp_path / "harmed"), tmp_path / "pytorch_model.bin")
    BertConfig(**small_network().config.encoder).save_pretrained(tmp_path)
    from mclas_lightning.model.checkpoint import load_pretrained_encoder

    with pytest.raises(Exception, match=r"(?s)."):
        load_pretrained_encoder(small_network(), str(tmp_path))
    assert not (tmp_path / "harmed").exists()


CANARIES = {
    "WANDB_API_KEY": "canary0123456789" + "0" * 24,
    "HF_TOKEN": "hf_canary0123456789",
    "SMTP_PASSWORD": "canary-of-a-password",
}
LOGIN = "canary:canary-login"


@pytest.fixture
def canaries(monkeypatch) -> list[str]:
    """Secrets in the environment, in proxies too."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FTP_PROXY", f"http://{LOGIN}@127.0.0.1:9/")
    return [*CANARIES.values(), LOGIN.split(":")[1]]


def leaks(folder: Path, secrets: list[str]) -> list[str]:
    """The files below ``folder`` that hold a secret."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert paths
    return [
        f"{path}: {secret}"
        for path in paths
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


@pytest.mark.slow
def test_nothing_that_a_run_writes_holds_a_secret(words, tmp_path, canaries, capfd):
    """Training, evaluation, W&B offline, TensorBoard, a report and a failure."""
    pytest.importorskip("tensorboard")
    for logger in ("wandb", "tensorboard"):
        more = ["model=mclas", f"logger={logger}", f"model.name={logger}"]
        results = train(compose("train", [*words, *more]))
        assert results is not None
        evaluate(compose("evaluate", [*words, *more, "scored=valid"]))
    runs = Runs(tmp_path / "runs")
    found = page.full_report(TableRequest(runs, ["small"], data=tmp_path))
    (tmp_path / "report.html").write_text(page.page_html(found, runs.folder, "pages"))
    assert list(tmp_path.rglob("*.wandb"))
    assert list(tmp_path.rglob("events.out.*"))
    assert leaks(tmp_path, canaries) == []
    shown = capfd.readouterr()
    assert not [secret for secret in canaries if secret in shown.out + shown.err]


def test_a_failure_is_noted_without_secrets(tmp_path, canaries):
    said = f"cannot reach https://{LOGIN}@host/ with {CANARIES['HF_TOKEN']}"
    write_failure(tmp_path, said, 1, tmp_path / "log.txt")
    assert "cannot reach https://<hidden>@host/" in (tmp_path / "failure.json").read_text()
    assert leaks(tmp_path, canaries) == []


@pytest.mark.parametrize(
    "word",
    [
        f"dataset.tokenizer=https://{LOGIN}@host/x",
        "dataset.name=${oc.env:HF_TOKEN}",
        f"+logger.entity={CANARIES['WANDB_API_KEY']}",
    ],
)
def test_a_secret_in_the_configuration_is_refused_before_it_is_written(
    words, word, canaries, tmp_path
):
    with pytest.raises(InputError, match="holds a password or the value of a secret") as raised:
        train(compose("train", [*words, "model=mclas", word]))
    assert not [secret for secret in canaries if secret in str(raised.value)]
    assert not (tmp_path / "runs").exists()
