import json
import tracemalloc
from typing import Any

import pytest

from mclas_lightning.corpora.roundtrip import translations
from mclas_lightning.corpora.roundtrip.translations import ScoredPairs, check_pairs, windows
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl


def scored(row: int, **changes: Any) -> dict[str, Any]:
    texts = {"id": f"p{row}", "mono": "m", "cross": "c", "back": "b"}
    return {"row": row, **texts, "rouge1_f": 0.5, "rouge2_f": 0.25, **changes}


def test_opening_translations_does_not_read_them_into_memory(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(scored(row)) + "\n" for row in range(40_000)) + "torn")
    whole = path.stat().st_size - len("torn")
    tracemalloc.start()
    opened = translations.ScoredPairs(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened.done == 40_000
    assert path.stat().st_size == whole
    assert peak < 6_000_000  # A window of rows takes 3 MB, and all of them 60.


def pairs(num: int) -> list[Example]:
    return [Example(id=f"p{i}", document="d", mono="w" * (1 + 7 * i % 11)) for i in range(num)]


class Scorer:
    """Scores a pair by the length of its summary; the batches are remembered."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, batch):
        self.batches.append([example.id for example in batch])
        rest = {"cross": "c", "back": "b", "rouge2_f": 0.25}
        return [{**rest, "rouge1_f": 1 / len(example.mono)} for example in batch]


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(translations, "WINDOW", 8)
    write_jsonl(tmp_path / "train.jsonl", pairs(29))
    return tmp_path / "train.jsonl"


def test_scores_come_back_in_the_order_of_the_input(source, tmp_path):
    filed, score = ScoredPairs(tmp_path / "scored.jsonl"), Scorer()
    assert sum(filed.add_missing(source, score, batch=3)) == 29
    expected = [(i, e.id, e.mono, 1 / len(e.mono or "")) for i, e in enumerate(pairs(29))]
    keys = ("row", "id", "mono", "rouge1_f")
    rows = [tuple(row[key] for key in keys) for row in filed.in_order()]
    assert rows == expected
    assert max(map(len, score.batches)) == 3
    # Inside a window the pairs are done by length, and no window is begun before the last.
    done = [row["row"] for row in filed.rows()]
    assert done != sorted(done)
    for start in range(0, 29, 8):
        window = done[start : start + 8]
        assert sorted(window) == list(range(start, min(start + 8, 29)))
        lengths = [expected[row][3] for row in window]
        assert lengths == sorted(lengths, reverse=True)  # one over the length


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


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([scored(0), scored(0)], "not the pairs from 0 on are in lines 1 and below"),
        ([*map(scored, range(9)), scored(3)], "not the pairs from 8 on"),
        ([scored(8)], "not the pairs from 0 on"),
        ([scored(-1)], "not the pairs from 0 on"),
        ([scored(0, cross=None)], "line 1 is no scored translation"),
        ([scored(0), scored(1, rouge1_f="1")], "line 2 is no scored translation"),
        ([scored(0, rouge2_f=float("nan"))], "line 1 is no scored translation"),
        ([scored(True)], "line 1 is no scored translation"),
        ([[]], "t.jsonl:1: a JSON array"),
    ],
)
@pytest.mark.usefixtures("source")
def test_a_damaged_file_is_named_before_anything_is_translated(tmp_path, rows, said):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=said):
        ScoredPairs(path)


def test_windows_are_all_items_in_order():
    cut = list(windows(iter(range(11)), 4))
    assert cut == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    assert list(windows(iter(()), 4)) == []


def test_a_pair_that_cannot_be_translated_is_named(source):
    assert check_pairs(source) == 29
    write_jsonl(source, [*pairs(3), Example(id="x", document="only that")])
    with pytest.raises(InputError, match=r"train\.jsonl:4: field 'mono' is empty"):
        check_pairs(source)
