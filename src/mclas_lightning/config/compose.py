"""Console scripts and compositions by Hydra, whose errors become one line each."""

import itertools
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.config.folders import check_none_passed_over, conf_folders
from mclas_lightning.config.overrides import command, hydra_arguments, quoted, uninterpolated
from mclas_lightning.errors import InputError, did_you_mean, exits_cleanly, unknown_choice
from mclas_lightning.files import CONF, EXPERIMENTS

RUN_CONFIG = "of_run"  # the name of a run's configuration in Hydra's store

# Sections of the configuration that later versions add keys to.
EXTENDED_SECTIONS = ("optim", "decoding", "scoring", "trainer")


class MoreFolders(SearchPathPlugin):
    """Adds ``experiments/``, for ``+sweep=low_resource``, and a ``conf/`` of the user's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra for each composition."""
        own = conf_folders()[1:]
        for folder in own:
            check_none_passed_over(folder)
        for folder in (EXPERIMENTS, *own):
            search_path.append("mclas-lightning", f"file://{folder}")


Plugins.instance().register(MoreFolders)


def entry(config_name: str, job: Callable[[DictConfig], object]) -> Callable[[], None]:
    """A console script that runs ``job`` on the configuration that the command line composes.

    In a multirun, a job that fails does not stop the jobs after it; the exit code is then 1.
    """
    failures: list[str] = []

    def task(cfg: DictConfig) -> None:
        # Imported here: it loads torch, which the plan of a sweep does without.
        from mclas_lightning.distributed import leave_process_group

        if in_multirun() and "SUBMITIT_EXECUTOR" not in os.environ:
            failures.extend(_failure(job, cfg))
        else:
            # Hydra would log the exception of a job in a line of its own before it raises it.
            exits_cleanly(job)(cfg)
        leave_process_group()

    @exits_cleanly
    def main() -> None:
        # With this variable Hydra raises its errors instead of printing them and exiting with 1.
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")
        sys.argv[1:] = hydra_arguments(sys.argv[1:])
        words = command(f"mclas-{config_name}", sys.argv[1:])
        with clear_errors(config_name), clear_when_refused(words, jobs=0):
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(task)()
        if failures:
            print(f"\n{len(failures)} failed:", *failures, sep="\n  ", file=sys.stderr)
            sys.exit(1)

    return main


def in_multirun() -> bool:
    """Whether this process runs the jobs of a Hydra multirun."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def _failure(job: Callable[[DictConfig], object], cfg: DictConfig) -> list[str]:
    """Run ``job``; a line with the words and the error if it failed, else no line."""
    words = " ".join(HydraConfig.get().overrides.task)
    try:
        job(cfg)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return [f"{words}: {error}"]
    except Exception as error:
        traceback.print_exc()
        return [f"{words}: {type(error).__name__}: {error}"]
    return []


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """The configuration that ``entry`` composes from the same words on a command line.

    InputError, of one line, for whatever Hydra refuses.
    """
    words = [quoted(word) for word in overrides]
    with clear_errors(config_name), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(config_name, overrides=words)


def compose_over(kept: Mapping[str, Any], overrides: Sequence[str]) -> DictConfig:
    """The configuration of mclas-evaluate for a run whose config.yaml holds ``kept``.

    A word that chooses a file of a group, such as decoding=long, replaces the run's section. A key
    that an older config.yaml lacks has today's value.
    """
    groups = [word for word in overrides if (CONF / word.partition("=")[0]).is_dir()]
    today = _plain(compose("evaluate", groups))
    own = _uninterpolated(dict(kept))
    base = {**today, **own}
    for name in EXTENDED_SECTIONS:
        base[name] = {**today[name], **(own.get(name) or {})}
    for word in groups:
        base[word.partition("=")[0]] = today.get(word.partition("=")[0])
    ConfigStore.instance().store(RUN_CONFIG, OmegaConf.create(base))
    words = [quoted(word) for word in overrides if word not in groups]
    with clear_errors("evaluate"), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(RUN_CONFIG, overrides=words)


def _uninterpolated(value: Any) -> Any:
    """``value``, which is resolved already, so that OmegaConf reads no interpolation in it."""
    if isinstance(value, dict):
        return {key: _uninterpolated(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_uninterpolated(part) for part in value]
    return uninterpolated(value) if isinstance(value, str) else value


def _plain(cfg: DictConfig) -> dict[str, Any]:
    """``cfg`` as plain mappings in which interpolations stand as text."""
    return OmegaConf.to_container(cfg, resolve=False)  # pyright: ignore[reportReturnType]


@cache
def launcher_settings(words: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sections ``hydra.launcher`` and ``trainer`` that mclas-train composes from ``words``."""
    with clear_errors("train"), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", [quoted(word) for word in words], return_hydra_config=True)
        parts = (cfg.hydra.launcher, cfg.trainer)
        launcher, trainer = (OmegaConf.to_container(part, resolve=True) for part in parts)
    return launcher, trainer  # pyright: ignore[reportReturnType]


