import json

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora.build import build_vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.train import train
from tests.conftest import examples


@pytest.fixture
def build(corpus, tmp_path, tokenizer):
    """Write the vocabularies of the small corpus; the ids of a language."""

    def build(**released):
        build_vocabulary(
            corpus / "en2de", tmp_path / "vocabulary", tokenizer, "en", "de",
            released=released, store=tmp_path / "store",
        )  # fmt: skip
        return {
            language: json.loads((tmp_path / "vocabulary" / f"{language}.json").read_text())
            for language in ("en", "de")
        }

    return build


def test_a_vocabulary_is_what_the_training_summaries_are_written_with(build, tokenizer, capsys):
    found = build()
    sides: dict[str, Side] = {"en": "mono", "de": "cross"}
    for language, side in sides.items():
        texts = [example.summary(side) or "" for example in examples(40)]
        used = {i for ids in tokenizer.encode(texts, 99) for i in ids}
        assert found[language] == sorted(used - set(tokenizer.special))
    assert "use it with: mclas-train ... dataset.vocabulary=" in capsys.readouterr().out


def test_a_released_dictionary_takes_the_place_of_a_language(build, tokenizer, tmp_path, capsys):
    special, own = tokenizer.special, build()
    path = tmp_path / "german_dict.json"
    last = len(tokenizer) - 1
    released = [special.unk, special.pad, *own["de"][::2], last]
    path.write_text(json.dumps(released))
    found = build(de=path)
    assert found["en"] == own["en"]
    assert found["de"] == sorted({*own["de"][::2], last})
    said = capsys.readouterr().out
    share = len({*found["de"]} & {*own["de"]}) / len(own["de"])
    assert f"it holds {share:.1%} of the {len(own['de'])}" in said


@pytest.mark.parametrize(
    ("language", "content", "said"),
    [
        ("fr", "[7]", "--released: language 'fr' does not exist"),
        ("de", "[7, 99999]", r"dict\.json: expected a list of ids below \d+"),
        ("de", '{"a": 1}', r"dict\.json: expected a JSON list"),
    ],
)
def test_a_dictionary_that_does_not_fit_is_refused(build, tmp_path, language, content, said):
    (tmp_path / "dict.json").write_text(content)
    with pytest.raises(InputError, match=said):
        build(**{language: tmp_path / "dict.json"})
    assert not (tmp_path / "vocabulary").exists()


def test_a_run_writes_with_the_vocabulary_that_it_is_given(build, words, tmp_path):
    own = build()
    (tmp_path / "vocabulary" / "de.json").write_text(json.dumps(own["de"][:9]))
    train(compose("train", [*words, "model=mclas", f"dataset.vocabulary={tmp_path}/vocabulary"]))
    run = tmp_path / "runs" / "small" / "minimum" / "mclas" / "seed=0" / "vocabulary"
    assert json.loads((run / "cross.json").read_text()) == own["de"][:9]
    assert json.loads((run / "mono.json").read_text()) == own["en"]


def test_a_run_trains_on_the_shards_that_the_released_code_takes(words, tmp_path):
    shards = "dataset.shards={size: 4, take: {minimum: 3}}"
    train(compose("train", [*words, "model=ncls", "split=first_shards", shards]))
    subset = json.loads((tmp_path / "runs" / "small" / "minimum" / "subset.json").read_text())
    assert subset["ids"] == [f"story-{i}" for i in range(12)]  # shards 0, 1, 2 of ten
    # Another choice of examples is another experiment.
    with pytest.raises(InputError, match=r"another subset|holds a run with"):
        train(compose("train", [*words, "model=mclas"]))
