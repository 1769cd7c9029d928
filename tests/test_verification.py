"""A run is verified by its files; whatever is edited afterwards is found and named."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.evaluate import evaluate
from mclas_lightning.example import example_line, read_jsonl
from mclas_lightning.files import sha256
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.verification.finding import compared
from mclas_lightning.verification.verify import verify, verify_all
from tests.report.score_sheets import change


@pytest.fixture
def run(trained, corpus) -> Path:
    """A finished run; the fixture ``trained`` writes paths of its own into config.yaml."""
    folder = trained("model=mclas")
    change(folder / "results.json", provenance__config_sha256=sha256(folder / "config.yaml"))
    return folder


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def sign(run: Path) -> None:
    """Let results.json and scores.npz hold the hash of the predictions that are there now."""
    sha = sha256(run / "predictions.jsonl")
    change(run / "results.json", provenance__predictions_sha256=sha)
    rewrite_documents(run, predictions_sha256=np.array(sha))


def rewrite_documents(run: Path, **arrays: np.ndarray) -> None:
    with np.load(run / "scores.npz") as file:
        kept = dict(file)
    kept |= {name.replace("__", "/"): array for name, array in arrays.items()}
    np.savez(run / "scores.npz", **kept)  # pyright: ignore[reportArgumentType]


def better_score(run: Path) -> None:
    change(run / "results.json", scores__cross__rouge1_f=0.99)


def better_score_everywhere(run: Path) -> None:
    better_score(run)
    rewrite_documents(run, cross__rouge1_f=np.full(7, 0.99))


def other_summary(run: Path) -> None:
    line, *others = (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines(True)
    record = json.loads(line)
    record["hypotheses"]["cross"] = record["references"]["cross"]
    (run / "predictions.jsonl").write_text(json.dumps(record) + "\n" + "".join(others))


def other_summary_signed(run: Path) -> None:
    other_summary(run)
    sign(run)


def other_reference_signed(run: Path) -> None:
    replaced(run / "predictions.jsonl", '"references": {"mono": "', '"references": {"mono": "new ')
    sign(run)


def fewer_documents_signed(run: Path) -> None:
    lines = (run / "predictions.jsonl").read_text().splitlines(True)
    (run / "predictions.jsonl").write_text("".join(lines[1:]))
    sign(run)


def shuffled_documents(run: Path) -> None:
    with np.load(run / "scores.npz") as file:
        lengths = file["mono/reference_length"] + np.array([1, -1, 0, 0, 0, 0, 0])
    rewrite_documents(run, mono__reference_length=lengths)


def other_signature(run: Path) -> None:
    signature = Results.read(run / "results.json").signatures["cross"]["rouge"]
    change(run / "results.json", signatures__cross__rouge=signature + "|x")


def other_recipe(run: Path) -> None:
    change(run / "results.json", provenance__recipe={"optim.updates.minimum": 600})


def other_corpus(split: str) -> Callable[[Path], None]:
    def edit(run: Path) -> None:
        path = run.parents[4] / "corpus" / "en2de" / f"{split}.jsonl"
        first, *others = read_jsonl(path)
        path.write_text("".join(map(example_line, [*others, first])))

    return edit


def other_file(name: str) -> Callable[[Path], None]:
    def edit(run: Path) -> None:
        path = run / name
        path.write_bytes(path.read_bytes() + b" ")

    return edit


def other_training(run: Path) -> None:
    change(run / "results.json", provenance__training__updates=60)


def other_seed(run: Path) -> None:
    change(run / "results.json", seed=5)


@pytest.mark.parametrize(
    ("edit", "topics"),
    [
        (better_score, {"scores", "scores.npz"}),
        (better_score_everywhere, {"scores", "scores.npz"}),
        (other_summary, {"predictions"}),
        (other_summary_signed, {"scores", "scores.npz"}),
        (other_reference_signed, {"predictions", "scores", "scores.npz"}),
        (fewer_documents_signed, {"predictions"}),
        (shuffled_documents, {"scores.npz"}),
        (other_signature, {"signatures"}),
        (other_recipe, {"configuration"}),
        (other_seed, {"configuration"}),
        (other_file("config.yaml"), {"configuration"}),
        (other_corpus("train"), {"corpus"}),
        (other_corpus("test"), {"corpus"}),
        (other_file("corpus.json"), {"corpus"}),
        (other_file("network.json"), {"network"}),
        (other_file("tokenizer/tokenizer.json"), {"tokenizer"}),
        (other_file("vocabulary/cross.json"), {"vocabulary"}),
        (other_file("checkpoints/best.ckpt"), {"weights"}),
        (other_file("../../subset.json"), {"subset"}),
        (other_training, {"training"}),
    ],
)
def test_what_is_edited_is_named_and_nothing_else(run, edit, topics):
    edit(run)
    found = verify(run)
    assert {finding.topic for finding in found.of("mismatch")} == topics
    assert not topics & set(found.topics)
    assert found.in_words.startswith("no: ")


def unsigned(keys: str, value: object = None) -> Callable[[Path], None]:
    """An edit of results.json by hand; without a value it takes the key out."""

    def edit(run: Path) -> None:
        record = json.loads((run / "results.json").read_text())
        *outer, last = keys.split("/")
        inner = record
        for key in outer:
            inner = inner[key]
        inner.pop(last, None)
        if value is not None:
            inner[last] = value
        (run / "results.json").write_text(json.dumps(record))

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        unsigned("decoding/beam", 11),
        unsigned("provenance/platform", "another machine"),
        unsigned("provenance/threads", 99),
        unsigned("provenance/git_commit", "0" * 40),
        unsigned("provenance/writes"),
        unsigned("provenance/predictions_sha256"),
        unsigned("scores/cross/meteor", 0.95),
        unsigned("scores/cross/empty", False),
        unsigned("content_sha256", "0" * 64),
    ],
)
def test_what_no_other_file_tells_is_found_where_it_is_edited(run, edit):
    edit(run)
    found = verify(run)
    assert "results" in {finding.topic for finding in found.of("mismatch")}
    assert any("was edited after it was written" in f.said for f in found.of("mismatch"))


def test_the_layout_of_results_is_no_edit_and_results_without_their_hash_are_not_checked(run):
    record = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(dict(reversed(record.items()))))
    assert "results" in verify(run).topics
    unsigned("content_sha256")(run)
    found = verify(run)
    assert found.matches
    assert "results" in {finding.topic for finding in found.of("unchecked")}


@pytest.mark.parametrize("word", [32, None])
def test_another_word_for_the_same_precision_is_no_other_recipe(run, word):
    kept = Results.read(run / "results.json").provenance["recipe"]
    change(run / "results.json", provenance__recipe={**kept, "trainer.precision": word})
    assert "configuration" in verify(run).topics


def test_without_its_configuration_the_files_of_a_run_are_still_checked(run):
    (run / "config.yaml").unlink()
    other_file("network.json")(run)
    found = verify(run)
    assert {finding.topic for finding in found.of("mismatch")} == {"network"}
    assert "weights" in found.topics


def test_scores_of_documents_that_are_gone_are_named(run):
    with np.load(run / "scores.npz") as file:
        kept = {name: array for name, array in file.items() if name != "cross/rouge1_f"}
    np.savez(run / "scores.npz", **kept)  # pyright: ignore[reportArgumentType]
    (finding,) = verify(run).of("mismatch")
    assert (finding.topic, finding.said) == ("scores.npz", "cross: cross/rouge1_f is missing")
    (run / "scores.npz").unlink()
    assert "scores.npz" in {finding.topic for finding in verify(run).of("unchecked")}


def test_values_of_other_types_are_named_without_a_traceback(run):
    change(run / "results.json", provenance__test_file=5)
    assert "test set" in {finding.topic for finding in verify(run).of("unchecked")}
    change(run / "results.json", provenance__git_diff=3)
    (finding,) = verify(run).of("mismatch")
    assert finding.topic == "provenance"
    assert "has another type" in finding.said


def test_an_untouched_run_matches_in_all_that_it_depends_on(run):
    found = verify(run)
    assert found.of("mismatch") == []
    assert set(found.topics) - {"code"} == {
        *("configuration", "corpus", "subset", "network", "tokenizer", "vocabulary", "weights"),
        *("environment", "training", "predictions", "scores", "scores.npz", "results"),
    }
    assert found.in_words == "yes"
    assert verify_all([run, run]) == [found, found]


@pytest.mark.parametrize(("inside", "named"), [("..", "seed=0"), (".", "."), ("tokenizer", "..")])
def test_a_run_is_verified_by_any_path_to_it(run, monkeypatch, inside, named):
    known = verify(run)
    monkeypatch.chdir(run / inside)
    found = verify(Path(named))
    assert (found.topics, found.of("unchecked")) == (known.topics, known.of("unchecked"))


def test_weights_of_an_exported_run_that_a_run_starts_from_are_compared(run, tmp_path):
    exported = tmp_path / "ms"
    exported.mkdir()
    (exported / "config.json").write_text('{"model_type": "mclas"}')
    (exported / "model.safetensors").write_text("weights")
    recorded = f"{exported} {sha256(exported / 'model.safetensors')}"
    change(run / "results.json", provenance__initialized_from=recorded)
    assert "initialized_from" in verify(run).topics
    (exported / "model.safetensors").write_text("others")
    assert {finding.topic for finding in verify(run).of("mismatch")} == {"initialized_from"}


def test_a_baseline_on_the_validation_split_matches_until_that_is_changed(words, corpus):
    evaluate(compose("evaluate", [*words, "model=lead_1", "scored=valid"]))
    (trial,) = corpus.parent.rglob("results.json")
    assert verify(trial.parent).of("mismatch") == []
    assert "test set" in verify(trial.parent).topics
    first, *others = read_jsonl(corpus / "en2de" / "valid.jsonl")
    (corpus / "en2de" / "valid.jsonl").write_text("".join(map(example_line, [*others, first])))
    assert {finding.topic for finding in verify(trial.parent).of("mismatch")} == {"test set"}


def test_a_language_that_nothing_is_counted_in_does_not_end_the_verification_of_others(run):
    record = json.loads((run / "results.json").read_text())
    signatures = dict.fromkeys(record["signatures"]["cross"], "theirs")
    change(run / "results.json", languages__target="zh-CN", signatures__cross=signatures)
    found, _ = verify_all([run, run])
    said = [finding.said for finding in found.of("unchecked") if finding.topic == "scores"]
    assert any("'zh-CN' is not supported" in line for line in said)
    assert "predictions" in found.topics


def test_what_is_gone_is_not_checked_and_does_not_fail(run):
    Run(run).best.unlink()
    (run.parents[4] / "corpus" / "en2de" / "test.jsonl").unlink()
    found = verify(run)
    assert found.matches
    assert {"weights", "corpus"} <= {finding.topic for finding in found.of("unchecked")}


def test_predictions_that_have_gone_do_not_match(run):
    (run / "predictions.jsonl").unlink()
    (finding,) = verify(run).of("mismatch")
    assert finding.topic == "predictions"


def test_results_of_an_outside_system_have_little_to_check(tmp_path, made_up):
    made_up("theirs").write(tmp_path / "results.json")
    found = verify(tmp_path)
    assert found.matches
    assert found.in_words == "-"
    assert [(finding.topic, finding.state) for finding in found.findings] == [
        *(("results", "match"), ("configuration", "unchecked"), ("predictions", "unchecked"))
    ]
    (tmp_path / "results.json").write_text("{}")
    assert verify(tmp_path).in_words == "no: results"


def test_a_file_is_compared_by_its_hash(tmp_path):
    path = tmp_path / "a"
    path.write_text("a")
    states = [compared("a", path, recorded).state for recorded in (sha256(path), "0" * 64, None)]
    assert states == ["match", "mismatch", "unchecked"]
    assert compared("a", tmp_path / "b", "0" * 64).state == "unchecked"
