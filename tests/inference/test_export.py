"""A trained run, exported and loaded again."""

import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from mclas_lightning import Summarizer
from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.inference import export
from mclas_lightning.inference.export import export_run, find_run, push
from mclas_lightning.inference.trained import load_summarizer, tokenizer_of, weights_of
from mclas_lightning.runs.exported import opened
from mclas_lightning.runs.identity import resolved_config
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from tests.conftest import examples, outcome

TEXTS = [example.document for example in examples(11, 100)]


def exported(run: Path, out: Path, *, half: bool = False) -> Path:
    export_run(Run(run), out, half=half, place="here", license="other")
    return out


@pytest.fixture(scope="module")
def folder(finished_run, tmp_path_factory) -> Path:
    return exported(finished_run, tmp_path_factory.mktemp("exported") / "out")


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    """A copy of the exported folder, to be changed."""
    return shutil.copytree(folder, tmp_path / "copy")


def changed(folder: Path, change) -> None:
    """Let ``change`` edit config.json."""
    about = json.loads((folder / "config.json").read_text())
    change(about)
    (folder / "config.json").write_text(json.dumps(about))


def replaced(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its size and hash in config.json, as an attacker would."""
    (folder / name).write_bytes(content)
    entry = [len(content), sha256(folder / name)]
    changed(folder, lambda about: about["files"].update({name: entry}))


def logits(run: Run) -> torch.Tensor:
    summarizer = load_summarizer(run)
    network = summarizer.network.eval()
    source_BS = torch.tensor(summarizer.tokenizer.encode_sources(TEXTS[:1], 41))
    memory = network.encode(source_BS)
    return network.logits(network.hidden("decoder", torch.tensor([[4, 9, 11]]), memory))


def test_an_exported_run_has_the_runs_logits_and_summaries(finished_run, folder):
    assert torch.equal(logits(opened(Run(folder))), logits(Run(finished_run)))
    ours, theirs = (Summarizer.load(each, device="cpu") for each in (folder, finished_run))
    assert ours(TEXTS, n_best=2) == theirs(TEXTS, n_best=2)
    assert ours.decoding == theirs.decoding
    tokenizers = [tokenizer_of(run) for run in (opened(Run(folder)), Run(finished_run))]
    assert tokenizers[0].content_hash == tokenizers[1].content_hash
    assert tokenizers[0].special == tokenizers[1].special


def test_float16_takes_half_the_room_and_changes_little(finished_run, folder, tmp_path):
    half = exported(finished_run, tmp_path / "half", half=True)
    sizes = [(each / "model.safetensors").stat().st_size for each in (half, folder)]
    assert sizes[0] < 0.6 * sizes[1]
    found = logits(opened(Run(half)))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, logits(Run(finished_run)), rtol=0.01, atol=0.01)


def test_nothing_of_this_machine_is_exported(folder, finished_run):
    texts = "".join((folder / name).read_text() for name in ("config.json", "README.md"))
    assert str(finished_run.parents[4]) not in texts


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "vocabulary/cross.json"])
def test_a_changed_or_missing_file_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[-3] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: has another size or hash"):
        Summarizer.load(copy)
    (copy / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        Summarizer.load(copy)


class Bomb:
    """An object whose pickle creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_under_a_safetensors_name_is_refused_and_not_executed(copy, tmp_path):
    replaced(copy, "model.safetensors", pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(InputError, match="not a file of safetensors"):
        Summarizer.load(copy)
    assert not (tmp_path / "exploded").exists()


def test_a_tokenizer_that_is_none_is_refused(copy):
    replaced(copy, "tokenizer.json", b"{}")
    with pytest.raises(InputError, match=r"tokenizer.json: not a tokenizer's file"):
        Summarizer.load(copy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a["files"].update({"../../x": [1, ""]}), "leaves the folder"),
        (lambda a: a["network"]["encoder"].update(auto_map={"AutoModel": "x"}), "'auto_map'"),
        (lambda a: a["network"]["encoder"].update(_attn_implementation="x/y"), "'_attn_impl"),
        (lambda a: a["network"]["encoder"].update(model_type="nothing"), "not a network of"),
        (lambda a: a["network"]["encoder"].update(hidden_size=10**9), "tensor .* has size"),
        (lambda a: a["network"].pop("decoder"), "not a network of this version"),
        (lambda a: a["network"]["decoder"].update(layers="two"), "not a network of this version"),
        (lambda a: a["network"]["decoder"].update(layers=10**9), "layers, and [0-9]+ tensors"),
        (lambda a: a["network"]["encoder"].update(num_hidden_layers=10**9), "layers, and "),
        (lambda a: a["network"].update(decoders=["other"]), "tensor 'decoders.* has size"),
        (lambda a: a["model"].update(targets={"x": ["mono", "cross"]}), "decoders of its model, x"),
        (lambda a: a["dataset"].update(max_source=10**9), "max_source: expected from 1 to"),
        (
            lambda a: a["dataset"].pop("name"),
            "its configuration is not of this version .* make it again",
        ),
        (lambda a: a["decoding"].update(beam=10**9), "decoding.beam: expected from 1 to 1000"),
        (lambda a: a.update(trainer=3), "'trainer' is missing or no object"),
        (lambda a: a["model"].pop("targets"), "is a pipeline"),
        (lambda a: a["decoding"].update(beam=0), "decoding"),
        (lambda a: a.update(format=2), "expected format 1, found 2"),
    ],
)
def test_a_config_that_is_not_an_exports_is_refused(copy, change, said):
    changed(copy, change)
    found = str(outcome(lambda: Summarizer.load(copy)))
    assert re.search(said, found)
    assert len(found.removeprefix(str(copy))) < 400


