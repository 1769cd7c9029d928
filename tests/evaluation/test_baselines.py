"""Lead, copy and oracle."""

from dataclasses import replace
from itertools import combinations

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.evaluate import evaluate
from mclas_lightning.evaluation.baselines import BaselineSummarizer
from mclas_lightning.example import Example
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.task import Baseline
from mclas_lightning.verification.verify import verify
from tests.conftest import read_lines

SENTENCES = ["A storm hit Munich.", "Trains were late.", "Eight people were hurt.", "Nobody died."]
STORY = Example(
    id="1",
    document=" ".join(SENTENCES),
    mono="Eight people were hurt when a storm hit.",
    cross="Acht Verletzte: Munich died",
)
OTHER = Example(id="2", document="Fire at a hotel. All were saved.", mono="xyz", cross="Fire")


def summaries(name: str, *examples: Example):
    settings, _ = read_settings(compose("train", ["dataset=toy", f"model={name}"]))
    assert isinstance(settings.system, Baseline)
    system = BaselineSummarizer(baseline=settings.system, dataset=settings.dataset)
    return system.summarize(examples)


def test_a_lead_is_the_first_sentences_of_the_document():
    assert summaries("lead_1", STORY) == [dict.fromkeys(("mono", "cross"), SENTENCES[0])]
    (found,) = summaries("lead_3", STORY)
    assert found["cross"] == found["mono"] == "\n".join(SENTENCES[:3])
    assert summaries("lead_3", OTHER)[0]["mono"] == "Fire at a hotel.\nAll were saved."


@pytest.mark.parametrize("name", ["lead_1", "lead_3", "oracle"])
def test_a_line_end_inside_a_sentence_of_the_document_divides_nothing(name):
    text = STORY.document.replace(" hit", "\nhit").replace("re ", "re\r\n")
    assert summaries(name, replace(STORY, document=text)) == summaries(name, STORY)


def test_the_copy_of_the_gold_mono_summary_stands_for_the_cross_summary():
    assert summaries("copy_mono", STORY, OTHER) == [{"cross": STORY.mono}, {"cross": "xyz"}]


def merit(side: str, text: str) -> float:
    profile = standard_profile("en" if side == "mono" else "de")
    scores = profile.scores([text], [STORY.summary(side)])  # pyright: ignore
    return float(scores["rouge1_f"][0] + scores["rouge2_f"][0])


@pytest.mark.parametrize("side", ["mono", "cross"])
def test_the_oracle_finds_what_enumeration_finds(side):
    (found,) = summaries("oracle", STORY)
    sets = [chosen for n in (1, 2, 3) for chosen in combinations(SENTENCES, n)]
    assert found[side] == max(("\n".join(chosen) for chosen in sets), key=lambda t: merit(side, t))


def test_an_oracle_without_a_common_word_takes_the_first_sentence():
    together = summaries("oracle", OTHER, STORY)
    assert together[0] == {"mono": "Fire at a hotel.", "cross": "Fire at a hotel."}
    assert together[1] == summaries("oracle", STORY)[0]


@pytest.mark.parametrize("name", ["lead_1", "lead_3", "copy_mono", "oracle"])
def test_a_baseline_is_scored_without_a_training(words, name, capsys):
    for _ in range(2):  # The second time, its own config.yaml is found.
        results = evaluate(compose("evaluate", [*words, f"model={name}"]))
        assert results is not None
        assert "another decoding" not in capsys.readouterr().out
    assert results.folder is not None
    assert (results.decoding, results.recipe) == ({}, {})
    assert len(read_lines(results.folder / "predictions.jsonl")) == 7
    assert not (results.folder / "checkpoints").exists()
    assert verify(results.folder).of("mismatch") == []
