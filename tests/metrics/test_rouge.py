from collections.abc import Callable
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.counting import ROUGE_KINDS, SEQUENCE_KINDS
from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.metrics.rouge import (
    Profile,
    folded_profile,
    named_profile,
    paper_profile,
    split_sentences,
    standard_profile,
)

LANGUAGES = ("de", "en", "zh")
LETTERS = st.text("abcäöüßéжзあ中国安全网络〇12 ,.'-_、。!", max_size=30)
ASCII = st.text(st.characters(min_codepoint=9, max_codepoint=126), max_size=40)
PIECES = WordPieces(dict(zip(["app", "##le", *"警方找到寻3。！"], range(10), strict=True)))
EVERY = [
    *map(standard_profile, LANGUAGES),
    paper_profile("de"),
    paper_profile("en"),
    paper_profile("zh", PIECES),
]
PROFILES = st.sampled_from(EVERY)


def one(profile: Profile, hypothesis: str, reference: str) -> dict[str, float]:
    """The scores of a pair, without the family in their names."""
    found = profile.scores([hypothesis], [reference])
    return {name.removeprefix("paper_"): column.item() for name, column in found.items()}


def fractions(**kinds: tuple[float, float, float]) -> dict[str, float]:
    """``rouge1=(hits, of hypothesis, of reference)`` as precision, recall and F1."""
    return {
        f"{kind}_{name}": value
        for kind, (hits, ours, theirs) in kinds.items()
        for name, value in zip(
            "prf", (hits / ours, hits / theirs, 2 * hits / (ours + theirs)), strict=True
        )
    }


def test_german_rouge_equals_a_count_by_hand():
    # hypothesis: die größe der lücke     reference: die lücke der größe fällt
    # words in common: die, größe, der, lücke -> 4 of 4 and 4 of 5
    # bigrams: die-größe größe-der der-lücke against
    # die-lücke lücke-der der-größe größe-fällt -> none
    # longest common subsequence: die der, or die größe, or die lücke -> 2 of 4 and 2 of 5
    found = one(standard_profile("de"), "Die Größe der Lücke", "Die Lücke der Größe fällt.")
    expected = fractions(rouge1=(4, 4, 5), rouge2=(0, 3, 4), rougeL=(2, 4, 5), rougeLsum=(2, 4, 5))
    assert found == pytest.approx(expected)


def test_german_rouge_as_the_paper_equals_a_count_by_hand():
    # hypothesis: die stadt fallen        reference: die stadt fallt
    # (Städtes and Stadt are one stem without accents; fällt and fallen are two)
    found = one(paper_profile("de"), "Die Städtes fallen", "Die Stadt fällt.")
    expected = fractions(rouge1=(2, 3, 3), rouge2=(1, 2, 2), rougeL=(2, 3, 3), rougeLsum=(2, 3, 3))
    assert found == pytest.approx(expected)


def test_chinese_rouge_equals_a_count_by_hand():
    # hypothesis: 警 方 找 到 apple   reference: 警 方 寻 找 apple 3
    # in common: 警 方 找 apple -> 4 of 5 and 4 of 6, also in this order
    # bigrams: 警方 方找 找到 到apple against 警方 方寻 寻找 找apple apple-3 -> 1 of 4 and 1 of 5
    found = one(standard_profile("zh"), "警方找到Apple。", "警方寻找 apple 3!")
    expected = fractions(rouge1=(4, 5, 6), rouge2=(1, 4, 5), rougeL=(4, 5, 6), rougeLsum=(4, 5, 6))
    assert found == pytest.approx(expected)


def test_chinese_rouge_as_the_paper_equals_a_count_by_hand():
    # hypothesis: 警 方 找 到 app ##le 。   reference: 警 方 寻 找 app ##le 3 !
    # in common: 警 方 找 app ##le -> 5 of 7 and 5 of 8, also in this order
    # bigrams: 警方 方找 找到 到app app##le ##le。 against
    # 警方 方寻 寻找 找app app##le ##le3 3! -> 警方 app##le: 2 of 6 and 2 of 7
    found = one(paper_profile("zh", PIECES), "警方找到Apple。", "警方寻找 ápple 3!")
    expected = fractions(rouge1=(5, 7, 8), rouge2=(2, 6, 7), rougeL=(5, 7, 8), rougeLsum=(5, 7, 8))
    assert found == pytest.approx(expected)


