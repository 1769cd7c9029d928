"""What version 0.1.0 left on a disk still works: runs, their configurations, a store, queued jobs.

``fixtures/earlier`` was written by that version, but for the weights, which each test makes anew.
"""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from mclas_lightning.cli.main import parser
from mclas_lightning.config.compose import compose
from mclas_lightning.evaluate import evaluate
from mclas_lightning.evaluation.words import config_for_run
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.sweep.slurm import Job
from mclas_lightning.train import train

EARLIER = Path(__file__).parent / "fixtures" / "earlier"
MS, MCLAS = "runs/small/full/ms/seed=0", "runs/small/minimum/mclas/seed=0"
# The words that both runs were started with.
SHARED = (
    *("dataset=jsonl", "dataset.name=small", "dataset.source=en", "dataset.target=de"),
    *("dataset.path=corpus", "dataset.sizes={minimum:12,full:1.0}", "dataset.max_source=60"),
    *("network=tiny", "network.encoder.width=8", "network.encoder.heads=2"),
    *("network.decoder.heads=2", "network.encoder.feed_forward=8"),
    *("network.decoder.feed_forward=8", "network.encoder.layers=1", "network.decoder.layers=1"),
    *("network.encoder.max_positions=64", "optim=tiny", "optim.updates={minimum:6,full:6}"),
    *("optim.validations=3", "optim.max_tokens=256", "decoding=short", "decoding.beam=2"),
    *("decoding.max_length=8", "trainer.accelerator=cpu", "trainer.log_every_n_steps=1"),
    *("optim.batch_unit=both", "optim.recipe.batch_unit=both", "optim.monitor=joint"),
    "optim.patience=4",
    "store=store",
)
OF_MCLAS = (*SHARED, "model=mclas", "scenario=minimum", "init_from=runs/small/full/ms")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """A command, called in a copy of what was left; returns what it printed."""
    shutil.copytree(EARLIER, tmp_path / "earlier")
    monkeypatch.chdir(tmp_path / "earlier")
    for run in (MS, MCLAS):
        _make_weights(Path(run))

    def call(program: str, *words: str) -> str:
        if program == "mclas-train":
            train(compose("train", words))
        elif program == "mclas-evaluate":
            evaluate(config_for_run(Path(words[0]), words[1:], None))
        else:
            arguments = parser().parse_args(words)
            arguments.run(arguments)
        return capsys.readouterr().out

    return call


def _make_weights(run: Path) -> None:
    sizes = json.loads((run / "network.json").read_text(encoding="utf-8"))
    config = NetworkConfig(
        encoder=sizes["encoder"],
        decoder=DecoderConfig(**sizes["decoder"]),
        decoders=tuple(sizes["decoders"]),
    )
    torch.manual_seed(0)
    state = {f"network.{name}": value for name, value in Seq2Seq(config).state_dict().items()}
    (run / "checkpoints").mkdir()
    torch.save({"state_dict": state}, run / "checkpoints" / "best.ckpt")


def test_its_run_is_done_under_the_same_words(call):
    before = Path(MCLAS, "results.json").read_bytes()
    assert "finished before" in call("mclas-train", *OF_MCLAS)
    assert Path(MCLAS, "results.json").read_bytes() == before


def test_its_run_is_done_for_a_sweep(call, tmp_path):
    axes = "hydra: {mode: MULTIRUN, sweeper: {params: {model: 'mclas', scenario: 'minimum'}}}\n"
    Path("sweep.yaml").write_text(f"# @package _global_\n{axes}", encoding="utf-8")
    words = [word for word in OF_MCLAS if not word.startswith(("model=", "scenario="))]
    assert "2 runs: 2 done" in call("mclas", "sweep", "status", "sweep.yaml", *words)


def test_its_run_is_in_tables_and_examples(call):
    assert "MCLAS" in call("mclas", "table", "--dataset", "small")
    assert "##rreeeccc" in call("mclas", "show", "--dataset", "small")


def test_its_run_is_scored_again_from_its_configuration(call):
    call("mclas-evaluate", MCLAS)
    results = json.loads(Path(MCLAS, "results.json").read_text(encoding="utf-8"))
    assert results["decoding"]["beam"] == 2
    assert results["scores"]["cross"]["num"] == 5


def test_its_scores_are_computed_again_from_its_predictions(call):
    before = json.loads(Path(MCLAS, "results.json").read_text(encoding="utf-8"))
    call("mclas", "rescore", MCLAS)
    after = json.loads(Path(MCLAS, "results.json").read_text(encoding="utf-8"))
    assert after["scores"]["cross"]["rouge1_f"] == before["scores"]["cross"]["rouge1_f"]


def test_a_new_run_starts_from_its_ms_run(call):
    words = [word for word in OF_MCLAS if not word.startswith("model=")]
    call("mclas-train", *words, "model=ncls")
    assert Path("runs/small/minimum/ncls/seed=0/results.json").exists()


def test_its_queued_job_is_what_slurm_starts(tmp_path):
    # Slurm's job is a pickle: a class by the name of its module, and what it holds.
    state = f"(dS'words'\n(S'seed=0'\ntsS'folder'\ncpathlib\nPosixPath\n(S'{tmp_path}'\ntRsb."
    job = "(cmclas_lightning.sweep.slurm\nJob\nc__builtin__\nobject\nNtR"
    found = pickle.loads(f"ccopyreg\n_reconstructor\n{job}{state}".encode())
    assert found == Job(words=("seed=0",), folder=tmp_path)
