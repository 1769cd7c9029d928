"""The cost of logging, checkpoints and the progress bar in a training.

The training is ``network=small`` with ``optim=small``, with and without metrics.csv, the bar, and
both checkpoints every 30 updates (as in the scenario "minimum"). The two trainings alternate.
Seconds of validations are not counted. The report has the seconds in the callbacks' hooks, too.
"""

import functools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from benchmarks.measure import arguments, show
from benchmarks.training import build_corpus, parts, words
from mclas_lightning.runs.preemption import Preemption
from mclas_lightning.runs.run import Run
from mclas_lightning.train import build_trainer

HOOKS = (
    *("on_train_batch_start", "on_train_batch_end", "on_validation_batch_end"),
    *("on_validation_end", "log_metrics", "save", "on_before_optimizer_step"),
)


class Watch(Callback):
    """Seconds of a training after its first update without validations, and seconds in hooks."""

    def __init__(self) -> None:
        self.began = self.ended = self.out = self.hooks = 0.0
        self._inside = False

    def on_train_batch_end(self, *_: Any) -> None:
        """Start the clock after the first update."""
        if not self.began:
            self.began, self.hooks = time.perf_counter(), 0.0

    def on_validation_start(self, *_: Any) -> None:
        """Stop the clock for the validation."""
        self._left = time.perf_counter()

    def on_validation_epoch_end(self, *_: Any) -> None:
        """Start the clock again: checkpoints follow."""
        self.out += time.perf_counter() - self._left

    def on_train_end(self, *_: Any) -> None:
        """Stop the clock after the last checkpoint."""
        self.ended = time.perf_counter()

    def watch(self, watched: object) -> None:
        """Add the seconds in the hooks of ``callback``; a hook inside a hook counts once."""
        for name in HOOKS:
            if (hook := getattr(watched, name, None)) is not None:
                setattr(watched, name, self._timed(hook))

    def _timed(self, hook: Any) -> Any:
        @functools.wraps(hook)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return hook(*args, **kwargs)
            self._inside, began = True, time.perf_counter()
            try:
                return hook(*args, **kwargs)
            finally:
                self.hooks += time.perf_counter() - began
                self._inside = False

        return timed


def fit(folder: Path, updates: int, everything: bool) -> Watch:
    """One training; all start from the same weights."""
    line = words(
        folder, "network=small", "optim=small", f"optim.updates={{medium: {updates}}}",
        "optim.validations=1", f"run_dir={folder}/run-{time.time_ns()}",
    )  # fmt: skip
    settings, module, data = parts(line, devices=1)
    Run(settings.run.folder).last.parent.mkdir(parents=True)
    watch, preemption = Watch(), Preemption()
    with preemption:
        trainer, *_ = build_trainer(settings, [], preemption)
        callbacks: list[Callback] = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        if everything:
            for watched in (*callbacks, *trainer.loggers, module):
                watch.watch(watched)
        else:
            callbacks.clear()
            trainer.loggers = []
        callbacks.insert(0, watch)
        trainer.fit(module, datamodule=data)
    return watch


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "", updates=30)
    ratios, shares, steps = [], [], []
    with tempfile.TemporaryDirectory() as name:
        build_corpus(Path(name))
        fit(Path(name), 3, everything=True)  # warm-up
        for _ in range(asked.repeats):
            bare, full = (fit(Path(name), asked.updates, everything=e) for e in (False, True))
            seconds = [watch.ended - watch.began - watch.out for watch in (bare, full)]
            ratios.append(seconds[1] / seconds[0])
            shares.append(full.hooks / seconds[1])
            steps.append(seconds[0] / (asked.updates - 1))
    report = {
        "an update without, s": statistics.median(steps),
        "with / without": statistics.median(ratios),
        "inside the hooks, share": statistics.median(shares),
    }
    show(report, asked.json)


if __name__ == "__main__":
    main()