def test_english_rouge_equals_a_count_by_hand_in_both_profiles():
    # hypothesis: police searched | it rained      reference: it rains | the police search
    # standard: police, it -> 2 of 4 and 2 of 5; no bigram
    # ROUGE-L, one sequence: "police" or "it" -> 1 of 4 and 1 of 5
    # ROUGE-Lsum: "it" of the first reference sentence, "police" of the second -> 2 of 4 and 2 of 5
    texts = ("Police searched. It rained.", "It rains. The police search.")
    assert one(standard_profile("en"), *texts) == pytest.approx(
        fractions(rouge1=(2, 4, 5), rouge2=(0, 3, 4), rougeL=(1, 4, 5), rougeLsum=(2, 4, 5))
    )
    # paper, stems: polic search | it rain   against   it rain | the polic search
    # all four, both bigrams within sentences; one sequence: "it rain" -> 2; by sentences: all four
    assert one(paper_profile("en"), *texts) == pytest.approx(
        fractions(rouge1=(4, 4, 5), rouge2=(2, 3, 4), rougeL=(2, 4, 5), rougeLsum=(4, 4, 5))
    )


@pytest.mark.parametrize(
    ("language", "hypothesis", "reference", "expected"),
    [
        ("hi", "बालक", "बोलक", 0),
        ("ja", "東京で大きな地震があった", "東京で大きな地震がありました", 2 * 11 / (12 + 14)),
        ("yue", "佢哋今日喺香港開會", "佢哋尋日喺香港開會", 8 / 9),
        ("tr", "İmamoğlu istanbul", "imamoğlu İSTANBUL", 1),
    ],
)
def test_rouge_1_of_other_scripts_equals_a_count_by_hand(
    language: str, hypothesis: str, reference: str, expected: float
):
    found = one(standard_profile(language), hypothesis, reference)
    assert found["rouge1_f"] == pytest.approx(expected)
    assert one(paper_profile(language), hypothesis, reference)["rouge1_f"] == pytest.approx(
        expected
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_newline_is_a_sentence_boundary(language: str):
    a, b = "Der Fluss steigt\nDas Dorf wartet", "Das Dorf wartet\nDer Fluss steigt"
    assert one(standard_profile(language), a, b)["rougeLsum_f"] == 1
    a, b = a.replace("\n", " "), b.replace("\n", " ")
    assert one(standard_profile(language), a, b)["rougeLsum_f"] < 1


def test_a_text_of_several_lines_has_no_other_boundaries():
    # As for rouge-score: "Dr. Who left. He ran" is one sentence of three.
    assert split_sentences("One.\nDr. Who left. He ran\nTwo\n", "en") == [
        "One.", "Dr. Who left. He ran", "Two",
    ]  # fmt: skip
    assert len(split_sentences("He left. He ran.\n", "en")) == 2


@pytest.mark.parametrize("make", [standard_profile, paper_profile])
@given(ASCII, ASCII)
def test_on_ascii_text_we_agree_with_rouge_score(make: Callable[[str], Profile], a: str, b: str):
    theirs = RougeScorer(ROUGE_KINDS, use_stemmer=make is paper_profile)
    expected = theirs.score(target=b, prediction=a)
    # Text with a newline is what rouge-score takes for sentences; other text is split by sentencex.
    lines = [t if "\n" in t.strip() else "\n".join(segment("en", t)) for t in (a, b)]
    expected["rougeLsum"] = theirs.score(prediction=lines[0], target=lines[1])["rougeLsum"]
    ours = one(make("en"), a, b)
    for kind in ROUGE_KINDS:
        assert tuple(ours[f"{kind}_{name}"] for name in "prf") == tuple(expected[kind])


@given(LETTERS, PROFILES)
def test_a_text_scores_1_against_itself_if_it_has_an_n_gram(text: str, profile: Profile):
    found = one(profile, text, text)
    num = sum(map(len, profile.tokenize(segment(profile.language, text))))
    assert found["rouge1_f"] == found["rougeL_f"] == found["rougeLsum_f"] == (num >= 1)
    assert found["rouge2_f"] == (num >= 2)


@given(LETTERS, LETTERS, PROFILES)
def test_scores_stay_within_0_and_1_and_swap_precision_with_recall(
    a: str, b: str, profile: Profile
):
    there, back = one(profile, a, b), one(profile, b, a)
    assert all(0 <= value <= 1 for value in there.values())
    # Of ROUGE-Lsum only where no text has two sentences: it goes by the reference's sentences.
    single = all(len(segment(profile.language, text)) < 2 for text in (a, b))
    for kind in ROUGE_KINDS if single else SEQUENCE_KINDS:
        assert there[f"{kind}_p"] == back[f"{kind}_r"]
        assert there[f"{kind}_f"] == pytest.approx(back[f"{kind}_f"])


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=2, max_size=5), st.randoms(), PROFILES)
def test_a_documents_scores_do_not_depend_on_the_others(pairs, random, profile: Profile):
    order = random.sample(range(len(pairs)), len(pairs))
    found = profile.scores([a for a, _ in pairs], [b for _, b in pairs])
    shuffled = profile.scores([pairs[i][0] for i in order], [pairs[i][1] for i in order])
    for name, column in found.items():
        assert shuffled[name].tolist() == column[order].tolist()