def value_of(word: str) -> Any:
    """The value that Hydra reads in an override: ``010`` is text, and no number as in YAML."""
    with clear_errors("train"):
        return OverridesParser.create().parse_override(quoted(word)).value()


def multirun_words(axes: Mapping[str, str]) -> list[list[str]]:
    """The words of each run of a Hydra multirun over ``axes``, such as ``{"seed": "0,1"}``."""
    with clear_errors("train"):
        words = [quoted(f"{key}={value}", multirun=True) for key, value in axes.items()]
        parsed = OverridesParser.create().parse_overrides(words)
        choices = [
            [f"{word.get_key_element()}={value}" for value in word.sweep_string_iterator()]
            if word.is_sweep_override()
            else [text]
            for text, word in zip(words, parsed, strict=True)
        ]
    return [list(words) for words in itertools.product(*choices)]


@contextmanager
def clear_errors(config_name: str) -> Iterator[None]:
    """Turn the errors of Hydra and OmegaConf, of several lines each, into InputErrors."""
    try:
        yield
    except MissingConfigException as error:
        group, _, option = (error.missing_cfg_file or "").rpartition("/")
        choices = [name for name in error.options or () if not name.startswith("_")]
        raise unknown_choice(group or "configuration", option, choices) from error
    except (HydraException, OmegaConfBaseException) as error:
        if unknown := re.match(r"Could not override '([^']+)'", str(error)):
            depth = unknown[1].count(".")
            keys = _keys(_plain(compose(config_name, ())))
            near = [key for key in keys if key.count(".") == depth and key != unknown[1]]
            hint = did_you_mean(unknown[1], near)
            raise InputError(
                f"key '{unknown[1]}' does not exist; {hint}see mclas-{config_name} --cfg job for "
                f"all of them (a new one is added with a leading +)"
            ) from error
        raise InputError(_as_one_line(error)) from error
    except (TypeError, ValueError) as error:
        # Hydra's list of groups stumbles over a choice that is a number, or a list of numbers.
        if Path(traceback.extract_tb(error.__traceback__)[-1].filename).stem != "defaults_list":
            raise
        raise InputError(f"a choice of a group is no name ({error})") from error


@contextmanager
def clear_when_refused(what: str, jobs: int) -> Iterator[None]:
    """Turn the error where sbatch refuses a job, after ``jobs`` others, into an InputError."""
    try:
        yield
    except Exception as error:
        cause, said = error.__cause__, [type(error).__name__, *str(error).splitlines()][-1]
        refused = isinstance(cause, subprocess.CalledProcessError) and cause.cmd[0] == "sbatch"
        if not refused and not said.startswith('Could not detect "srun"'):
            raise
        raise InputError(
            f"{what}: Slurm refuses the job ({said.removeprefix('sbatch: ')}); jobs submitted "
            f"before: {jobs}; change what the line names (hydra.launcher...), and start it again"
        ) from error


def _as_one_line(error: Exception) -> str:
    """The message of an error in one line, after the key that OmegaConf has in another line."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("full_key:", "object_type="))]
    key = getattr(error, "full_key", None)
    return f"{key}: {' '.join(kept)}" if key else " ".join(kept)


def _keys(section: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in section.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
