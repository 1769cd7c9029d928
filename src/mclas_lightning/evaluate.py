"""``mclas-evaluate``: score a trained run on a test set, with the decoding asked for."""

import sys

if __name__ == "__main__":  # Ctrl-C is heard during the imports below, too.
    from mclas_lightning.errors import run_main

    sys.exit(run_main("mclas_lightning.evaluate"))

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mclas_lightning.config.compose import entry
from mclas_lightning.config.overrides import override
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.distributed import is_first, leave_process_group, together
from mclas_lightning.errors import InputError, exits_cleanly, one_of
from mclas_lightning.evaluation.run import score_run
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.evaluation.words import is_run, run_config
from mclas_lightning.runs.identity import differences_in_words, unequal_keys
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.results import Results, headline
from mclas_lightning.runs.run import Run
from mclas_lightning.task import Task
from mclas_lightning.tracking.loggers import log_results, tracked

SET_KEYS = ("scored", "test_file")  # keys that are none of mclas-train

TRAINED_SECTIONS = ("dataset", "scenario", "model", "seed")


def evaluate(cfg: DictConfig, *, of_run: bool = False) -> Results | None:
    """Summarize the test set (again), with this configuration's decoding; replaces the results.

    ``scored=valid`` and ``test_file`` summarize another set, and leave the run's results as they
    are. Several processes share the documents; the first returns the results. With ``of_run`` the
    configuration is the run's own, else it must be the same.
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
    # One process at a time: two would leave one's results beside the other's predictions.
    with ExitStack() as held:
        with together():
            if is_first():
                held.enter_context(locked(run.folder))
            loggers = held.enter_context(tracked(settings.logger, trial=trial))
        results = score_run(settings, config, scored)
        if results is None:
            return None
        for logger in loggers:
            logger.log_hyperparams(config)
        log_results(loggers, results, run.updates)
    _announce(run, trial, results)
    return results


def _evaluation_set(settings: Settings, split: str, test_file: str | None) -> EvaluationSet:
    """What ``scored`` and ``test_file`` name."""
    if split not in ("valid", "test"):
        raise one_of("scored: split", split, ("valid", "test"))
    if split == "test" and "WANDB_SWEEP_ID" in os.environ:
        raise InputError("scored: a W&B sweep may not choose by the test set; give scored=valid")
    if test_file is None:
        return EvaluationSet.of(settings.dataset, split)
    if split == "valid":
        raise InputError("scored=valid and another test set: give one of them")
    named = EvaluationSet.named(Path(test_file))
    named.check(settings.run, settings.dataset)  # Before its hash names a place.
    return named


def _announce(run: Run, trial: str | None, results: Results) -> None:
    print(f"{run}{f'/{trial}' if trial else ''}\n  {headline(results)}")
    kept = run.config.get("decoding")
    if found := unequal_keys({"decoding": kept}, {"decoding": results.decoding}) if kept else []:
        print(f"  another decoding than in its config.yaml: {differences_in_words(found, 'now')}")


of_words = entry("evaluate", evaluate)


@exits_cleanly
def main() -> None:
    """``mclas-evaluate RUN [--test FILE] [words]``, or all words of a training."""
    test, words = _test_of(sys.argv[1:])
    if words and is_run(words[0]):
        evaluate(run_config(Path(words[0]), words[1:], test), of_run=True)
        leave_process_group()
    else:
        sys.argv[1:] = [*words, *([] if test is None else [override("+test_file", test)])]
        of_words()


def _test_of(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """What ``--test`` names, and the other arguments."""
    rest, test = list(arguments), None
    for number, word in enumerate(rest):
        if word.startswith("--test="):
            test = rest.pop(number).removeprefix("--test=")
            break
        if word == "--test":
            if number + 1 == len(rest):
                raise InputError("--test: expected the file of a test set after it")
            _, test = rest.pop(number), rest.pop(number)
            break
    return test, rest
