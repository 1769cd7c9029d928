import numpy as np
import pytest

from mclas_lightning.data.batch import EncodedExamples, Limits
from mclas_lightning.data.encoding import TEXTS
from mclas_lightning.data.sampler import MicroBatch
from mclas_lightning.data.store import open_store
from mclas_lightning.example import write_jsonl
from mclas_lightning.task import Task
from tests.conftest import examples

LIMIT = 23


MT = Task(name="mt", targets={"decoder": ("cross",)}, source="mono")


MCLAS = Task(name="mclas", targets={"decoder": ("mono", "cross")})


@pytest.fixture
def path(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", examples(61))
    return tmp_path / "train.jsonl"


def test_what_is_cut_is_said(path, tmp_path, tokenizer):
    store, rows = open_store(path, tokenizer, LIMIT, tmp_path / "store"), np.array([3, 60, 11, 4])
    stories = [examples(61)[row] for row in rows]
    whole = {t: tokenizer.encode([getattr(e, t) for e in stories], 9999) for t in TEXTS}
    assert max(map(len, whole["document"])) > LIMIT
    for text in TEXTS:
        assert store.whole_lengths(text)[rows].tolist() == [len(ids) for ids in whole[text]]
    lengths = [len(ids) for ids in whole["document"]]
    share = sum(min(11 - 2, n) for n in lengths) / sum(lengths)
    limits = Limits(max_source=11, max_summary=999)
    assert EncodedExamples(store, rows, MCLAS, tokenizer.special, limits).cut() == [
        f"4 of 4 documents are longer than dataset.max_source=11 word pieces: {share:.0%} of "
        f"their text is read"
    ]
    limits = Limits(max_source=max(lengths) + 2, max_summary=len(whole["cross"][0]) - 1)
    (cross,) = EncodedExamples(store, rows, MT, tokenizer.special, limits).cut()[-1:]
    assert f"cross summaries are longer than dataset.max_summary={limits.max_summary} w" in cross
    enough = Limits(max_source=max(lengths) + 2, max_summary=99)
    assert EncodedExamples(store, rows, MCLAS, tokenizer.special, enough).cut() == []


@pytest.mark.parametrize("task", [MT, MCLAS], ids=lambda task: task.name)
def test_lengths_are_those_of_the_ids_that_are_handed_out(path, tmp_path, tokenizer, task):
    store = open_store(path, tokenizer, LIMIT, tmp_path / "store")
    limits, rows = Limits(max_source=11, max_summary=5), np.array([3, 60, 11])
    data = EncodedExamples(store, rows, task, tokenizer.special, limits)
    sources, targets = data.ids([0, 1, 2])
    assert data.source_lengths.tolist() == [len(ids) for ids in sources]
    assert data.target_lengths(*task.sides).tolist() == [len(ids) - 1 for ids in targets["decoder"]]
    batch = data[MicroBatch([2, 1], 77)]
    assert batch.update_tokens == 77
    assert batch.source_BS[0].tolist()[: len(sources[2])] == sources[2]
    assert (
        batch.targets_BT["decoder"][1].tolist()[: len(targets["decoder"][1])]
        == (targets["decoder"][1])
    )
    texts = [task.source_text(examples(61)[row]) for row in rows]
    assert sources == tokenizer.encode_sources(texts, 11)


NCLS_MS = Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)})


@pytest.mark.parametrize("task", [MT, MCLAS, NCLS_MS], ids=lambda task: task.name)
def test_the_released_budget_counts_the_last_decoders_whole_target(path, tmp_path, tokenizer, task):
    store = open_store(path, tokenizer, LIMIT, tmp_path / "store")
    limits, rows = Limits(max_source=11, max_summary=5), np.array([3, 60, 11])
    data = EncodedExamples(store, rows, task, tokenizer.special, limits)
    _, targets = data.ids([0, 1, 2])
    last = [len(ids) for ids in [*targets.values()][-1]]  # [BOS] is one of them.
    predicted = [sum(len(ids) - 1 for ids in rows) for rows in zip(*targets.values(), strict=True)]
    released, ours = data.lengths("released"), data.lengths("target")
    assert released.target.tolist() == last
    assert ours.target.tolist() == predicted
    assert released.predicted.tolist() == ours.predicted.tolist() == predicted
