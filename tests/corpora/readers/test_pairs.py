from pathlib import Path

import pytest

from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.corpora.readers.pairs import (
    BBC,
    NAMES,
    WIKIHOW,
    in_languages,
    name_of,
    of_pair,
)
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from mclas_lightning.metrics.language import KNOWN_LANGUAGES


def test_every_language_can_be_identified():
    assert {*BBC, *WIKIHOW} <= set(KNOWN_LANGUAGES)
    assert all(NAMES[name_of(language)] == language for language in BBC)
    assert name_of("zh") == "chinese_simplified"


@pytest.mark.parametrize(
    ("format", "name", "pair"),
    [
        ("crosssum", "english-french_train.jsonl", ("en", "fr")),
        ("crosssum", "chinese_simplified-serbian_latin_CrossSum.tar.bz2", ("zh", "sr")),
        ("crosssum", "hindi-urdu/train-00000-of-00001.parquet", ("hi", "ur")),
        ("xlsum", "scottish/english_XLSum_v2.0.tar.bz2", ("en", None)),
        ("xlsum", "chinese_traditional_val.jsonl", ("zh", None)),
        ("wikilingua", "fr_de/wiki_lingua-train-00000-of-00002.parquet", ("fr", "de")),
        ("wikilingua", "fr_de/wiki_lingua-train.parquet", ("de", "fr")),
        ("xwikis", "train/fr-en.jsonl", ("fr", "en")),
        ("xscitldr", "data/ja/test.jsonl", ("en", "ja")),
        ("xscitldr", "xscitldr.de.test.jsonl", ("en", "de")),
    ],
)
def test_a_name_tells_its_pair(format, name, pair):
    about = FORMATS[format]
    assert about.pair
    files, known = [Path("x", name)], about.sources + about.targets
    assert of_pair(files, about.pair, known, pair, about.either_order, "x") == files
    with pytest.raises(
        InputError, match=r"^x: has .* and no it to tr; name the files of this pair"
    ):
        of_pair(files, about.pair, known, ("it", "tr"), about.either_order, "x")


def test_a_name_that_tells_no_pair_is_of_any():
    about = FORMATS["crosssum"]
    files = [Path("my-data", "train.jsonl"), Path("part-one_train.jsonl")]
    assert of_pair(files, about.pair or "", about.sources, ("en", "fr"), False, "x") == files


@pytest.mark.parametrize(
    ("format", "own", "other"),
    [
        ("xwikis", "train/de-en.jsonl", "train/de.jsonl"),
        ("xwikis", "train/de-en.jsonl", "train/notes.jsonl"),
        ("xscitldr", "de/train.jsonl", "SciTLDR-A/train.jsonl"),
        ("crosssum", "english-french_train.jsonl", "english-kirundi_train.jsonl"),
    ],
)
def test_a_file_of_the_pair_comes_before_those_that_tell_no_pair(format, own, other):
    about = FORMATS[format]
    pair = {"xwikis": ("de", "en"), "xscitldr": ("en", "de"), "crosssum": ("en", "fr")}[format]
    known = about.sources + about.targets
    found = of_pair([Path(other), Path(own)], about.pair or "", known, pair, False, "x")
    assert found == [Path(own)]


def test_a_file_in_a_language_that_is_not_read_is_of_no_other_pair():
    about = FORMATS["crosssum"]
    for name in ("english-kirundi", "english-scottish_gaelic", "english-tigrinya"):
        with pytest.raises(InputError, match=r"x: has en to (rn|gd|ti), and no en to es"):
            of_pair([Path(f"{name}_test.jsonl")], about.pair or "", BBC, ("en", "es"), False, "x")


def test_examples_pass_before_their_languages_are_judged():
    wrong = Example(id="x", document="Die Polizei fand zwei Männer.", cross="The police came.")
    passed = in_languages(iter([wrong] * 7), {"source": "en", "target": "de"})
    assert next(passed) == wrong
    with pytest.raises(InputError, match="of the first 7 examples, 100% of the documents are not"):
        list(passed)
    assert len(list(in_languages(iter([wrong] * 3), {"source": "de", "target": "de"}))) == 3
