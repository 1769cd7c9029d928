import json
from pathlib import Path

import pytest
import torch
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.inference.trained import (
    dataset_of,
    decoding_of,
    load_summarizer,
    ms_run,
    network_of,
    task_of,
    tokenizer_of,
    weights_of,
)
from mclas_lightning.runs.run import Run
from tests.test_train import go


@pytest.fixture
def ms(trained) -> Path:
    """A finished ms run."""
    return trained("model=ms", "scenario=full")


def test_a_run_of_an_earlier_version_is_named(words, ms):
    path = ms / "config.yaml"
    config = yaml.safe_load(path.read_text())
    del config["model"]["bos_after_lsep"]
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(InputError, match=r"is not of this version \(model: 'bos_after_lsep'\)"):
        go(words, "model=ncls", f"init_from={ms}")


def test_a_run_with_two_decoders_is_refused_as_initialization(words, trained):
    run = trained("model=ncls_ms")
    with pytest.raises(InputError, match="is a run of model 'ncls_ms'; give one of model=ms"):
        go(words, "model=mclas", f"init_from={run}")


def test_a_run_is_read_as_it_was_started(words, trained):
    run = Run(trained("model=mclas"))
    settings, _ = read_settings(compose("train", [*words, "model=mclas"]))
    assert task_of(run) == settings.task
    assert dataset_of(run) == settings.dataset
    assert decoding_of(run) == settings.decoding
    network, fingerprint = network_of(run)
    assert network.decoders == ("decoder",)
    summarizer = load_summarizer(run)
    assert summarizer.tokenizer.fingerprint == fingerprint
    state = weights_of(run)
    for name, tensor in summarizer.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_a_network_of_another_version_is_named(trained):
    run = Run(trained("model=mclas"))
    sizes = json.loads((run.folder / "network.json").read_text())
    del sizes["decoder"]["heads"]
    (run.folder / "network.json").write_text(json.dumps(sizes))
    with pytest.raises(InputError, match=r"network\.json: not a network of this version \(.*heads"):
        network_of(run)


def test_the_weights_of_another_network_are_named(trained):
    run = Run(trained("model=mclas"))
    checkpoint = torch.load(run.best, weights_only=True)
    checkpoint["state_dict"]["network.output_bias"] = torch.zeros(7)
    torch.save(checkpoint, run.best)
    said = r"best\.ckpt: tensor 'output_bias' has size \[7\], the network of network\.json \["
    for read in (load_summarizer, weights_of):
        with pytest.raises(InputError, match=said):
            read(run)


def test_a_run_without_its_tokenizer_asks_no_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(Tokenizer, "load", lambda name: pytest.fail(f"{name} was looked for"))
    with pytest.raises(InputError, match="v/tokenizer: no such folder; restore it"):
        tokenizer_of(Run(tmp_path / "v"))


def test_an_ms_run_is_found_by_its_folder_or_that_of_its_seeds(ms, tmp_path):
    assert ms_run(str(ms), 0, "init_from").folder == ms
    assert ms_run(str(ms.parent), 0, "init_from").folder == ms
    with pytest.raises(InputError, match="ms: no run here; train one first with model=ms"):
        ms_run(str(ms.parent), 1, "init_from")
    (ms / "training.json").unlink()
    with pytest.raises(InputError, match="its training has not ended; run the same mclas-train"):
        ms_run(str(ms), 0, "init_from")
