import csv

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mclas_lightning.errors import InputError
from tests.test_train import folder, go


@pytest.fixture
def words(words) -> list[str]:
    return [*words, "model=ncls", "logger=tensorboard"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_curves_and_scores_are_those_of_the_folder(words):
    results = go(words)
    run = folder(words, "ncls")
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("train/loss", "val/loss", "lr/encoder"):
        theirs = {event.step: event.value for event in events.Scalars(name)}
        ours = {int(row["step"]): float(row[name]) for row in rows if row[name]}
        assert theirs == pytest.approx(ours)
    (score,) = events.Scalars("test/cross/length")
    assert (score.step, score.value) == (6, results.scores["cross"]["length"])


def test_a_missing_package_is_named_before_anything_is_written(words, monkeypatch):
    monkeypatch.setattr("pytorch_lightning.loggers.tensorboard._TENSORBOARD_AVAILABLE", False)
    monkeypatch.setattr("lightning_fabric.loggers.tensorboard._TENSORBOARD_AVAILABLE", False)
    monkeypatch.setattr("lightning_fabric.loggers.tensorboard._TENSORBOARDX_AVAILABLE", False)
    with pytest.raises(InputError, match=r"pip install 'mclas-lightning\[tensorboard\]'"):
        go(words)
    assert not folder(words, "ncls").exists()
