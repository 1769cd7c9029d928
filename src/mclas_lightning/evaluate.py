"""``mclas-evaluate``: summarize a test set with a trained run, and score the summaries."""

import sys

if __name__ == "__main__":  # Ctrl-C is heard during the imports below, too.
    from mclas_lightning.errors import run_main
    from mclas_lightning.progress import bound_libraries

    bound_libraries()
    sys.exit(run_main("mclas_lightning.evaluate"))

import os
from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mclas_lightning.config.compose import entry
from mclas_lightning.config.overrides import override
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.distributed import (
    fail_together,
    is_rank_zero,
    leave_process_group,
    processes_per_node,
    rank_and_world,
)
from mclas_lightning.errors import InputError, exits_cleanly, unknown_choice
from mclas_lightning.evaluation.run import score_run
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.evaluation.words import config_for_run, is_run_folder
from mclas_lightning.runs.identity import decoding_differences, differences_in_words
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.runs.suspicion import with_suspicions
from mclas_lightning.task import Task
from mclas_lightning.tracking.loggers import log_results, tracked

SET_KEYS = ("scored", "test_file")  # keys that mclas-train does not have

TRAINED_SECTIONS = ("dataset", "scenario", "model", "seed")


def evaluate(cfg: DictConfig, *, of_run: bool = False) -> Results | None:
    """Summarize the test set with the decoding of ``cfg``, and replace the run's results.

    ``scored=valid`` and ``test_file`` summarize another set, and leave the run's results as they
    are. Several processes share the documents; rank zero returns the results. ``of_run`` says that
    ``cfg`` was made from the run's config.yaml; any other ``cfg`` is compared with that first.
    """
    words = [str(key) for key in cfg if key not in SET_KEYS]
    settings, config = read_settings(OmegaConf.masked_copy(cfg, words))
    run, scored = settings.run, _evaluation_set(settings, cfg.scored, cfg.get("test_file"))
    if not of_run:
        run.check_identity(config, TRAINED_SECTIONS)
    run.check_diverged()
    if isinstance(settings.system, Task) and not run.trained:
        raise InputError(
            f"{run}: no trained run here; train it with the same words after mclas-train"
        )
    trial = scored.trial(settings.decoding)
    # Without the lock, two evaluations could leave one's results beside the other's predictions.
    with ExitStack() as held:
        with fail_together():
            if is_rank_zero():
                held.enter_context(locked(run.folder))
            loggers = held.enter_context(tracked(settings.logger, trial=trial))
        results = score_run(settings, config, scored)
        if results is None:
            return None
        for logger in loggers:
            logger.log_hyperparams(config)
        log_results(loggers, results, run.updates)
    _announce(run, trial, results)
    _announce_fewer_devices(settings)
    return results


def _evaluation_set(settings: Settings, split: str, test_file: str | None) -> EvaluationSet:
    """The set that ``scored`` and ``test_file`` name; InputError for two names or unknown ones."""
    if split not in ("valid", "test"):
        raise unknown_choice("scored: split", split, ("valid", "test"))
    if split == "test" and "WANDB_SWEEP_ID" in os.environ:
        raise InputError("scored: a W&B sweep may not choose by the test set; give scored=valid")
    if test_file is None:
        return EvaluationSet.of(settings.dataset, split)
    if split == "valid":
        raise InputError("scored=valid and another test set: give one of them")
    named = EvaluationSet.named(Path(test_file))
    named.check(settings.run, settings.dataset)  # before ``trial`` takes the file's hash
    return named


def _announce(run: Run, trial: str | None, results: Results) -> None:
    print(f"{run}{f'/{trial}' if trial else ''}\n  {with_suspicions(results)}")
    kept = run.config.get("decoding") if results.decoding else None  # Baselines have none.
    if found := decoding_differences(kept, results.decoding) if kept else []:
        print(f"  another decoding than in its config.yaml: {differences_in_words(found, 'now')}")


def _announce_fewer_devices(settings: Settings) -> None:
    """Say which device has written the summaries, where the words name another one or several."""
    kind, devices = settings.trainer.get("accelerator"), settings.trainer.get("devices")
    _, world = rank_and_world()
    fewer = world < processes_per_node(settings.trainer)
    if fewer or (kind not in ("auto", "cpu") and settings.device.type == "cpu"):
        names = f"trainer.accelerator={kind}, trainer.devices={devices}"
        print(f"  {names}: summarized on {settings.device}, processes: {world}")


of_words = entry("evaluate", evaluate)


@exits_cleanly
def main() -> None:
    """``mclas-evaluate RUN [--test FILE] [words]``, or with all words of mclas-train."""
    test, words = _test_of(sys.argv[1:])
    if words and is_run_folder(words[0]):
        evaluate(config_for_run(Path(words[0]), words[1:], test), of_run=True)
        leave_process_group()
    else:
        sys.argv[1:] = [*words, *([] if test is None else [override("+test_file", test)])]
        of_words()


def _test_of(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of ``--test``, and the other arguments."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--test")
    try:
        known, rest = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise InputError("--test: expected the file of a test set after it") from error
    return known.test, rest
