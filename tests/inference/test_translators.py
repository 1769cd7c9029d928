import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    FSMTConfig,
    FSMTForConditionalGeneration,
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    NllbTokenizer,
    T5Config,
    T5ForConditionalGeneration,
)

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.inference.translators import (
    HuggingFaceTranslator,
    load_translator,
)
from mclas_lightning.train import train

CPU = torch.device("cpu")
PIECES = ["a", "b", "c", "d", "a</w>", "b</w>", "c</w>", "d</w>"]
SIZES: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
         "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
         "d_model": 8, "max_position_embeddings": 40}  # fmt: skip


@pytest.fixture
def fsmt(tmp_path):
    """A folder as WMT19's models are kept, with a random model from English to German."""
    folder = tmp_path / "wmt19 en-de"
    vocabulary = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *PIECES])}
    torch.manual_seed(1)
    config = FSMTConfig(
        langs=["en", "de"], src_vocab_size=len(vocabulary), tgt_vocab_size=len(vocabulary), **SIZES
    )
    FSMTForConditionalGeneration(config).save_pretrained(folder)
    for side in ("src", "tgt"):
        (folder / f"vocab-{side}.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"langs": ["en", "de"], "tokenizer_class": "FSMTTokenizer"})
    )
    return folder


@pytest.fixture
def nllb(tmp_path):
    """A random multilingual model that knows English, German and Chinese."""
    return write_nllb(tmp_path / "nllb", ["a", "b", "c"])


def write_nllb(folder, characters):
    vocabulary = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁", *characters])}
    tokenizer = NllbTokenizer(
        vocab=vocabulary, merges=[], extra_special_tokens=["deu_Latn", "eng_Latn", "zho_Hans"]
    )
    torch.manual_seed(2)
    model = M2M100ForConditionalGeneration(M2M100Config(vocab_size=len(tokenizer), **SIZES))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def test_a_model_as_wmt19s_translates_in_order(fsmt):
    translator = load_translator(str(fsmt), "en", "de", beam=3, device=CPU)
    texts = ["a b c", "d", "b a b a b a d", "c c"]
    together = translator.translate(texts)
    assert len(together) == 4
    assert together == [translator.translate([text])[0] for text in texts]
    assert all(text == " ".join(text.split()) and "</s>" not in text for text in together)
    assert any(together)
    assert translator.translate([]) == []
    other = load_translator(str(fsmt), "en", "de", beam=2, device=CPU)
    assert translator.identity != other.identity
    again = load_translator(str(fsmt), "en", "de", beam=3, device=CPU)
    assert translator.identity == again.identity
    assert isinstance(again, HuggingFaceTranslator)
    with torch.no_grad():
        next(again.model.parameters()).mul_(2)
    again.model.save_pretrained(fsmt)
    other = load_translator(str(fsmt), "en", "de", beam=3, device=CPU)
    assert translator.identity != other.identity


def test_a_model_of_the_other_direction_is_refused(fsmt):
    with pytest.raises(InputError, match="translates from 'en' to 'de', not from 'de' to 'en'"):
        load_translator(str(fsmt), "de", "en", beam=3, device=CPU)


def test_a_multilingual_model_is_told_both_languages(nllb):
    translator = load_translator(str(nllb), "en", "zh", beam=2, device=CPU)
    assert isinstance(translator, HuggingFaceTranslator)
    tokenizer = translator.tokenizer
    assert translator.first == tokenizer.convert_tokens_to_ids("zho_Hans")
    assert tokenizer.convert_ids_to_tokens(tokenizer("a b")["input_ids"])[0] == "eng_Latn"
    assert len(translator.translate(["a b", "c"])) == 2
    with pytest.raises(InputError, match="does not know the language 'fr'"):
        load_translator(str(nllb), "en", "fr", beam=2, device=CPU)


def test_an_m2m100_that_was_saved_anew_is_told_both_languages(pieces, tmp_path):
    model, written = pieces
    vocabulary = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *written])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    folder = tmp_path / "m2m"
    M2M100Tokenizer(str(tmp_path / "vocab.json"), str(model)).save_pretrained(folder)
    torch.manual_seed(3)
    M2M100ForConditionalGeneration(M2M100Config(vocab_size=200, **SIZES)).save_pretrained(folder)
    translator = load_translator(str(folder), "zh", "de", beam=2, device=CPU)
    assert isinstance(translator, HuggingFaceTranslator)
    tokenizer = translator.tokenizer
    assert translator.first == tokenizer.get_lang_id("de")
    assert tokenizer.convert_ids_to_tokens(tokenizer("a b")["input_ids"])[0] == "__zh__"
    assert len(translator.translate(["a b", "c"])) == 2


