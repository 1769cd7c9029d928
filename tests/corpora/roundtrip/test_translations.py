import json
import tracemalloc

import pytest

from mclas_lightning.corpora.roundtrip import translations
from mclas_lightning.corpora.roundtrip.translations import ScoredPairs, check_pairs, windows
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl


def test_opening_translations_does_not_read_them_into_memory(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(f"{'x' * 99}\n" * 40_000 + "torn")
    tracemalloc.start()
    scored = translations.ScoredPairs(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert scored.done == 40_000
    assert path.stat().st_size == 4_000_000
    assert peak < 1_000_000


def pairs(num: int) -> list[Example]:
    return [Example(id=f"p{i}", document="d", mono="w" * (1 + 7 * i % 11)) for i in range(num)]


class Scorer:
    """Scores a pair by the length of its summary; the batches are remembered."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, batch):
        self.batches.append([example.id for example in batch])
        return [{"score": len(example.mono)} for example in batch]


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(translations, "WINDOW", 8)
    write_jsonl(tmp_path / "train.jsonl", pairs(29))
    return tmp_path / "train.jsonl"


def test_scores_come_back_in_the_order_of_the_input(source, tmp_path):
    scored, score = ScoredPairs(tmp_path / "scored.jsonl"), Scorer()
    assert sum(scored.add_missing(source, score, batch=3)) == 29
    expected = [(i, e.id, e.mono, len(e.mono or "")) for i, e in enumerate(pairs(29))]
    rows = [tuple(row[key] for key in ("row", "id", "mono", "score")) for row in scored.in_order()]
    assert rows == expected
    assert max(map(len, score.batches)) == 3
    # Inside a window the pairs are done by length, and no window is begun before the last.
    done = [row["row"] for row in scored.rows()]
    assert done != sorted(done)
    for start in range(0, 29, 8):
        window = done[start : start + 8]
        assert sorted(window) == list(range(start, min(start + 8, 29)))
        lengths = [expected[row][3] for row in window]
        assert lengths == sorted(lengths)


@pytest.mark.parametrize("kept", [0, 5, 8, 21, 29])
def test_only_what_is_missing_is_scored_again(source, tmp_path, kept):
    path = tmp_path / "scored.jsonl"
    list(ScoredPairs(path).add_missing(source, Scorer(), batch=3))
    whole, lines = path.read_bytes(), path.read_bytes().splitlines(keepends=True)
    torn = lines[kept][:-4] if kept < 29 else b""
    path.write_bytes(b"".join(lines[:kept]) + torn)
    again, score = ScoredPairs(path), Scorer()
    assert again.done == kept
    assert sum(again.add_missing(source, score, batch=3)) == 29 - kept
    done = [json.loads(line)["id"] for line in lines[:kept]]
    assert sorted([*done, *(id for batch in score.batches for id in batch)]) == sorted(
        example.id for example in pairs(29)
    )
    assert path.read_bytes() == whole


def test_windows_are_all_items_in_order():
    cut = list(windows(iter(range(11)), 4))
    assert cut == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    assert list(windows(iter(()), 4)) == []


def test_a_pair_that_cannot_be_translated_is_named(source):
    assert check_pairs(source) == 29
    write_jsonl(source, [*pairs(3), Example(id="x", document="only that")])
    with pytest.raises(InputError, match=r"train\.jsonl:4: field 'mono' is empty"):
        check_pairs(source)
