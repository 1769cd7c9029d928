"""The loggers of ``conf/logger/``: building and checking them, test scores, their end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.errors import HydraException
from pytorch_lightning.loggers import Logger

from mclas_lightning.distributed import is_rank_zero
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.runs.results import Results
from mclas_lightning.tracking.wandb_logger import WandbMirror


@contextmanager
def tracked(
    config: Mapping[str, Any] | None, *, trial: str | None = None
) -> Iterator[list[Logger]]:
    """Yield the loggers of ``config``; a W&B run ends with the exit code of the ``with`` block.

    ``trial`` names a trial of a decoding, whose scores are not the results of the run.
    """
    loggers = build_loggers(config)
    for logger in loggers:
        if isinstance(logger, WandbMirror):
            logger.trial = trial
    code = 1
    try:
        yield loggers
        code = 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else 1
        raise
    except InputError:
        code = 2
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        for logger in loggers:
            if isinstance(logger, WandbMirror):
                logger.finish(code)
            else:
                logger.finalize("success" if code == 0 else "failed")


def build_loggers(config: Mapping[str, Any] | None) -> list[Logger]:
    """The loggers of ``config``; InputError for a missing package, key or server."""
    if not config:
        return []
    try:
        logger: Logger = hydra.utils.instantiate(config, _convert_="all")
    except HydraException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise InputError(f"logger: {first_line(error)}") from error
    if isinstance(logger, WandbMirror):
        if logger.mode == "disabled":
            if is_rank_zero():
                print("  W&B: disabled, by WANDB_MODE or by `wandb disabled`", flush=True)
            return []
        logger.check()
    return [logger]


def log_results(loggers: Sequence[Logger], results: Results, updates: int) -> None:
    """Log the scores of a run of ``updates`` updates; W&B gets some of the summaries, too."""
    if not is_rank_zero():
        return
    for logger in loggers:
        if isinstance(logger, WandbMirror):
            logger.log_results(results, updates)
        else:
            logger.log_metrics(results.metrics(), step=updates - 1)  # Lightning counts from 0.