@pytest.mark.parametrize("model", ["tltran", "oracle"])
def test_a_system_without_a_network_is_not_exported(tmp_path, model):
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump(resolved_config(compose("train", ["dataset=toy", f"model={model}"])))
    )
    with pytest.raises(InputError, match="is a pipeline or a baseline, which has no network"):
        exported(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_decodes_in_the_precision_of_the_runs_training(finished_run, tmp_path):
    run = shutil.copytree(finished_run, tmp_path / "run")
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"]["precision"] = "bf16-mixed"
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    folder = exported(run, tmp_path / "out")
    assert load_summarizer(opened(Run(folder))).trained_in == "bf16-mixed"
    changed(folder, lambda about: about.pop("trainer"))
    assert load_summarizer(opened(Run(folder))).trained_in == "None"


def test_only_an_earlier_export_is_replaced(finished_run, copy, tmp_path):
    (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match="exists and is no earlier export"):
        exported(finished_run, tmp_path / "own")
    (copy / "README.md").write_text("old")
    exported(finished_run, copy)
    assert (copy / "README.md").read_text() != "old"
    for name in (".git", "LICENSE"):
        (copy / name).mkdir()
        with pytest.raises(InputError, match=f"holds '{name}', which no export writes"):
            exported(finished_run, copy)
        (copy / name).rmdir()


def test_a_training_that_has_not_ended_is_not_exported(trained, tmp_path):
    run = trained("model=ncls")
    (run / "training.json").unlink()
    with pytest.raises(InputError, match="has not ended"):
        exported(run, tmp_path / "out")


def test_a_training_starts_from_an_exported_folder_as_from_its_run(trained, words, tmp_path):
    ms = trained("model=ms")
    folder = exported(ms, tmp_path / "ms")
    states = []
    for name, start in (("ours", folder), ("theirs", ms)):
        train(compose("train", [*words, "model=ncls", f"model.name={name}", f"init_from={start}"]))
        states.append(weights_of(Run(tmp_path / "runs/small/minimum" / name / "seed=0")))
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_an_export_is_uploaded_whole(folder, monkeypatch):
    calls = []

    class Hub:
        def create_repo(self, name, exist_ok):
            calls.append((name, exist_ok))
            return f"https://hub/{name}"

        def upload_folder(self, repo_id, folder_path):
            calls.append((repo_id, folder_path))

    monkeypatch.setattr(export, "HfApi", Hub)
    assert push(folder, "me/it") == "https://hub/me/it"
    assert calls == [("me/it", True), ("me/it", folder)]


def test_a_hub_that_does_not_answer_is_one_line(folder):
    assert "--push me/it: the hub did not take it" in str(outcome(lambda: push(folder, "me/it")))
    assert "expected user/name" in str(outcome(lambda: push(folder, "it")))
    assert "no hub delivered" in str(outcome(lambda: Summarizer.load("nobody/nothing")))


def test_a_name_on_a_hub_is_downloaded_without_its_other_files(folder, monkeypatch, tmp_path):
    asked = []

    def download(name, allow_patterns):
        asked.append((name, allow_patterns))
        return str(folder if name == "me/it" else tmp_path)

    monkeypatch.setattr(export, "snapshot_download", download)
    assert Summarizer.load("me/it", device="cpu")(TEXTS[:1]) == Summarizer.load(
        folder, device="cpu"
    )(TEXTS[:1])
    assert asked[0][1] == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "vocabulary/*.json",
    ]
    with pytest.raises(InputError, match="is no export of mclas-lightning"):
        find_run("me/other")


def test_a_folder_that_is_none_of_these_is_refused(tmp_path):
    for name in (tmp_path, "nowhere", "a/b/c"):
        said = str(outcome(lambda n=name: find_run(n)))
        assert "neither the folder of a trained run, .../seed=<n>, nor an exported" in said


def test_a_disk_too_small_for_the_weights_is_one_line_and_leaves_nothing(finished_run, tmp_path):
    code = (
        "import resource, sys\n"
        "from mclas_lightning.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "export", str(finished_run), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(r"error: .*out: cannot be written \(.*File too large.*\n", done.stderr)
    assert list(tmp_path.iterdir()) == []