@pytest.mark.parametrize(
    ("said", "asked"), [(("en", "zh"), "zh"), (("eng", "zho"), "zh"), (("eng", "aze"), "az")]
)
def test_a_marian_model_names_its_languages_by_two_letters_or_three(pieces, tmp_path, said, asked):
    model, written = pieces
    folder = tmp_path / "marian"
    folder.mkdir()
    for side in ("source", "target"):
        (folder / f"{side}.spm").write_bytes(model.read_bytes())
    vocabulary = {t: i for i, t in enumerate(["</s>", "<unk>", *written, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"source_lang": said[0], "target_lang": said[1], "tokenizer_class": "MarianTokenizer"}
        )
    )
    pad = vocabulary["<pad>"]
    config = MarianConfig(
        vocab_size=len(vocabulary), pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad,
        **SIZES,
    )  # fmt: skip
    torch.manual_seed(4)
    MarianMTModel(config).save_pretrained(folder)
    translator = load_translator(str(folder), "en", asked, beam=2, device=CPU)
    assert len(translator.translate(["a b", "c"])) == 2
    with pytest.raises(InputError, match="not from 'en' to 'de'"):
        load_translator(str(folder), "en", "de", beam=2, device=CPU)


def test_t5_is_told_the_pair_in_words(tokenizer, tmp_path):
    folder, words = tmp_path / "t5", "translate English to German: "
    config = T5Config(
        vocab_size=len(tokenizer), d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2,
        pad_token_id=tokenizer.special.pad, eos_token_id=tokenizer.special.eos,
        **{"decoder_start_token_id": 0,
           "task_specific_params": {"translation_en_to_de": {"prefix": words}}},
    )  # fmt: skip
    torch.manual_seed(4)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save(tmp_path / "tokenizer")
    for file in (tmp_path / "tokenizer").iterdir():
        file.rename(folder / file.name)
    told = load_translator(str(folder), "en", "de", beam=1, device=CPU)
    assert isinstance(told, HuggingFaceTranslator)
    assert told.prefix == words
    assert told.translate(["storm"]) == replace(told, prefix="").translate([f"{words}storm"])
    with pytest.raises(InputError, match=r"has instructions for translation_en_to_de, and none"):
        load_translator(str(folder), "de", "en", beam=1, device=CPU)
    known = AutoTokenizer.from_pretrained(folder)
    known.add_tokens(["<2en>", "<2zh>"])  # MADLAD-400's
    known.save_pretrained(folder)
    told = load_translator(str(folder), "en", "zh", beam=1, device=CPU)
    assert isinstance(told, HuggingFaceTranslator)
    assert told.prefix == "<2zh> "
    with pytest.raises(InputError, match="does not know the language 'de'"):
        load_translator(str(folder), "en", "de", beam=1, device=CPU)


def test_a_model_whose_files_lack_weights_is_refused(fsmt):
    weights = load_file(fsmt / "model.safetensors")
    lacking = "model.decoder.layers.0.fc1.weight"
    del weights[lacking]
    save_file(weights, fsmt / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"files lack 1 of its weights, such as '{lacking}'"):
        load_translator(str(fsmt), "en", "de", beam=1, device=CPU)


def test_what_is_no_translator_is_one_line(tmp_path):
    (tmp_path / "config.yaml").write_text("of: another library\n")
    for name in (str(tmp_path), "nobody/has-this-model"):
        with pytest.raises(InputError, match="neither a run, nor a folder") as caught:
            load_translator(name, "en", "de", beam=2, device=CPU)
        assert "\n" not in str(caught.value)


@pytest.fixture
def runs(words, tmp_path):
    """A trained translator, and a summarizer."""
    for model in ("mt", "ncls"):
        train(compose("train", [*words, f"model={model}"]))
    return tmp_path / "runs" / "small" / "minimum"


def test_a_run_trained_here_translates_as_it_was_evaluated(runs, tmp_path):
    translator = load_translator(str(runs / "mt" / "seed=0"), "en", "de", beam=9, device=CPU)
    lines = (runs / "mt" / "seed=0" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    predictions = [json.loads(line) for line in lines]
    # The test set's mono summaries are what it read there.
    from tests.conftest import examples

    mono = {e.id: e.mono or "" for e in examples(7, 51)}
    found = translator.translate([mono[p["id"]] for p in predictions])
    assert found == [p["hypotheses"]["cross"] for p in predictions]
    for name, said in (
        ("mt", r"translates from 'en' to 'de', not from 'de' to 'en'"),
        ("ncls", r"run of model 'ncls', which translates nothing"),
    ):
        with pytest.raises(InputError, match=said):
            load_translator(str(runs / name / "seed=0"), "de", "en", beam=2, device=CPU)
    (runs / "mt" / "seed=0" / "training.json").unlink()
    with pytest.raises(InputError, match="its training has not ended"):
        load_translator(str(runs / "mt" / "seed=0"), "en", "de", beam=2, device=CPU)