def test_only_the_kinds_asked_for_are_counted():
    found = paper_profile("de").scores(["a b"], ["a b"], kinds=("rouge2",))
    assert {name: column.item() for name, column in found.items()} == {
        "paper_rouge2_p": 1, "paper_rouge2_r": 1, "paper_rouge2_f": 1
    }  # fmt: skip


@pytest.mark.parametrize("profile", EVERY, ids=lambda p: f"{p.name}-{p.language}")
def test_an_empty_hypothesis_scores_0(profile: Profile):
    assert set(one(profile, "", "Die Größe 警").values()) == {0}


def test_nothing_scores_nothing():
    assert all(column.size == 0 for column in standard_profile("de").scores([], []).values())


def test_as_many_hypotheses_as_references_are_required():
    with pytest.raises(InputError, match="found 2 hypotheses and 1 references"):
        standard_profile("en").scores(["a", "b"], ["a"])


def test_the_signature_says_all_that_scores_depend_on():
    versions = f"|sentencex:{version('sentencex')}|rouge-score:{version('rouge-score')}|version:3"
    assert standard_profile("zh").signature == (
        "rouge|profile:standard|lang:zh|tok:characters|case:lower|accents:kept|stem:no|L:rougeL"
        + versions
    )
    assert paper_profile("de").signature == (
        "rouge|profile:paper|lang:de|tok:words|case:lower|accents:stripped|stem:porter|L:rougeLsum"
        + versions
    )
    assert paper_profile("zh", PIECES).signature == (
        "rouge|profile:paper|lang:zh|tok:pieces|case:lower|accents:stripped|stem:no"
        f"|vocabulary:{PIECES.hash}|L:rougeL" + versions
    )
    assert len({profile.signature for profile in EVERY}) == len(EVERY)


def test_profiles_are_found_by_name(tmp_path, tokenizer):
    tokenizer.save(tmp_path)
    assert named_profile("standard", "zh").signature == standard_profile("zh").signature
    assert named_profile("folded", "de").signature == folded_profile("de").signature
    assert named_profile("paper", "de").signature == paper_profile("de").signature
    named = named_profile("paper", "zh", tmp_path)
    assert f"|vocabulary:{WordPieces.read(tmp_path).hash}|" in named.signature
    with pytest.raises(InputError, match="profile 'papr' does not exist; did you mean 'paper'"):
        named_profile("papr", "de")
    with pytest.raises(InputError, match="--lang de --profile paper; leave it out"):
        named_profile("paper", "de", tmp_path)
    with pytest.raises(
        InputError, match="by the word pieces of a tokenizer, found none; give it with"
    ):
        named_profile("paper", "zh")


@pytest.mark.parametrize(("language", "found"), [("tr", 1.0), ("az", 1.0), ("de", 0.5)])
def test_a_turkish_capital_i_is_dotless(language, found):
    profile = standard_profile(language)
    (scored,) = profile.scores(["Isparta İzmir"], ["ısparta izmir"])[profile.headline[0]]
    assert scored == found
    assert ("case:dotless" in profile.signature) == (found == 1)


@pytest.mark.parametrize("make", [folded_profile, paper_profile])
@pytest.mark.parametrize("language", ["tr", "az"])
@pytest.mark.parametrize("lowered", ["ısparta izmir ısı", "isparta izmir ısı"])
def test_without_accents_a_turkish_i_has_no_dot_to_lose(make, language, lowered):
    """An uncased BERT reads Isparta as isparta; text of lower case has the dotless letter."""
    profile = make(language)
    (scored,) = profile.scores([lowered], ["Isparta İzmir Isı"])[profile.headline[0]]
    assert scored == 1
    assert "|case:lower|" in profile.signature
