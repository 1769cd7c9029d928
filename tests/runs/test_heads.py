import json

import numpy as np
import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.heads import HEAD_MAPS, SCORE_KEYS, HeadsResults, strongest

MEAN = {"translation": [[0.1, 0.3]], "translation_ahead": [[0.4, 0.1]], "self": [[0.0, 0.2]]}


def made() -> HeadsResults:
    def score(mean):
        return {"num": 3, "mean": mean, "low": mean, "high": mean, "share": mean}

    of_self = {name: score(mean) for name, mean in MEAN.items()}
    return HeadsResults(
        run={"dataset": "toy_en2de", "scenario": "minimum", "model": "mclas", "seed": 1},
        thresholds={"self": {"translation": 0.35, "self": 0.2, "local": 0.2}, "cross": {}},
        decoders={"decoder": {"gold": {"self": of_self, "cross": {}}, "own": {}}},
        shown=[{"id": "a", "target": ["x"]}, {"id": "b", "target": ["y"]}],
    )


def test_a_head_is_of_a_kind_by_the_row_of_a_word_or_by_the_row_before():
    kinds = made().kinds("self")
    assert {kind: heads.tolist() for kind, heads in kinds.items()} == {
        "translation": [[True, False]], "self": [[False, True]],
    }  # fmt: skip
    assert made().kinds("self", factor=0.5)["translation"].tolist() == [[True, True]]
    assert made().kinds("self", "own") == {}
    assert made().name == "toy_en2de/minimum/mclas/seed=1"


def test_the_strongest_head_is_found_with_its_row():
    scores = made().scores("self")
    assert strongest(scores, "translation") == (0, 0, 1, 0.4)
    assert strongest(scores, "self") == (0, 1, 0, 0.2)


def test_files_are_read_as_written(tmp_path):
    maps = [(np.full((1, 2, 1, 1), i), np.full((1, 2, 1, 3), i / 4)) for i in (1.0, 2.0)]
    made().write(tmp_path, maps)
    found = HeadsResults.read(tmp_path)
    assert found == made()
    shown = found.maps(tmp_path, "b")
    assert shown.of["target"] == ["y"]
    np.testing.assert_array_equal(shown.cross_LHWV, maps[1][1])
    assert found.maps(tmp_path).of["id"] == "a"


@pytest.mark.parametrize("mean", [[[]], [[0.1]], [0.1, 0.3], "x"])
def test_scores_of_other_sizes_are_named(tmp_path, mean):
    made().write(tmp_path, [])
    record = json.loads((tmp_path / "heads.json").read_text())
    for key in SCORE_KEYS:
        record["decoders"]["decoder"]["gold"]["self"]["translation"][key] = mean
    (tmp_path / "heads.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"heads\.json: .*decoders\.decoder\.gold\.self: "):
        HeadsResults.read(tmp_path)


def test_what_is_missing_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"heads\.json: no such file; analyze the run with mclas"):
        HeadsResults.read(tmp_path)
    (tmp_path / "heads.json").write_text('{"format": 2, "other": 2}')
    with pytest.raises(InputError, match="not the result of an analysis"):
        HeadsResults.read(tmp_path)
    (tmp_path / "heads.json").write_text('{"format": 7}')
    with pytest.raises(InputError, match="expected format 2, found 7; analyze the run"):
        HeadsResults.read(tmp_path)
    with pytest.raises(InputError, match="no attention of document 'c', only of a, b"):
        made().maps(tmp_path, "c")
    (tmp_path / HEAD_MAPS).write_bytes(b"none")
    with pytest.raises(InputError, match=r"heads\.npz: cannot be read"):
        made().maps(tmp_path, "a")
