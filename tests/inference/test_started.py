import json

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.config.settings import read_settings
from mclas_lightning.data.tokenizer import train_tokenizer
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.example import write_jsonl
from mclas_lightning.files import sha256
from mclas_lightning.inference.started import check_content
from mclas_lightning.runs.run import Run
from mclas_lightning.training.preparation import keep_preparation, prepare
from mclas_lightning.verification.verify import verify
from tests.conftest import examples
from tests.test_train import folder, go


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_run_is_not_resumed_or_scored_on_another_corpus(words, trained, corpus, split):
    run = trained("model=ncls")
    write_jsonl(corpus / "en2de" / f"{split}.jsonl", examples(31, 900))
    with pytest.raises(InputError, match=rf"{split}\.jsonl: is not the file that"):
        evaluate(compose("evaluate", [*words, "model=ncls"]))
    (run / "results.json").unlink()
    (run / "training.json").unlink()
    with pytest.raises(InputError, match="is not the file that"):
        go(words, "model=ncls")


def test_a_run_keeps_the_hashes_of_what_it_read_not_of_what_is_there_when_it_starts(words, corpus):
    settings, config = read_settings(compose("train", [*words, "model=ncls"]))
    read = prepare(settings)
    files = [settings.dataset.file(split) for split in SPLITS]
    hashes = {path.stem: sha256(path) for path in files}
    for path in files:
        write_jsonl(path, examples(31, 900))
    keep_preparation(settings, config, read)
    assert json.loads((settings.run.folder / "corpus.json").read_text()) == hashes
    assert settings.run.changed_files(corpus / "en2de") == files


def test_a_baseline_keeps_the_hash_of_the_test_set_that_it_read(words, corpus, monkeypatch):
    path, model = corpus / "en2de" / "test.jsonl", [*words, "model=lead_1"]

    def replaced(*_: object) -> list[Summaries]:
        write_jsonl(path, examples(31, 900))
        return [{"mono": "storm", "cross": "Sturm"}] * 7

    monkeypatch.setattr("mclas_lightning.evaluation.run.summarize_share", replaced)
    hash = sha256(path)
    evaluate(compose("evaluate", model))
    kept = json.loads((folder(words, "lead_1") / "corpus.json").read_text())
    assert (kept, sha256(path) == hash) == ({"test": hash}, False)
    path.unlink()
    other = [f"+test_file={corpus}/en2de/valid.jsonl", "model.name=other"]
    with pytest.raises(InputError, match="no such file; dataset 'small' is not here yet"):
        evaluate(compose("evaluate", [*model, *other]))


def test_a_run_is_not_resumed_with_another_tokenizer(words, trained, corpus):
    run = trained("model=ncls")
    (run / "results.json").unlink()
    (run / "training.json").unlink()
    train_tokenizer(["sturm trifft wien"] * 3, size=60, lowercase=True).save(corpus / "tokenizer")
    with pytest.raises(InputError, match="is not the tokenizer that"):
        go(words, "model=ncls")


def test_the_weights_that_a_run_starts_from_are_recorded_and_verified(words, trained):
    ms = Run(trained("model=ms", "scenario=full"))
    results = go(words, "model=mclas", f"init_from={ms}")
    recorded = f"{ms} {sha256(ms.best)}"
    run = folder(words, "mclas")
    assert json.loads((run / "environment.json").read_text())["initialized_from"] == recorded
    assert results.provenance["initialized_from"] == recorded
    assert "initialized_from" in verify(run).topics
    environment = run / "environment.json"
    kept = environment.read_bytes()
    environment.unlink()
    again = evaluate(compose("evaluate", [*words, "model=mclas", f"init_from={ms}"]))
    assert again is not None
    assert "initialized_from" not in again.provenance
    environment.write_bytes(kept)
    evaluate(compose("evaluate", [*words, "model=mclas", f"init_from={ms}"]))
    ms.best.write_bytes(b"of another training")
    assert [one.topic for one in verify(run).of("mismatch")] == ["initialized_from"]


def test_a_run_without_a_checkpoint_is_not_started_again_from_other_weights(words, trained):
    ms = Run(trained("model=ms", "scenario=full"))
    settings, config = read_settings(compose("train", [*words, "model=ncls", f"init_from={ms}"]))
    keep_preparation(settings, config, prepare(settings))
    check_content(settings.run, settings.dataset, ms=ms)
    ms.best.write_bytes(b"of another training")
    with pytest.raises(InputError, match=r"best\.ckpt: is not the checkpoint that .* started with"):
        go(words, "model=ncls", f"init_from={ms}")
    check_content(settings.run, settings.dataset)
