from collections.abc import Sequence
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from mclas_lightning.errors import InputError
from mclas_lightning.metrics import rouge as module
from mclas_lightning.metrics.rouge import KINDS, mean, rouge, self_test, signature, tokens

LANGUAGES = ("de", "en", "zh")
LETTERS = st.text("abcäöüßéжзあ中国安全网络〇12 ,.'-_、。", max_size=30)
ASCII = st.text(st.characters(min_codepoint=9, max_codepoint=126), max_size=40)
LANGUAGE = st.sampled_from(LANGUAGES)


def test_german_rouge_equals_a_count_by_hand():
    # hypothesis: die größe der lücke     reference: die lücke der größe fällt
    # words in common: die, größe, der, lücke -> 4 of 4 and 4 of 5
    # bigrams: die-größe größe-der der-lücke against
    # die-lücke lücke-der der-größe größe-fällt -> none
    # longest common subsequence: die der, or die größe, or die lücke -> 2 of 4 and 2 of 5
    (found,) = rouge(["Die Größe der Lücke"], ["Die Lücke der Größe fällt."], "de")
    assert found == pytest.approx(
        {
            **{"rouge1_p": 4 / 4, "rouge1_r": 4 / 5, "rouge1_f": 8 / 9},
            **{"rouge2_p": 0, "rouge2_r": 0, "rouge2_f": 0},
            **{"rougeL_p": 2 / 4, "rougeL_r": 2 / 5, "rougeL_f": 4 / 9},
        }
    )


def test_chinese_rouge_equals_a_count_by_hand():
    # hypothesis: 警 方 找 到 apple   reference: 警 方 寻 找 apple 3
    # in common: 警 方 找 apple -> 4 of 5 and 4 of 6, also in this order
    # bigrams: 警方 方找 找到 到apple against 警方 方寻 寻找 找apple apple-3 -> 1 of 4 and 1 of 5
    (found,) = rouge(["警方找到Apple。"], ["警方寻找 apple 3!"], "zh")
    assert found == pytest.approx(
        {
            **{"rouge1_p": 4 / 5, "rouge1_r": 4 / 6, "rouge1_f": 8 / 11},
            **{"rouge2_p": 1 / 4, "rouge2_r": 1 / 5, "rouge2_f": 2 / 9},
            **{"rougeL_p": 4 / 5, "rougeL_r": 4 / 6, "rougeL_f": 8 / 11},
        }
    )


@given(ASCII, ASCII)
def test_on_ascii_text_we_agree_with_rouge_scores_own_tokenizer(hypothesis: str, reference: str):
    theirs = RougeScorer(KINDS).score(target=reference, prediction=hypothesis)
    (ours,) = rouge([hypothesis], [reference], "en")
    for kind in KINDS:
        assert tuple(ours[f"{kind}_{name}"] for name in "prf") == tuple(theirs[kind])


@given(LETTERS, LANGUAGE)
def test_a_text_scores_1_against_itself_if_it_has_an_n_gram(text: str, language: str):
    (found,) = rouge([text], [text], language)
    num = len(tokens(text, language))
    assert found["rouge1_f"] == found["rougeL_f"] == (num >= 1)
    assert found["rouge2_f"] == (num >= 2)


@given(LETTERS, LETTERS, LANGUAGE)
def test_scores_stay_within_0_and_1_and_swap_precision_with_recall(a: str, b: str, language: str):
    (there,), (back,) = rouge([a], [b], language), rouge([b], [a], language)
    assert all(0 <= value <= 1 for value in there.values())
    for kind in KINDS:
        assert there[f"{kind}_p"] == back[f"{kind}_r"]
        assert there[f"{kind}_f"] == pytest.approx(back[f"{kind}_f"])


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=2, max_size=5), st.randoms())
def test_the_corpus_score_does_not_depend_on_the_order_of_documents(pairs, random):
    def corpus(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
        return mean(rouge([a for a, _ in pairs], [b for _, b in pairs], "de"))

    shuffled = random.sample(pairs, len(pairs))
    assert corpus(shuffled) == pytest.approx(corpus(pairs))


def test_words_keep_their_umlauts_however_these_are_encoded():
    assert tokens("Größe, ÜBER", "de") == ["größe", "über"]
    assert tokens("U\u0308ber", "de") == ["über"]


def test_apostrophes_hyphens_and_commas_separate_words():
    assert tokens("don't well-known 1,234 a_b", "en") == [
        "don",
        "t",
        "well",
        "known",
        "1",
        "234",
        "a",
        "b",
    ]


def test_chinese_text_is_split_into_characters_and_runs_of_the_rest():
    assert tokens("在Linux 5.10中,二〇〇六𠀀", "zh") == [
        "在",
        "linux",
        "5",
        "10",
        "中",
        *"二〇〇六𠀀",
    ]


def test_an_empty_hypothesis_scores_0():
    assert set(rouge([""], ["Die Größe"], "de")[0].values()) == {0}


def test_as_many_hypotheses_as_references_are_required():
    with pytest.raises(InputError, match="found 2 hypotheses and 1 references"):
        rouge(["a", "b"], ["a"], "en")


@pytest.mark.parametrize("language", [*LANGUAGES, "fr"])
def test_the_self_test_passes(language: str):
    self_test(language)


@pytest.mark.parametrize("language", ["de", "zh"])
def test_the_self_test_refuses_rouge_scores_own_tokenizer(language: str, monkeypatch):
    monkeypatch.setattr(module, "_scorer", lambda language: RougeScorer(KINDS))
    with pytest.raises(RuntimeError, match=f"ROUGE self-test failed for '{language}'"):
        self_test(language)


def test_the_signature_tells_languages_and_tokenizations_apart():
    assert signature("zh") == (
        "rouge|lang:zh|tok:characters|case:lower|stem:no|rougeL:sentence"
        f"|rouge-score:{version('rouge-score')}|version:1"
    )
    assert "|lang:de|tok:words|" in signature("de")
