"""Passwords and keys, which no file of a run, message or logger may hold.

A secret is the value of an environment variable whose name ends like ``WANDB_API_KEY``, and what
stands before ``@`` in a URL such as ``https://user:password@host/``.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.schema import flat

HIDDEN = "<hidden>"

LEAST_LENGTH = 8  # characters; shorter values, such as "false", are words of any text

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)

_URL_LOGIN = re.compile(r"(?<=://)[^\s/@\"']+(?=@)")


def redacted(text: str) -> str:
    """``text`` with ``<hidden>`` in place of each secret."""
    return _without(_of_environment(), text)


def check_no_secret(config: Mapping[str, Any]) -> None:
    """InputError where a value holds a secret: a run's configuration is written and logged."""
    secrets = _of_environment()
    for key, value in flat(config, "."):
        if _without(secrets, str(value)) != str(value):
            raise InputError(
                f"{key}: holds a password or the value of a secret environment variable, which "
                f"would be written into the run's folder; leave it out, and log in by the "
                f"environment (HF_TOKEN, WANDB_API_KEY) or ~/.netrc"
            )


def _without(secrets: Iterable[str], text: str) -> str:
    for value in secrets:
        text = text.replace(value, HIDDEN)
    return _URL_LOGIN.sub(HIDDEN, text)


def _of_environment() -> list[str]:
    """The secret values of the environment, the longest first: one may be a part of another."""
    found = {v for name, v in os.environ.items() if _SECRET_NAME.search(name)}
    return sorted((v for v in found if len(v) >= LEAST_LENGTH), key=len, reverse=True)
