"""Hydra entries whose user sees one clear line for a mistake."""

import itertools
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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

from mclas_lightning.config.overrides import arguments, quoted
from mclas_lightning.errors import InputError, closest, exits_cleanly, one_of
from mclas_lightning.files import CONF, EXPERIMENTS

OF_RUN = "of_run"  # names the configuration of a run in Hydra's store

ADDED_TO = ("optim", "decoding", "scoring", "trainer")  # sections that later versions add keys to


class Experiments(SearchPathPlugin):
    """``+sweep=low_resource`` finds its file in experiments/."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Hydra calls this."""
        search_path.append("mclas-lightning", f"file://{EXPERIMENTS}")


Plugins.instance().register(Experiments)


def entry(config_name: str, job: Callable[[DictConfig], object]) -> Callable[[], None]:
    """A console script: ``job`` on the configuration that the command line composes.

    A job of a multirun that fails does not stop those after it; the exit code is then 1.
    """
    failures: list[str] = []

    def task(cfg: DictConfig) -> None:
        from mclas_lightning.distributed import (
            leave_process_group,  # Loads torch, which a sweep's plan does without.
        )

        if in_multirun() and "SUBMITIT_EXECUTOR" not in os.environ:
            failures.extend(_failure(job, cfg))
        else:
            # Hydra would log a job's exception with a line of its own before it is raised again.
            exits_cleanly(job)(cfg)
        leave_process_group()

    @exits_cleanly
    def main() -> None:
        # Hydra then raises what it would otherwise print itself, with exit code 1.
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")
        sys.argv[1:] = arguments(sys.argv[1:])
        with clear_errors(config_name):
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(task)()
        if failures:
            print(f"\n{len(failures)} failed:", *failures, sep="\n  ", file=sys.stderr)
            sys.exit(1)

    return main


def in_multirun() -> bool:
    """Whether Hydra starts this training as one of several."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def _failure(job: Callable[[DictConfig], object], cfg: DictConfig) -> list[str]:
    """A line on how ``job`` failed, if it did."""
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
    """What ``entry`` would compose from the same words on the command line."""
    words = [quoted(word) for word in overrides]
    with clear_errors(config_name), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(config_name, overrides=words)


def compose_over(kept: Mapping[str, Any], overrides: Sequence[str]) -> DictConfig:
    """The configuration of mclas-evaluate for a run that was started with ``kept``.

    A word that chooses a file of a group, such as decoding=long, replaces the run's section. Keys
    that the run's version of this project did not have yet are today's.
    """
    groups = [word for word in overrides if (CONF / word.partition("=")[0]).is_dir()]
    today = _plain(compose("evaluate", groups))
    base = {**today, **kept}
    for name in ADDED_TO:
        base[name] = {**today[name], **(kept.get(name) or {})}
    for word in groups:
        base[word.partition("=")[0]] = today.get(word.partition("=")[0])
    ConfigStore.instance().store(OF_RUN, OmegaConf.create(base))
    words = [quoted(word) for word in overrides if word not in groups]
    with clear_errors("evaluate"), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(OF_RUN, overrides=words)


def _plain(cfg: DictConfig) -> dict[str, Any]:
    """Plain mappings, with their interpolations."""
    return OmegaConf.to_container(cfg, resolve=False)  # pyright: ignore[reportReturnType]


def launcher_settings(words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``hydra.launcher`` and ``trainer`` are with these words for mclas-train."""
    with clear_errors("train"), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", [quoted(word) for word in words], return_hydra_config=True)
        launcher, trainer = (
            OmegaConf.to_container(part, resolve=True) for part in (cfg.hydra.launcher, cfg.trainer)
        )
    assert isinstance(launcher, dict)
    assert isinstance(trainer, dict)
    return {str(k): v for k, v in launcher.items()}, {str(k): v for k, v in trainer.items()}


def product(config_name: str, axes: Mapping[str, str]) -> list[list[str]]:
    """The words of every run that Hydra's multirun makes of these, such as ``{"seed": "0,1"}``."""
    with clear_errors(config_name):
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
    """Turn Hydra's errors, several lines each, into InputErrors."""
    try:
        yield
    except MissingConfigException as error:
        group, _, option = (error.missing_cfg_file or "").rpartition("/")
        choices = [name for name in error.options or () if not name.startswith("_")]
        raise one_of(group or "configuration", option, choices) from error
    except (HydraException, OmegaConfBaseException) as error:
        if unknown := re.match(r"Could not override '([^']+)'", str(error)):
            depth = unknown[1].count(".")
            keys = _keys(compose(config_name, ()))
            near = [key for key in keys if key.count(".") == depth and key != unknown[1]]
            hint = closest(unknown[1], near)
            raise InputError(
                f"key '{unknown[1]}' does not exist; {hint}see mclas-train --cfg job for all of "
                f"them (a new one is added with a leading +)"
            ) from error
        raise InputError(_line_of(error)) from error


def _line_of(error: Exception) -> str:
    """A library's lines as one; the key that OmegaConf names on a line of its own comes first."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("full_key:", "object_type="))]
    key = getattr(error, "full_key", None)
    return f"{key}: {' '.join(kept)}" if key else " ".join(kept)


def _keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    keys = []
    for key, value in OmegaConf.to_container(cfg, resolve=False).items():  # pyright: ignore
        keys.append(f"{prefix}{key}")
        if isinstance(value, dict):
            keys += _keys(OmegaConf.create(value), f"{prefix}{key}.")
    return keys
