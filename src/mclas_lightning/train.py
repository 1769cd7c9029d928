"""``mclas-train``: train a model on a scenario of a dataset and score it on the test set."""

import sys

if __name__ == "__main__":  # Ctrl-C is heard during the imports below, too.
    from mclas_lightning.errors import run_main
    from mclas_lightning.progress import bound_libraries

    bound_libraries()
    sys.exit(run_main("mclas_lightning.train"))

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import hydra
import pytorch_lightning as pl
from hydra.errors import HydraException
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.loggers import Logger

from mclas_lightning.config.compose import entry, in_multirun
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.data.datamodule import LoaderConfig, SummarizationData
from mclas_lightning.distributed import (
    check_processes,
    fail_together,
    is_rank_zero,
    leave_process_group,
)
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.evaluation.run import load_neural, score_run
from mclas_lightning.files import make_folder, sha256, write_json
from mclas_lightning.inference.started import check_content
from mclas_lightning.model.device import set_float32_products
from mclas_lightning.model.dropout import short_random_numbers
from mclas_lightning.model.malloc import keep_freed_memory
from mclas_lightning.report.comparable import first_differences, unlike_other_seeds
from mclas_lightning.runs.identity import differences_in_words, scoring_differences
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.moves import whole_files
from mclas_lightning.runs.preemption import Preempted, Preemption
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.suspicion import with_suspicions
from mclas_lightning.task import Task
from mclas_lightning.tracking.loggers import log_results, tracked
from mclas_lightning.tracking.metrics_file import MetricsFile
from mclas_lightning.training.announcements import announce_end, announce_training, announce_update
from mclas_lightning.training.callbacks import Patience, UpdatesBar
from mclas_lightning.training.checkpoints import Best, Last, WholeCheckpoints, resumable
from mclas_lightning.training.divergence import Divergence
from mclas_lightning.training.exposure import Exposure
from mclas_lightning.training.module import SummarizationModule, monitored
from mclas_lightning.training.preparation import build_network, keep_preparation, prepare


def train(cfg: Mapping[str, Any]) -> Results | None:
    """Do what of the run is not done yet: train (or resume), then score; None on other ranks.

    ``cfg`` is what Hydra composes, or resolved already.
    """
    settings, config = read_settings(cfg)
    with ExitStack() as held:
        with fail_together():
            settings.run.check_identity(config)
            if in_multirun():
                check_processes(settings.trainer)
            if is_rank_zero() and not settings.run.finished:
                held.enter_context(locked(settings.run.folder))
        return _train(settings, config)


def _train(settings: Settings, config: Mapping[str, Any]) -> Results | None:
    run = settings.run
    if run.finished:
        results = Results.read(run.folder / "results.json")
        print(f"{run}: finished before; delete the folder to train it again")
        print(f"  {with_suspicions(results)}")
        if found := scoring_differences(run.folder, config):
            print(f"  scored with {differences_in_words(found)}; mclas-evaluate scores it again")
        return results
    quiet_libraries()
    if settings.device.type == "cpu":
        keep_freed_memory()
    set_float32_products(settings.device, settings.extras.float32_products)
    with Preemption(says=is_rank_zero()) as preemption, ExitStack() as held:
        with fail_together():
            run.check_diverged()
            if is_rank_zero() and (unlike := unlike_other_seeds(run.folder, config)):
                print(f"{run}: warning: no mean of these seeds: {first_differences(unlike)}")
            loggers = held.enter_context(tracked(settings.logger))
        try:
            if isinstance(settings.system, Task) and not run.trained:
                _fit(settings, config, loggers, preemption)
                preemption.check()
            if is_rank_zero() and run.trained:  # Not before training.json says so.
                run.drop_resumable(settings.extras.keep_last)
            return _score(settings, config, loggers)
        except Preempted:
            if is_rank_zero():
                print(f"  asked to end; the same command goes on with {run}", flush=True)
            leave_process_group()
            raise
        except InputError:
            leave_process_group()
            raise


