import json
from types import SimpleNamespace

import pytest

from mclas_lightning.training import callbacks
from mclas_lightning.training.callbacks import Patience, UpdatesBar
from tests.test_train import go

STUCK = (
    *("model=ncls", "optim.encoder.lr=0", "optim.decoder.lr=0"),
    *("optim.patience=1", "trainer.keep_last=true"),
)


def test_early_stopping_ends_a_training_that_no_longer_improves(trained):
    training = json.loads((trained(*STUCK) / "training.json").read_text())
    assert training["stopped_early"]
    assert not training["cut_off"]
    assert training["updates"] == 4


def test_a_run_killed_after_it_stopped_early_stops_there_again(words, trained):
    run = trained(*STUCK)
    kept = (run / "metrics.csv").read_text(), json.loads((run / "training.json").read_text())
    (run / "results.json").unlink()
    (run / "training.json").unlink()
    go(words, *STUCK[:-1])
    ended = json.loads((run / "training.json").read_text())
    assert (ended["updates"], ended["best_val_loss"]) == (4, kept[1]["best_val_loss"])
    assert (run / "metrics.csv").read_text() == kept[0]


@pytest.mark.parametrize(("waited", "stops"), [(2, False), (3, True), (4, True)])
def test_a_resumed_training_that_ran_out_of_patience_stops_at_once(waited, stops):
    patience = Patience("val/loss", patience=3)
    patience.load_state_dict({**patience.state_dict(), "wait_count": waited})
    trainer = SimpleNamespace(should_stop=False)
    patience.on_train_start(trainer, None)  # pyright: ignore[reportArgumentType]
    assert trainer.should_stop is stops


class Bar:
    """Keeps what a bar was told."""

    def __init__(self, total, title, unit, done, disable) -> None:
        self.total, self.n, self.disable, self.closed = total, done, disable, False

    def update(self, number: int) -> None:
        self.n += number

    def set_postfix(self, shown: dict[str, str]) -> None:
        self.shown = shown

    def close(self) -> None:
        self.closed = True


def test_the_bar_counts_updates_and_not_micro_batches(monkeypatch, capsys):
    monkeypatch.setattr(callbacks, "progress_bar", Bar)
    trainer = SimpleNamespace(max_steps=9, global_step=2, is_global_zero=True)
    trainer.callback_metrics = {"val/loss_cross": 1.25, "val/loss": 9.0}
    bar = UpdatesBar("val/loss_cross")
    bar.on_exception()  # An error may come before the training starts.
    bar.on_train_start(trainer, None)  # pyright: ignore[reportArgumentType]
    drawn: Bar = bar.bar  # pyright: ignore[reportAssignmentType]
    assert (drawn.total, drawn.n, drawn.disable) == (9, 2, False)
    for update in (2, 2, 3, 3, 4):
        trainer.global_step = update
        bar.on_train_batch_end(trainer, None)  # pyright: ignore[reportArgumentType]
        assert drawn.n == update
    bar.on_validation_end(trainer, None)  # pyright: ignore[reportArgumentType]
    assert drawn.shown == {"val/loss_cross": "1.250"}
    bar.on_exception()
    assert drawn.closed
    assert capsys.readouterr().err == ""


def test_without_a_terminal_each_validation_is_a_line_of_one_process(capsys):
    trainer = SimpleNamespace(max_steps=2000, global_step=1000, is_global_zero=True)
    trainer.callback_metrics = {"val/loss_cross": 1.25}
    for trainer.is_global_zero in (True, False):
        bar = UpdatesBar("val/loss_cross")
        bar.on_train_start(trainer, None)  # pyright: ignore[reportArgumentType]
        bar.on_validation_end(trainer, None)  # pyright: ignore[reportArgumentType]
        bar.on_exception()
    assert capsys.readouterr().err == "  update 1,000 of 2,000: val/loss_cross 1.250\n"
