"""TLTran and TETran, end to end on a small toy corpus."""

import json
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.toy import write_toy
from mclas_lightning.corpora.toy.editions import TOY
from mclas_lightning.decoding.candidates import Candidate
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate, main
from mclas_lightning.example import read_jsonl
from mclas_lightning.inference.api import Summarizer as Api
from mclas_lightning.inference.export import export_run
from mclas_lightning.inference.pipeline import DOCUMENTS_TOGETHER, PipelineSummarizer
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.runs.results import Results, find_results
from mclas_lightning.runs.run import Run
from mclas_lightning.task import Pipeline
from mclas_lightning.train import train
from tests.conftest import read_lines

SIZES = dict(zip(TOY.sizes, (53, 7, 11, 59, 7, 5), strict=True))
TINY = [
    "network.encoder.width=16", "network.encoder.feed_forward=32", "network.encoder.layers=1",
    "network.decoder.feed_forward=32", "network.decoder.layers=1", "optim.validations=2",
    "optim.updates={minimum: 4, full: 4}", "optim.max_tokens=2048", "decoding.beam=2",
    "decoding.max_length=8", "dataset.sizes={minimum: 40, full: 1.0}", "trainer.accelerator=cpu",
]  # fmt: skip


def run(place: Path, *words: str) -> Results:
    results = train(compose("train", [*TINY, f"data={place}", f"runs={place}/runs", *words]))
    assert results is not None
    return results


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A toy corpus, ms runs in English and German, and a translator of summaries."""
    place = tmp_path_factory.mktemp("pipelines")
    write_toy(
        place / "toy", seed=3, sizes=SIZES, finish=lambda toy: build_tokenizer(toy, 400, False)
    )
    run(place, "dataset=toy_mono", "model=ms")
    run(place, "dataset=toy_mono", "model=ms", "dataset.source=de")
    run(place, "dataset=toy", "model=mt", "scenario=minimum")
    return place


def words(place: Path, *more: str) -> list[str]:
    """Words for a TLTran of what was trained."""
    return [
        "dataset=toy", "model=tltran", f"init_from={place}/runs/toy_en/full/ms",
        f"model.translator={place}/runs/toy_en2de/minimum/mt", *more,
    ]  # fmt: skip


def documents(place: Path) -> list[str]:
    return [e.document for e in read_jsonl(place / "toy" / "en2de" / "test.jsonl")]


def summarizer(place: Path, name: str):
    return load_summarizer(Run(place / "runs" / name / "seed=0"))


def test_tltran_is_the_ms_summary_and_its_translation(place):
    results = run(place, *words(place))
    assert set(results.scores) == {"mono", "cross"}
    folder = place / "runs" / "toy_en2de" / "full" / "tltran" / "seed=0"
    # A changed checkout's code is kept, too.
    files = {path.name for path in folder.iterdir() if path.suffix != ".diff"}
    assert files == {
        "config.yaml", "environment.json", "corpus.json", "predictions.jsonl", "results.json",
        "scores.npz",
    }  # fmt: skip
    config = compose("train", [*TINY, "dataset=toy"])
    decoding = read_settings(config)[0].decoding
    ms, mt = summarizer(place, "toy_en/full/ms"), summarizer(place, "toy_en2de/minimum/mt")
    mono = [s["mono"] for s in ms.summarize(documents(place), decoding)]
    cross = [s["cross"] for s in mt.summarize(mono, decoding)]
    predictions = read_lines(folder / "predictions.jsonl")
    assert [p["hypotheses"] for p in predictions] == [
        {"mono": m, "cross": c} for m, c in zip(mono, cross, strict=True)
    ]
    assert results.provenance["summarizer"].startswith(str(place / "runs/toy_en/full/ms/seed=0"))
    assert results in find_results(place / "runs", "toy_en2de")
    # Done before: nothing is computed again, until it is evaluated with another decoding.
    stamp = (folder / "results.json").stat().st_mtime_ns
    run(place, *words(place))
    assert (folder / "results.json").stat().st_mtime_ns == stamp
    again = [*TINY, f"data={place}", f"runs={place}/runs", *words(place), "decoding.beam=1"]
    results = evaluate(compose("evaluate", again))
    assert results is not None
    assert results.decoding["beam"] == 1


def test_a_pipeline_is_loaded_and_summarizes_like_any_run(place):
    run(place, *words(place, "model.name=loaded"))
    folder = place / "runs" / "toy_en2de" / "full" / "loaded" / "seed=0"
    predictions = read_lines(folder / "predictions.jsonl")
    found = Api.load(folder, device="cpu")([p["document"] for p in predictions], n_best=2)
    assert [{"mono": s.mono, "cross": s.cross} for s in found] == [
        p["hypotheses"] for p in predictions
    ]
    assert {len(s.candidates) for s in found} == {2}


def test_exported_systems_make_the_same_pipeline_as_their_runs(place, tmp_path):
    kept = run(place, *words(place, "model.name=of_runs"))
    for name, system in (("ms", "toy_en/full/ms"), ("mt", "toy_en2de/minimum/mt")):
        system_run = Run(place / "runs" / system / "seed=0")
        export_run(system_run, tmp_path / name, half=False, place="here", license="other")
    parts = [f"model.summarizer={tmp_path}/ms", f"model.translator={tmp_path}/mt"]
    results = run(place, "dataset=toy", "model=tltran", "model.name=of_exports", *parts)
    assert results.scores == kept.scores


def test_a_moved_pipeline_is_evaluated_with_its_systems_in_their_new_places(
    place, tmp_path, monkeypatch
):
    run(place, *words(place, "model.name=moving"))
    moved = tmp_path / "runs"
    shutil.copytree(place / "runs", moved)
    folder = moved / "toy_en2de" / "full" / "moving" / "seed=0"
    kept = Results.read(folder / "results.json")
    systems = [
        f"model.summarizer={moved}/toy_en/full/ms",
        f"model.translator={moved}/toy_en2de/minimum/mt",
    ]
    file = tmp_path / "other.jsonl"
    shutil.copy(place / "toy" / "en2de" / "test.jsonl", file)

    def again(*more: object) -> None:
        monkeypatch.setattr(sys, "argv", ["mclas-evaluate", str(folder), *map(str, more)])
        main()

    again(*systems, "--test", file)
    (trial,) = (folder / "test").iterdir()
    assert Results.read(trial / "results.json").scores == kept.scores
    again("decoding.beam=1")  # With the systems in their old places.
    with pytest.raises(SystemExit) as ended:
        again(f"model.summarizer={moved}/toy_de/full/ms")
    assert ended.value.code == 2
    with pytest.raises(SystemExit) as ended:
        again("model.translator=a/hub/model")
    assert ended.value.code == 2
    assert Results.read(folder / "results.json").decoding["beam"] == 1


def test_chinese_is_scored_as_the_paper_does_with_a_runs_own_word_pieces(place):
    chinese = ("dataset=toy", "dataset.target=zh")
    results = run(place, *chinese, "model=mt", "scenario=minimum")
    pieces = WordPieces.read(place / "runs/toy_en2zh/minimum/mt/seed=0/tokenizer")
    assert f"|vocabulary:{pieces.hash}|" in results.signatures["cross"]["paper_rouge"]
    # A pipeline has none of its own.
    translator = f"model.translator={place}/runs/toy_en2zh/minimum/mt"
    results = run(place, *words(place, *chinese, translator))
    assert set(results.signatures["mono"]) == {"rouge", "folded_rouge", "paper_rouge"}
    assert set(results.signatures["cross"]) == {"rouge", "folded_rouge"}
    keeps = {"case": True, "accents": True}
    assert results.provenance["writes"] == {"mono": keeps, "cross": keeps}
    assert results.provenance["recipe"]["model.translator"] == "toy_en2zh/minimum/mt"
    assert not any(name.startswith("paper") for name in results.scores["cross"])


def test_each_line_of_a_summary_is_translated_alone_and_stays_a_line():
    prepared = []

    class Ms:
        @contextmanager
        def prepared(self, config):
            prepared.append(config)
            yield lambda texts, num_best: [
                [Candidate(summaries={"mono": text}, score=0.0)] for text in texts
            ]

    class Upper:
        def translate(self, texts):
            assert not any("\n" in text for text in texts)
            return [text.upper() or "Invented." for text in texts]

    tltran = Pipeline(
        name="tltran", steps=("summarize", "translate"), summarizer=None, translator=None
    )
    system = PipelineSummarizer(
        pipeline=tltran, summarizer=Ms(), translator=Upper(), source="en", target="de",  # pyright: ignore
        provenance={},
    )  # fmt: skip
    found = system.summarize(["one\ntwo", "", "three"], None)  # pyright: ignore
    assert found == [
        {"mono": "one\ntwo", "cross": "ONE\nTWO"},
        {"mono": "", "cross": ""},
        {"mono": "three", "cross": "THREE"},
    ]
    system.summarize(["text"] * (2 * DOCUMENTS_TOGETHER + 1), None)  # pyright: ignore
    assert prepared == [None, None]  # Once for all documents, not for every few.


def test_tetran_is_the_summary_of_the_translated_document(place):
    translator = f"model.translator={place}/runs/toy_en2de/minimum/mt/seed=0"
    ms = f"model.summarizer={place}/runs/toy_de/full/ms"
    results = run(place, "dataset=toy", "model=tetran", translator, ms)
    assert set(results.scores) == {"cross"}
    predictions = read_lines(
        place / "runs" / "toy_en2de" / "full" / "tetran" / "seed=0" / "predictions.jsonl"
    )
    # The same by hand: sentence by sentence, then summarized.
    decoding = read_settings(compose("train", [*TINY, "dataset=toy"]))[0].decoding
    mt = summarizer(place, "toy_en2de/minimum/mt")
    translated = []
    for document in documents(place):
        sentences = document.replace(". ", ".\n").replace("? ", "?\n").replace("! ", "!\n")
        parts = mt.summarize(sentences.split("\n"), decoding)
        translated.append(" ".join(part["cross"] for part in parts))
    expected = summarizer(place, "toy_de/full/ms").summarize(translated, decoding)
    assert [p["hypotheses"]["cross"] for p in predictions] == [s["mono"] for s in expected]


def test_translations_may_come_from_a_file_that_is_asked_for(place, tmp_path):
    file = tmp_path / "translations.jsonl"
    again = words(place, f"model.translator={file}", "model.name=tltran_file")
    with pytest.raises(InputError, match=r"lacks the translations of \d+ texts; they are in"):
        run(place, *again)
    runs = place / "runs" / "toy_en2de" / "full" / "tltran_file"
    assert not runs.exists()  # Nothing half-written.
    lines = read_lines(tmp_path / "translations.missing.jsonl")
    with file.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps({**line, "translation": f"<{line['text']}>"}) + "\n")
    run(place, *again)
    for prediction in read_lines(runs / "seed=0" / "predictions.jsonl"):
        written = prediction["hypotheses"]
        assert written["cross"] == f"<{written['mono']}>"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["init_from=null"], "summarizes with an ms run in the language 'en'"),
        (["init_from=nowhere"], "model.summarizer=nowhere: no run here; train one first"),
        (["init_from={place}/runs/toy_de/full/ms"], "summarizes texts in 'de', model 'tltran'"),
        (["init_from={place}/runs/toy_en2de/minimum/mt"], "is a run of model 'mt'; give one of"),
        (["model.translator={place}/runs/toy_en/full/ms"], "is a run of model 'ms', which"),
        (["model.translator=null", "dataset.target=zh"], "name one with model.translator"),
        (["model.translator=no/where"], "translator 'no/where': neither a run"),
        (["model.steps=[translate]"], "steps must be [summarize, translate] or"),
    ],
)
def test_what_a_pipeline_lacks_is_named_before_anything_is_written(place, more, said):
    more = [word.format(place=place) for word in more]
    with pytest.raises(InputError) as error:
        run(place, *words(place, *more), "model.name=other")
    assert said in str(error.value).replace("model 'other'", "model 'tltran'")
    assert not (place / "runs" / "toy_en2de" / "full" / "other").exists()