def quiet_libraries() -> None:
    """Leave out what Lightning says of itself, and the warnings that do not apply here."""
    for library in ("pytorch_lightning", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # Lengths vary inside a bucket, and the loader is resumable without Lightning's help.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
    # The interval counts updates over epochs.
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval")
    # What is logged once an update or validation is the same on every rank already.
    warnings.filterwarnings("ignore", message=".*It is recommended to use `self.log.*sync_dist")
    # On a cluster, a training may well be started without Slurm.
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    # Keys and values are only read.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .*returned a view")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty")


def _fit(
    settings: Settings, config: Mapping[str, Any], loggers: list[Logger], preemption: Preemption
) -> None:
    run = settings.run
    with fail_together():
        load_neural(settings)  # What is missing is said before the training, not after it.
        preparation = prepare(settings)
        resumed = resumable(run)  # A file cut short is named now, in one line.
        initial = None if resumed else preparation.ms
        check_content(run, settings.dataset, preparation.tokenizer, initial)
        pl.seed_everything(settings.seed, verbose=False)
        network = build_network(settings, preparation)
        if settings.extras.recompute_activations:
            network.recompute_activations()
        half = str(settings.trainer.get("precision")).startswith("bf16")
        if half and settings.device.type == "cpu":
            network.multiply_attention()
        module = SummarizationModule(
            network,
            settings.optim,
            task=settings.task,
            lsep_id=preparation.tokenizer.special.lsep,
            seed=settings.seed,
        )
        trainer, best, last, patience = build_trainer(settings, loggers, preemption)
        exposure = Exposure.of(preparation.train, settings.optim.shape(trainer.world_size))
        if trainer.is_global_zero:
            keep_preparation(settings, config, preparation)
            make_folder(run.best.parent)
            for logger in loggers:
                logger.log_hyperparams(dict(config))
            announce_training(settings, preparation, module, resumed)
            announce_update(settings, preparation.train, exposure)
    loaders = LoaderConfig(shape=exposure.shape, workers=settings.workers)
    data = SummarizationData(preparation.train, preparation.valid, loaders, seed=settings.seed)
    with short_random_numbers():
        trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    assert best.best_model_score is not None, "every training ends with a validation"
    if trainer.is_global_zero:
        stopped_early = patience.wait_count >= patience.patience
        ended = {
            "updates": trainer.global_step,
            "monitor": best.monitor,
            "best_val_loss": float(best.best_model_score),
            "stopped_early": stopped_early,
            "cut_off": not stopped_early and patience.wait_count == 0,
            "seen": exposure.seen(trainer.global_step),
            "leaks": preparation.leaks,
            "seconds": round(last.seconds, 1),
            "subset_sha256": sha256(settings.subset_manifest),
        }
        with whole_files(run.folder) as part:
            write_json(part / run.training_path.name, ended)
        announce_end(ended)


def build_trainer(
    settings: Settings, loggers: list[Logger], preemption: Preemption
) -> tuple[pl.Trainer, Best, Last, Patience]:
    """What trains a run, what keeps its best and its last checkpoint, and what ends it early."""
    run, optim = settings.run, settings.optim
    every = settings.updates // optim.validations
    monitor = monitored(optim.monitor, settings.task.sides)
    best = Best(
        dirpath=run.best.parent,
        filename=run.best.stem,
        monitor=monitor,
        save_weights_only=True,
        enable_version_counter=False,
    )
    # Divergence first, so that nothing diverged is kept; best before last, which holds its state.
    writer, divergence = WholeCheckpoints(run), Divergence(run)
    last = Last(run, preemption, settings.extras.checkpoint_minutes, writer, divergence)
    patience = Patience(monitor, patience=optim.patience)
    plugins: list[Any] = [writer]
    if not TorchElasticEnvironment.detect() and SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # Who started the job does that.
    try:
        trainer = pl.Trainer(
            **hydra.utils.instantiate(settings.trainer, _convert_="all"),  # names classes
            logger=[MetricsFile(run.folder / "metrics.csv"), *loggers],
            callbacks=[divergence, patience, UpdatesBar(monitor), best, last],
            plugins=plugins,
            max_epochs=-1,
            max_steps=settings.updates,
            max_time=None,  # It would end a run before its last validation.
            # A part of the examples is what a scenario is; an update would be cut in the middle.
            limit_train_batches=1.0,
            limit_val_batches=1.0,
            overfit_batches=0.0,
            fast_dev_run=False,
            accumulate_grad_batches=optim.accumulate,
            gradient_clip_val=optim.gradient_clip,
            val_check_interval=every * optim.accumulate,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except (HydraException, ImportError, MisconfigurationException, TypeError, ValueError) as error:
        raise InputError(f"trainer: {first_line(error)}") from error
    return trainer, best, last, patience


def _score(
    settings: Settings, config: Mapping[str, Any], loggers: Sequence[Logger]
) -> Results | None:
    results = score_run(settings, config)
    if results is None:
        return None
    log_results(loggers, results, settings.run.updates)
    print(f"  {with_suspicions(results)}", flush=True)
    return results


main = entry("train", train)
