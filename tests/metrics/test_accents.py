import pytest
from tokenizers import Tokenizer, models, normalizers

from mclas_lightning.metrics.accents import kept_by_tokenizer, kept_by_tokenizer_file, lacks_accents


def backend(normalizer) -> Tokenizer:
    found = Tokenizer(models.WordLevel({"x": 0}, unk_token="x"))
    if normalizer is not None:
        found.normalizer = normalizer
    return found


@pytest.mark.parametrize(
    ("normalizer", "case", "accents"),
    [
        (None, True, True),
        (normalizers.NFKC(), True, True),
        (normalizers.NFD(), True, True),
        (normalizers.Lowercase(), False, True),
        (normalizers.BertNormalizer(lowercase=True), False, False),  # bert-base-...-uncased
        (normalizers.BertNormalizer(lowercase=True, strip_accents=False), False, True),
        (normalizers.BertNormalizer(lowercase=False), True, True),  # bert-base-...-cased
        (normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), True, False),
    ],
)
def test_what_a_tokenizer_keeps_is_found_by_trying(tmp_path, normalizer, case, accents):
    expected = {"case": case, "accents": accents}
    assert kept_by_tokenizer(backend(normalizer)) == expected
    backend(normalizer).save(str(tmp_path / "tokenizer.json"))
    assert kept_by_tokenizer_file(tmp_path / "tokenizer.json") == expected


def test_nothing_is_known_of_a_file_that_is_not_there_or_damaged(tmp_path):
    assert kept_by_tokenizer_file(tmp_path / "none.json") == {}
    (tmp_path / "damaged.json").write_text("{")
    assert kept_by_tokenizer_file(tmp_path / "damaged.json") == {}


def test_texts_lack_accents_where_their_references_have_some():
    assert lacks_accents(["gruße"], ["Grüße"])
    assert not lacks_accents(["Grüße", "gruße"], ["Grüße"])
    assert not lacks_accents(["rain"], ["Rain"])
    assert not lacks_accents(["बोलक"], ["बालक"])  # a vowel is no accent
