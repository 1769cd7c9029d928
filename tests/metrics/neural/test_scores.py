import numpy as np
import pytest
import torch

from mclas_lightning.config.groups import ScoringConfig
from mclas_lightning.metrics.neural.bertscore import BertScore
from mclas_lightning.metrics.neural.scores import NEURAL_SCORES, NeuralScores
from mclas_lightning.metrics.neural.similarity import Similarity
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.score import overlap_scores

CPU = torch.device("cpu")
OUTPUTS = [["storm hits", "police in the city"], ["the flood", "two men"]]
REFERENCES = ["the storm hits the city", "police found two men"]
DOCUMENTS = ["a storm hits a street in the city", "police found two men in a street"]


@pytest.fixture(scope="module")
def neural(small_encoder) -> NeuralScores:
    folder = str(small_encoder)
    config = ScoringConfig(bertscore=folder, layer=2, rescale=False, similarity=folder)
    return NeuralScores.load(config, CPU)


def added(neural: NeuralScores):
    scores = [overlap_scores(output, REFERENCES, [standard_profile("en")]) for output in OUTPUTS]
    return scores, neural.add(scores, OUTPUTS, REFERENCES, DOCUMENTS, "en")


def test_every_system_gets_its_own_scores_beside_those_that_it_has(neural, small_encoder):
    before, after = added(neural)
    bertscore = BertScore.load(str(small_encoder), 2, False, CPU)
    similarity = Similarity.load(str(small_encoder), CPU)
    for output, old, new in zip(OUTPUTS, before, after, strict=True):
        expected = {
            **bertscore.score(output, REFERENCES, "en"),
            "similarity": similarity.score(output, DOCUMENTS),
            "reference_similarity": similarity.score(REFERENCES, DOCUMENTS),
        }
        assert set(new.documents) == {*old.documents, *expected}
        assert set(expected) == {name for names in NEURAL_SCORES.values() for name in names}
        for name, values in expected.items():
            np.testing.assert_allclose(new.documents[name], values, atol=1e-5)
        assert new.signatures == {**old.signatures, **neural.signatures("en")}


def test_a_family_that_is_left_out_is_neither_scored_nor_signed(neural):
    before, after = added(neural.without(["bertscore"]))
    for old, new in zip(before, after, strict=True):
        assert set(new.documents) - set(old.documents) == {"similarity", "reference_similarity"}
        assert set(new.signatures) - set(old.signatures) == {"similarity"}
    before, after = added(neural.without(["bertscore", "similarity"]))
    assert before == after


def test_nothing_is_loaded_that_is_not_asked_for():
    config = ScoringConfig(bertscore=None, layer=None, rescale=False, similarity=None)
    found = NeuralScores.load(config, CPU)
    assert (found.bertscore, found.similarity, found.signatures("en")) == (None, None, {})
