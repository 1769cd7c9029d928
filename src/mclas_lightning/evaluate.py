"""``mclas-evaluate``: score a trained run on its test set, with the decoding asked for."""

import os
from contextlib import nullcontext

from omegaconf import DictConfig, OmegaConf

from mclas_lightning.app import entry
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.evaluation import score_run, trial_name
from mclas_lightning.lock import locked
from mclas_lightning.ranks import is_first
from mclas_lightning.report.results import Results, headline
from mclas_lightning.settings import read_settings
from mclas_lightning.task import Task
from mclas_lightning.tracking.loggers import log_results, tracked


def evaluate(cfg: DictConfig) -> Results | None:
    """Summarize the test set (again), with this configuration's decoding; replaces the results.

    ``scored=valid`` summarizes the validation set, and leaves the run's results as they are.
    Several processes share the documents; the first returns the results.
    """
    split = cfg.scored
    if split not in ("valid", "test"):
        raise one_of("scored: split", split, ("valid", "test"))
    if split == "test" and "WANDB_SWEEP_ID" in os.environ:
        raise InputError("scored: a W&B sweep may not choose by the test set; give scored=valid")
    words = [str(key) for key in cfg if key != "scored"]
    settings, config = read_settings(OmegaConf.masked_copy(cfg, words))
    run = settings.run
    run.check_identity(config, ("dataset", "scenario", "model", "seed"))
    if isinstance(settings.system, Task) and not run.trained:
        raise InputError(
            f"{run}: no trained run here; train it with the same words after mclas-train"
        )
    trial = trial_name(settings, split)
    # One process at a time: two would leave one's results beside the other's predictions.
    alone = locked(run.folder) if is_first() else nullcontext()
    with alone, tracked(settings.logger, trial=trial) as loggers:
        results = score_run(settings, config, split)
        if results is None:
            return None
        for logger in loggers:
            logger.log_hyperparams(config)
        log_results(loggers, results, run.updates)
    print(f"{run}{f'/{trial}' if trial else ''}\n  {headline(results)}")
    return results


main = entry("evaluate", evaluate)

if __name__ == "__main__":
    main()
