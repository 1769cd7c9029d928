"""Hydra entries whose user sees one clear line for a mistake."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.errors import InputError, closest, exits_cleanly, one_of
from mclas_lightning.places import CONF
from mclas_lightning.ranks import leave


def entry(config_name: str, job: Callable[[DictConfig], object]) -> Callable[[], None]:
    """A console script: ``job`` on the configuration that the command line composes."""

    def task(cfg: DictConfig) -> None:
        # Hydra would log a job's exception with a line of its own before it is raised again.
        exits_cleanly(job)(cfg)
        leave()

    @exits_cleanly
    def main() -> None:
        # Hydra then raises what it would otherwise print itself, with exit code 1.
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")
        sys.argv[1:] = [quoted(word) for word in sys.argv[1:]]
        with clear_errors(config_name):
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(task)()

    return main


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """What ``entry`` would compose from the same words on the command line."""
    words = [quoted(word) for word in overrides]
    with clear_errors(config_name), hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose(config_name, overrides=words)


def quoted(word: str) -> str:
    """A word whose value holds "=", as a run's folder does, the way Hydra's grammar wants it."""
    found = re.fullmatch(r"([\w.@/+~]+)=([^'\"\[{$,]+=[^'\"\[{,]*)", word)
    return f"{found[1]}='{found[2]}'" if found else word


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
        lines = (line.strip() for line in str(error).splitlines())
        raise InputError(" ".join(line for line in lines if line)) from error


def _keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    keys = []
    for key, value in OmegaConf.to_container(cfg, resolve=False).items():  # pyright: ignore
        keys.append(f"{prefix}{key}")
        if isinstance(value, dict):
            keys += _keys(OmegaConf.create(value), f"{prefix}{key}.")
    return keys
