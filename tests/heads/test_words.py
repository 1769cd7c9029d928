import numpy as np

from mclas_lightning.heads.words import merge, words_of


def test_words_are_those_of_the_text_and_control_tokens(tokenizer):
    special = tokenizer.special
    mono, cross = tokenizer.encode(["storm 31 hits Munich", "Sturm 31 trifft"], 50)
    ids = [special.bos, *mono, special.lsep, *cross]
    found = words_of(ids, tokenizer, ["en", "de"])
    first, second = ([found.labels[i] for i in found.places(side)] for side in (0, 1))
    assert first == ["storm", "31", "hits", "Munich"]
    assert second == ["Sturm", "31", "trifft"]
    assert found.labels[0] == "[BOS]"
    assert found.side_W[found.labels.index("[LSEP]")] == 1


def test_a_second_bos_is_no_word_of_the_second_side(tokenizer):
    special = tokenizer.special
    (cross,) = tokenizer.encode(["Sturm"], 50)
    found = words_of([special.bos, special.lsep, special.bos, *cross], tokenizer, ["en", "de"])
    assert [found.labels[i] for i in found.places(1)] == ["Sturm"]
    assert len(found.places(0)) == 0


def test_a_language_without_spaces_has_a_word_for_each_piece(tokenizer):
    ids = tokenizer.encode(["unseenword"], 50)[0]
    assert len(ids) > 1
    assert len(words_of(ids, tokenizer, ["en"]).labels) == 1
    assert len(words_of(ids, tokenizer, ["zh"]).labels) == len(ids)


def test_merging_keeps_the_mass_of_rows_and_of_words(tokenizer):
    rng = np.random.default_rng(0)
    rows_ids, columns_ids = tokenizer.encode(["unseen storm words", "Munich is unseenword"], 50)
    rows, columns = (words_of(ids, tokenizer, ["en"]) for ids in (rows_ids, columns_ids))
    weights = rng.dirichlet(np.ones(len(columns_ids)), (2, 3, len(rows_ids)))
    merged = merge(weights, rows, columns)
    assert merged.shape == (2, 3, len(rows.labels), len(columns.labels))
    np.testing.assert_allclose(merged.sum(-1), 1)
    start, end = columns.starts_W[1:3]
    np.testing.assert_allclose(
        merged[..., 0, 1], weights[..., : rows.starts_W[1], start:end].sum(-1).mean(-1)
    )
