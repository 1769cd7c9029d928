"""``from mclas_lightning import Summarizer``."""

import json
import subprocess
import sys

import pytest
import torch

from mclas_lightning import Summarizer
from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from tests.conftest import examples, outcome, read_lines

TEXTS = [example.document for example in examples(23, 100)]


@pytest.fixture(scope="module")
def summarizer(finished_run) -> Summarizer:
    return Summarizer.load(finished_run, device="cpu")


def test_summaries_are_those_of_the_evaluation(finished_run, summarizer):
    predictions = read_lines(finished_run / "predictions.jsonl")
    found = summarizer([line["document"] for line in predictions])
    assert [{"mono": s.mono, "cross": s.cross} for s in found] == [
        line["hypotheses"] for line in predictions
    ]


def test_summaries_of_a_stream_equal_those_of_a_batch(summarizer):
    together = summarizer(TEXTS)
    streamed = list(summarizer.stream(iter(TEXTS)))
    assert [s.candidates[0].summaries for s in streamed] == [
        s.candidates[0].summaries for s in together
    ]
    assert [s.score for s in streamed] == pytest.approx([s.score for s in together], abs=1e-4)


def test_a_stream_begins_before_its_texts_have_ended(summarizer):
    taken = []
    stream = summarizer.stream(taken.append(text) or text for text in TEXTS)
    assert next(stream).mono is not None
    assert len(taken) < len(TEXTS)


def test_summaries_before_a_text_that_cannot_be_summarized_are_given(summarizer):
    given = []
    with pytest.raises(InputError, match="text 7: is empty"):
        given.extend(summarizer.stream([*TEXTS[:6], " ", *TEXTS[6:]]))
    assert [s.cross for s in given] == [s.cross for s in summarizer(TEXTS[:6])]


def test_candidates_are_best_first_and_the_best_is_the_summary(summarizer):
    (found,) = summarizer(TEXTS[:1], n_best=4, decoding={"beam": 5})
    scores = [candidate.score for candidate in found.candidates]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert len({str(candidate.summaries) for candidate in found.candidates}) > 1
    (alone,) = summarizer(TEXTS[:1], decoding={"beam": 5})
    assert (alone.cross, alone.score) == (found.cross, pytest.approx(found.score))


def test_a_long_document_and_another_language_are_noted(summarizer):
    german = "Am Montag hat ein schwerer Sturm die Stadt getroffen, sagte die Polizei."
    notes = [s.notes for s in summarizer([TEXTS[0], "A storm hit the city. " * 400, german])]
    assert notes[0] == ()
    (cut,) = notes[1]
    length = len(summarizer.system.tokenizer.encode(["A storm hit the city. " * 400], 10**6)[0]) + 2  # pyright: ignore
    assert cut == f"was cut: {summarizer.max_source:,} of its {length:,} word pieces were read"
    assert notes[2][-1] == "is not in the language 'en', which this system reads"


@pytest.mark.parametrize(
    ("texts", "words", "said"),
    [
        (["a storm", " \n"], {}, "text 2 of 2: is empty"),
        ("a storm", {}, "expected a list of texts"),
        (b"a storm", {}, "expected a list of texts"),
        ([None], {}, "text 1 of 1: expected a str, found NoneType"),
        (["a storm", 3], {}, "text 2 of 2: expected a str, found int"),
        ([b"a storm"], {}, "text 1 of 1: expected a str, found bytes"),
        (["a storm"], {"n_best": 3}, "from 1 to the 2 of decoding.beam, found 3"),
        (["a storm"], {"decoding": {"beams": 3}}, "did you mean 'beam'"),
        (["a storm"], {"decoding": {"beam": "wide"}}, "decoding.beam: expected a whole number"),
    ],
)
def test_what_cannot_be_summarized_is_refused(summarizer, texts, words, said):
    assert said in str(outcome(lambda: summarizer(texts, **words)))
    streamed = str(outcome(lambda: [*summarizer.stream(texts, **words)]))
    assert said.replace(f" of {len(texts)}:", ":") in streamed


def test_other_folders_unended_trainings_and_unknown_devices_are_refused(finished_run, tmp_path):
    with pytest.raises(InputError, match="neither the folder of a trained run"):
        Summarizer.load(tmp_path)
    (tmp_path / "config.yaml").write_text("port: 8000\n")  # Of another program.
    with pytest.raises(InputError, match="neither the folder of a trained run"):
        Summarizer.load(tmp_path)
    (tmp_path / "config.yaml").write_bytes((finished_run / "config.yaml").read_bytes())
    with pytest.raises(InputError, match="its training has not ended"):
        Summarizer.load(tmp_path)
    for name in ("gpu", "meta", "hpu", *(() if torch.cuda.is_available() else ("cuda", "mps"))):
        with pytest.raises(InputError, match=f"device '{name}': expected auto"):
            Summarizer.load(finished_run, device=name)


def test_the_package_is_light_and_loading_needs_neither_lightning_nor_hydra(finished_run):
    code = (
        "import sys, json, mclas_lightning\n"
        "light = 'torch' not in sys.modules\n"
        "found = mclas_lightning.Summarizer.load(sys.argv[1])([sys.argv[2]])\n"
        "loaded = sorted({'hydra', 'pytorch_lightning', 'wandb'} & {*sys.modules})\n"
        "print(json.dumps([light, loaded, found[0].cross]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, finished_run, TEXTS[0]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    light, loaded, cross = json.loads(done.stdout)
    assert light
    assert loaded == []
    assert cross == Summarizer.load(finished_run, device="cpu")(TEXTS[:1])[0].cross


def test_a_baseline_summarizes_no_texts(words):
    results = evaluate(compose("evaluate", [*words, "model=lead_1"]))
    assert results is not None
    with pytest.raises(InputError, match="is a baseline"):
        Summarizer.load(str(results.folder))
