import shutil
from random import Random
from statistics import fmean

import bert_score
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.neural import bertscore, encoder
from mclas_lightning.metrics.neural.bertscore import BertScore, default_layer
from tests.conftest import ENCODER_LAYERS as LAYERS
from tests.conftest import ENCODER_POSITIONS as POSITIONS
from tests.conftest import ENCODER_WORDS as WORDS

CPU = torch.device("cpu")


def load(folder, layer=2, rescale=False) -> BertScore:
    return BertScore.load(str(folder), layer, rescale, CPU)


def sample(num: int, seed: int) -> list[str]:
    """Texts of one to twelve words."""
    random = Random(seed)
    return [
        " ".join(random.choices([*WORDS[:-1], "unknown"], k=random.randint(1, 12)))
        for _ in range(num)
    ]


def by_hand(folder, hypothesis: str, reference: str, layer: int) -> tuple[float, float, float]:
    """Piece by piece, one pair at a time, from the whole encoder's states."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()

    def states(text: str) -> list[np.ndarray]:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.no_grad():
            found = model(ids, output_hidden_states=True).hidden_states[layer]
        return [*found[0].double().numpy()]

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    first, second = states(hypothesis), states(reference)
    precision = fmean([max(cosine(x, y) for y in second) for x in first[1:-1]])
    recall = fmean([max(cosine(y, x) for x in first) for y in second[1:-1]])
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("layer", range(1, LAYERS + 1))
def test_scores_are_the_greedy_matching_of_states(small_encoder, layer):
    hypotheses, references = sample(7, seed=1), sample(7, seed=2)
    found = load(small_encoder, layer).score(hypotheses, references, "en")
    for i, pair in enumerate(zip(hypotheses, references, strict=True)):
        expected = by_hand(small_encoder, *pair, layer)
        assert [values[i] for values in found.values()] == pytest.approx(expected, abs=1e-5)


def test_scores_are_those_of_the_packages_own_entry(small_encoder):
    folder = str(small_encoder)
    hypotheses, references = sample(41, seed=3), sample(41, seed=4)
    short = AutoTokenizer.from_pretrained(folder, model_max_length=POSITIONS)
    whole = small_encoder.parent / "limited"
    shutil.copytree(small_encoder, whole, dirs_exist_ok=True)
    short.save_pretrained(whole)  # Without a limit of its own, bert-score fails on it.
    # One by one: its padding counts as a match of cosine 0.
    expected = bert_score.score(
        hypotheses, references, model_type=str(whole), num_layers=LAYERS, batch_size=1
    )
    found = load(folder, LAYERS).score(hypotheses, references, "en")
    np.testing.assert_allclose([*found.values()], np.stack(expected), atol=1e-6)


def test_identical_texts_score_one(small_encoder):
    texts = [*sample(11, seed=5), "storm"]
    for values in load(small_encoder).score(texts, texts, "en").values():
        np.testing.assert_allclose(values, 1, atol=1e-6)


def test_swapped_texts_swap_precision_and_recall(small_encoder):
    one, other = sample(13, seed=6), sample(13, seed=7)
    scorer = load(small_encoder)
    ahead, back = scorer.score(one, other, "en"), scorer.score(other, one, "en")
    np.testing.assert_allclose(ahead["bertscore_p"], back["bertscore_r"], atol=1e-6)
    np.testing.assert_allclose(ahead["bertscore_f"], back["bertscore_f"], atol=1e-6)
    assert not np.allclose(ahead["bertscore_p"], ahead["bertscore_r"], atol=1e-3)


def test_neighbors_order_and_chunks_do_not_matter(small_encoder, monkeypatch):
    hypotheses, references = sample(29, seed=8), sample(29, seed=9)
    references[20:] = references[:9]
    scorer = load(small_encoder, LAYERS)  # Here, some pieces are unlike all others.
    together = scorer.score(hypotheses, references, "en")["bertscore_f"]
    turned = scorer.score(hypotheses[::-1], references[::-1], "en")["bertscore_f"]
    monkeypatch.setattr(bertscore, "CHUNK_DOCUMENTS", 3)
    monkeypatch.setattr(encoder, "BATCH_TEXTS", 1)
    alone = scorer.score(hypotheses, references, "en")["bertscore_f"]
    np.testing.assert_allclose(turned[::-1], together, atol=1e-6)
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_empty_texts_score_zero_and_change_no_other(small_encoder):
    hypotheses, references = ["", "storm hits", " \n", "the"], ["storm", "the storm", "a", ""]
    found = load(small_encoder).score(hypotheses, references, "en")
    alone = load(small_encoder).score(["storm hits"], ["the storm"], "en")
    for name, values in found.items():
        assert values[[0, 2, 3]].tolist() == [0, 0, 0]
        assert values[1] == pytest.approx(alone[name][0], abs=1e-6)
    assert load(small_encoder).score([""], ["a"], "en")["bertscore_f"].tolist() == [0]


def test_a_text_too_long_is_cut(small_encoder):
    most = POSITIONS - 2
    text = " ".join((WORDS[:7] * 9)[: most + 4])
    cut = " ".join(text.split()[:most])
    scorer = load(small_encoder)
    assert scorer.encoder.num_pieces([text, cut, ""]) == [most, most, 0]
    found = scorer.score([text], [cut], "en")["bertscore_f"]
    assert found == pytest.approx([1], abs=1e-6)


def test_the_signature_names_encoder_weights_layer_and_package(small_encoder):
    signature = load(small_encoder).signature("de")
    kind, model, digest, *rest = signature.split("|")
    assert (kind, model) == ("bertscore", "model:small")
    assert len(digest.removeprefix("sha256:")) == 12
    assert rest == ["normalization:1", "layer:2", "idf:no", "rescale:no", "bert-score:0.3.13"]
    assert load(small_encoder, 3).signature("de") != signature


def test_the_signature_is_of_the_weights_not_of_the_place(small_encoder, tmp_path):
    copy = tmp_path / "small"
    shutil.copytree(small_encoder, copy)
    assert load(copy).signature("en") == load(small_encoder).signature("en")
    model = AutoModel.from_pretrained(copy)
    with torch.no_grad():
        model.encoder.layer[0].output.dense.weight[0, 0] += 1e-3
    model.save_pretrained(copy)
    assert load(copy).signature("en") != load(small_encoder).signature("en")


def test_layers_by_default():
    assert default_layer("google-bert/bert-base-multilingual-cased", 12) == 9
    assert default_layer("models/bert-base-chinese", 12) == 8
    assert default_layer("FacebookAI/xlm-roberta-large", 24) == 17
    assert default_layer("models/xlm-roberta-large/", 24) == 17  # as a shell completes a folder
    for name in ("microsoft/deberta-large", "models/deberta-large"):
        assert default_layer(name, 24) == 16
    assert [default_layer("unknown", n) for n in (1, 2, 3, 6, 12, 24)] == [1, 2, 2, 5, 9, 18]


def test_a_baseline_rescales(small_encoder, tmp_path):
    known = tmp_path / "bert-base-multilingual-cased"
    shutil.copytree(small_encoder, known)
    texts = (["storm hits", ""], ["the storm", "storm"], "de")
    raw, rescaled = load(known).score(*texts), load(known, rescale=True).score(*texts)
    # Line 2 of bert-score's rescale_baseline/de/bert-base-multilingual-cased.tsv.
    base = (0.36879358, 0.36874846, 0.3663888)
    for name, b in zip(raw, base, strict=True):
        np.testing.assert_allclose(rescaled[name], (raw[name] - b) / (1 - b))
    assert "|rescale:de|" in load(known, rescale=True).signature("de")


def test_a_baseline_of_an_organization_is_found_by_the_name_of_the_folder(small_encoder, tmp_path):
    shutil.copytree(small_encoder, tmp_path / "deberta-large")
    assert "|rescale:en|" in load(tmp_path / "deberta-large", rescale=True).signature("en")


def test_what_is_not_there_is_named(small_encoder, tmp_path):
    with pytest.raises(InputError, match=r"encoder 'no/such': no such folder, .*; give a folder"):
        load("no/such")
    with pytest.raises(InputError, match="this folder holds no encoder that can be loaded"):
        load(tmp_path)
    with pytest.raises(InputError, match=r"layer of encoder '.*': expected from 1 to 3, found 4"):
        load(small_encoder, 4)
    with pytest.raises(InputError, match=r"no baseline of 'small' in language 'de', where .*xlm-"):
        load(small_encoder, rescale=True).signature("de")
    with pytest.raises(InputError, match="in language 'xx', where it has those of: no encoder"):
        load(small_encoder, rescale=True).score(["a"], ["a"], "xx")
