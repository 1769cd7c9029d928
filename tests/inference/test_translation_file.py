import json

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.inference.translation_file import TranslationFile
from tests.conftest import read_lines


def test_a_bad_line_of_a_translation_file_is_named(tmp_path):
    file = tmp_path / "translations.jsonl"
    file.write_text('{"text": "a", "translation": "b"}\n{"text": "c"}\n')
    with pytest.raises(InputError, match=r'translations\.jsonl:2: expected a line \{"text"'):
        TranslationFile.read(file)


def test_a_text_that_the_file_lacks_is_asked_for_once(tmp_path):
    file = tmp_path / "translations.jsonl"
    file.write_text(json.dumps({"text": "one", "translation": "eins"}) + "\n")
    translations = TranslationFile.read(file)
    assert translations.translate(["one", "two", " ", "two"]) == ["eins", "", "", ""]
    with pytest.raises(InputError, match="lacks the translations of 1 texts"):
        translations.check_complete()
    asked = read_lines(tmp_path / "translations.missing.jsonl")
    assert asked == [{"text": "two", "translation": ""}]


def test_translations_that_were_filled_in_and_not_added_yet_stay(tmp_path):
    file, todo = tmp_path / "translations.jsonl", tmp_path / "translations.missing.jsonl"
    filled = json.dumps({"text": "two", "translation": "zwei"}) + "\n"
    todo.write_text(filled)
    translations = TranslationFile.read(file)
    translations.translate(["two", "three"])
    with pytest.raises(InputError, match=r"has translations of 1 texts that .* lacks; add its"):
        translations.check_complete()
    assert todo.read_text() == filled

    file.write_text(filled)
    translations = TranslationFile.read(file)
    translations.translate(["two", "three"])
    with pytest.raises(InputError, match="lacks the translations of 1 texts"):
        translations.check_complete()
    assert read_lines(todo) == [{"text": "three", "translation": ""}]


def test_a_translation_is_one_line_whatever_line_ends_it_has(tmp_path):
    file = tmp_path / "translations.jsonl"
    file.write_text(json.dumps({"text": "one two", "translation": "eins\r\nzwei \n"}) + "\n")
    assert TranslationFile.read(file).translate(["one two"]) == ["eins zwei"]


def test_half_a_character_is_named_before_anything_is_summarized(tmp_path):
    file = tmp_path / "translations.jsonl"
    file.write_text(json.dumps({"text": "one", "translation": "eins \ud83d"}) + "\n")
    with pytest.raises(InputError, match=r"translations\.jsonl:1: a text holds half a character"):
        TranslationFile.read(file)
