import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.inference.trained import weights_of
from mclas_lightning.metrics.tokens import tokens
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.train import main, train
from tests.conftest import examples, read_lines


def go(words: list[str], *more: str) -> Results:
    results = train(compose("train", [*words, *more]))
    assert results is not None
    return results


def folder(words: list[str], model: str, scenario: str = "minimum") -> Path:
    (runs,) = (word.removeprefix("runs=") for word in words if word.startswith("runs="))
    return Path(runs) / "small" / scenario / model / "seed=0"


@pytest.fixture
def ms(trained) -> Path:
    """A finished ms run."""
    return trained("model=ms", "scenario=full")


@pytest.mark.parametrize("model", ["ncls", "ncls_ms", "mclas"])
def test_a_run_initialized_from_ms_leaves_everything_behind(words, ms, model, capsys):
    results = go(words, f"model={model}", f"init_from={ms.parent}")
    run = folder(words, model)
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    sides = {"ncls": ["cross"]}.get(model, ["mono", "cross"])
    # Code that is not committed is kept as code-<hash>.diff.
    assert {name for name in files if not name.endswith(".diff")} == {
        "config.yaml", "environment.json", "network.json", "metrics.csv", "training.json",
        "corpus.json", "predictions.jsonl", "results.json", "scores.npz",
        "checkpoints/best.ckpt",
        "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json",
        *(f"vocabulary/{side}.json" for side in sides),
    }  # fmt: skip
    assert set(results.scores) == set(sides)
    written = Results.read(run / "results.json")
    assert results == written
    predictions = read_lines(run / "predictions.jsonl")
    assert [line["id"] for line in predictions] == [e.id for e in examples(7, 51)]
    documents = written.documents()
    assert documents["ids"].tolist() == [line["id"] for line in predictions]
    for side in results.scores:
        assert set(results.signatures[side]) == {"rouge", "paper_rouge", "folded_rouge"}
        lengths = [len(tokens(line["hypotheses"][side])) for line in predictions]
        assert documents[f"{side}/length"].tolist() == lengths
    assert all(set(line["hypotheses"]) == set(sides) for line in predictions)
    assert all(text for line in predictions for text in line["hypotheses"].values())
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["init_from"] == str(ms.parent)
    environment = json.loads((run / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == list("123456")
    assert all(row["train/loss"] and row["lr/encoder"] and row["lr/decoder"] for row in rows)
    assert [row["step"] for row in rows if row["val/loss"]] == list("246")
    capsys.readouterr()
    go(words, f"model={model}", f"init_from={ms.parent}")
    assert "finished before" in capsys.readouterr().out


def test_a_run_in_bf16_keeps_its_weights_in_full_precision(words):
    go(words, "model=mclas", "trainer.precision=bf16-mixed")
    state = weights_of(Run(folder(words, "mclas")))
    assert {tensor.dtype for tensor in state.values() if tensor.is_floating_point()} == {
        torch.float32
    }


@pytest.mark.parametrize(("model", "drawn"), [("ncls_ms_half", ["cross"]), ("ncls_ms", [])])
def test_half_initialized_means_that_the_cross_decoder_is_random(words, ms, model, drawn):
    still = ("optim.encoder.lr=0", "optim.decoder.lr=0")
    go(words, f"model={model}", f"init_from={ms}", *still)
    theirs, ours = weights_of(Run(ms)), weights_of(Run(folder(words, model)))
    name = "layers.0.self_attention.query.weight"
    for decoder in ("mono", "cross"):
        same = torch.equal(ours[f"decoders.{decoder}.{name}"], theirs[f"decoders.decoder.{name}"])
        assert same == (decoder not in drawn)
    assert torch.equal(ours["embedding.weight"], theirs["embedding.weight"])


def test_activations_are_recomputed_where_the_trainer_is_told(words, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(Seq2Seq, "recompute_activations", lambda network: asked.append(network))
    go(words, "model=ncls")
    assert asked == []
    go(words, "model=mclas", "trainer.recompute_activations=true")
    assert len(asked) == 1


def test_attention_is_multiplied_in_bf16_on_a_cpu(words, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(Seq2Seq, "multiply_attention", lambda network: asked.append(network))
    go(words, "model=ncls", "~trainer.precision")  # Lightning's default is float32.
    assert asked == []
    go(words, "model=mclas", "trainer.precision=bf16-mixed")
    assert len(asked) == 1


def test_from_scratch_nothing_of_ms_is_taken(words, ms):
    still = ("optim.encoder.lr=0", "optim.decoder.lr=0")
    go(words, "model=mclas_scratch", f"init_from={ms}", *still)
    go(words, "model=mclas", "model.name=plain", *still)
    ours, plain = (weights_of(Run(folder(words, name))) for name in ("mclas_scratch", "plain"))
    assert all(torch.equal(ours[name], plain[name]) for name in plain)
    assert not torch.equal(ours["embedding.weight"], weights_of(Run(ms))["embedding.weight"])


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ([], "(optim.accumulate=4 has as many)"),
        (["optim.accumulate=4"], None),
        (["optim.accumulate=4", "optim.batch_unit=texts"], "(optim.max_tokens="),
        # A budget without the penalty for many documents holds more of them.
        (["optim.recipe.crowding={documents: 1, tokens: 55}", "optim.crowding=null"],
         "(optim.max_tokens="),
    ],
)  # fmt: skip
def test_an_update_of_another_size_than_the_recipes_is_warned_of(words, more, advice, capsys):
    recipe = ["optim=paper", "optim.updates={minimum: 2}", "optim.validations=1"]
    small = ["optim.recipe={max_tokens: 60, accumulate: 2, crowding: null}"]
    budget = ["optim.max_tokens=${.recipe.max_tokens}"]
    go(words, "model=mclas", *recipe, *small, *budget, *more)
    said = capsys.readouterr().out
    assert "tokens x " in said
    assert (
        "warning: the recipe's are 60 summary tokens x 2 micro-batches x 2 devices" in said
    ) == (advice is not None)
    assert advice is None or advice in said


def test_a_training_on_one_example_is_warned_of(words, capsys):
    train(compose("train", [*words, "dataset.sizes.minimum=1"]))
    assert "warning: scenario 'minimum' has 1 training example" in capsys.readouterr().out


def test_every_decoder_starts_as_the_ms_decoder(words, ms):
    go(words, "model=ncls_ms", f"init_from={ms}", "optim.encoder.lr=0", "optim.decoder.lr=0")
    theirs, ours = weights_of(Run(ms)), weights_of(Run(folder(words, "ncls_ms")))
    for name, tensor in theirs.items():
        if name.startswith("decoders.decoder."):
            rest = name.removeprefix("decoders.decoder.")
            assert torch.equal(ours[f"decoders.mono.{rest}"], tensor)
            assert torch.equal(ours[f"decoders.cross.{rest}"], tensor)
        else:
            assert torch.equal(ours[name], tensor)


def test_a_translator_trains_on_summaries_alone(words):
    assert set(go(words, "model=mt").scores) == {"cross"}


def test_all_models_share_the_scenarios_examples(words, trained):
    run = trained("model=ncls")
    go(words, "model=mclas", "seed=3")
    manifest = json.loads((run.parents[1] / "subset.json").read_text())
    assert len(manifest["ids"]) == 20
    assert manifest["of"] == 40
    with pytest.raises(InputError, match="another subset"):
        go(words, "model=ncls_ms", "split_seed=1")


def test_a_training_whose_last_validation_was_the_best_is_cut_off(words):
    go(words, "model=ncls")
    run = folder(words, "ncls")
    with (run / "metrics.csv").open() as file:
        losses = [float(row["val/loss"]) for row in csv.DictReader(file) if row["val/loss"]]
    assert losses[-1] == min(losses)
    assert json.loads((run / "training.json").read_text())["cut_off"]


def test_what_would_end_a_training_otherwise_is_refused(words):
    for word in ("+trainer.max_time=00:08:00:00", "+trainer.max_steps=7"):
        with pytest.raises(InputError, match=r"trainer: .*'max_(time|steps)'"):
            go(words, "model=ncls", word)


@pytest.mark.parametrize(
    "word",
    ["limit_train_batches=1", "limit_val_batches=0", "overfit_batches=1", "fast_dev_run=true"],
)
def test_what_would_train_or_validate_on_less_than_is_said_is_refused(words, word):
    with pytest.raises(InputError, match=rf"trainer: .*'{word.partition('=')[0]}'"):
        go(words, "model=ncls", f"+trainer.{word}")


def test_nothing_is_logged_where_nothing_is_asked_for(words):
    go(words, "model=ncls", "trainer.log_every_n_steps=0")
    assert "train/loss" not in (folder(words, "ncls") / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("model", "monitor", "column"),
    [
        ("mclas", "cross", "val/loss_cross"),
        ("mclas", "joint", "val/loss"),
        ("ncls_ms", "cross", "val/loss_cross"),
        ("ms", "cross", "val/loss_mono"),  # which is its val/loss
    ],
)
def test_the_best_checkpoint_follows_the_loss_that_is_asked_for(words, model, monitor, column):
    go(words, f"model={model}", f"optim.monitor={monitor}", "optim.updates={minimum: 6}")
    run = folder(words, model)
    with (run / "metrics.csv").open() as file:
        losses = [float(row[column]) for row in csv.DictReader(file) if row[column]]
    training = json.loads((run / "training.json").read_text())
    assert training["best_val_loss"] == pytest.approx(min(losses))
    assert training["monitor"] == ("val/loss" if model == "ms" else column)


def test_a_changed_configuration_is_not_mixed_into_an_old_run(words, trained, capsys):
    trained("model=ncls")
    with pytest.raises(InputError, match=r"optim\.label_smoothing=0\.1, you ask for .*=0\.2"):
        go(words, "model=ncls", "optim.label_smoothing=0.2")
    capsys.readouterr()
    go(words, "model=ncls", "trainer.log_every_n_steps=2", "decoding.beam=1")  # No other run.
    said = "scored with decoding.beam=2, you ask for decoding.beam=1; mclas-evaluate scores it"
    assert said in capsys.readouterr().out


def test_a_seed_that_differs_in_more_than_the_seed_is_warned_of(words, trained, capsys):
    trained("model=ncls")
    go(words, "model=ncls", "seed=1", "trainer.log_every_n_steps=2")
    assert "no mean of these seeds" not in capsys.readouterr().out
    go(words, "model=ncls", "seed=2", "optim.label_smoothing=0.2")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "no mean" in line]
    assert line.endswith(
        "ncls/seed=2: warning: no mean of these seeds: "
        "optim.label_smoothing 0.2: seed=2; 0.1: seed=0, seed=1"
    )


def test_a_checkpoint_cut_short_is_named_and_nothing_is_lost(words, trained):
    run = trained("model=ncls", "trainer.keep_last=true")
    (run / "results.json").unlink()
    (run / "training.json").unlink()
    last = run / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    kept = (run / "metrics.csv").read_bytes()
    with pytest.raises(InputError, match=r"last\.ckpt: not a whole checkpoint"):
        go(words, "model=ncls")
    assert (run / "metrics.csv").read_bytes() == kept


def test_evaluating_with_words_of_another_run_changes_nothing(words, trained):
    run = trained("model=ncls")
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for more in (["model=mclas"], ["model=ncls", "scenario=medium"], ["model=ncls", "seed=1"]):
        with pytest.raises(InputError, match="holds a run with"):
            evaluate(compose("evaluate", [*words, *more, f"run_dir={run}"]))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == kept


def test_a_training_that_diverges_is_not_taken_for_a_trained_run(words):
    with pytest.raises(InputError, match="training diverged"):
        go(words, "model=ncls", "optim.encoder.lr=1e30", "optim.decoder.lr=1e30")
    assert not (folder(words, "ncls") / "training.json").exists()


def test_the_trainer_gets_plain_lists(words, monkeypatch):
    given: dict[str, object] = {}

    def trainer(**arguments: object) -> None:
        given.update(arguments)
        raise TypeError("seen")

    monkeypatch.setattr("pytorch_lightning.Trainer", trainer)
    with pytest.raises(InputError, match="trainer: seen"):
        go(words, "model=ncls", "trainer.devices=[0]")
    assert type(given["devices"]) is list


def test_a_folder_that_cannot_be_written_is_named(words):
    with pytest.raises(InputError, match=r"/proc/runs/small/minimum/.*: cannot create this folder"):
        go(words, "model=ncls", "runs=/proc/runs")


def test_a_file_in_the_place_of_the_folder_is_named(words, tmp_path):
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(InputError, match="runs/small/minimum/ncls/seed=0: cannot create"):
        go(words, "model=ncls")


def command(words: list[str], *more: str) -> list[str]:
    """The words for a process of its own."""
    return [sys.executable, "-m", "mclas_lightning.train", *words, *more]


def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(words):
    done = subprocess.run(command(words, "scenario=minium"), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: scenario 'minium' does not exist; did you mean 'minimum'? "
        "choose from: full, maximum, medium, minimum"
    ]


def test_a_training_says_in_a_line_what_is_cut(words, capsys):
    train(compose("train", [*words, "model=ncls", "dataset.max_source=9"]))
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "  cut: " in line)
    assert line.startswith("  cut: 20 of 20 documents are longer than dataset.max_source=9 word p")
    assert line.endswith("% of their text is read")


def test_a_shell_completes_words_by_hydra(monkeypatch, capsys):
    monkeypatch.setenv("COMP_LINE", "mclas-train network=ti")
    monkeypatch.setenv("COMP_POINT", "22")
    monkeypatch.setattr(sys, "argv", ["mclas-train", "-sc", "query=bash"])
    main()
    assert capsys.readouterr().out.split() == ["network=tiny"]
