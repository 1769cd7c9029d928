"""W&B's mode and account, checked before a training or an upload begins."""

import os
import re
from typing import TYPE_CHECKING

from mclas_lightning.errors import InputError

if TYPE_CHECKING:
    import wandb

MODES = {"offline": "offline", "dryrun": "offline", "disabled": "disabled"}  # all others: online

TIMEOUT = 20  # seconds in which the server has to answer

LOG_IN = "log in with `wandb login` or WANDB_API_KEY"


def wandb_mode() -> str:
    """W&B's own mode: ``online``, ``offline`` or ``disabled``.

    It comes from the environment (``WANDB_MODE``), else from the settings files that
    ``wandb offline`` and ``wandb disabled`` write. InputError where W&B cannot read a variable.
    """
    settings = _settings()
    try:
        settings.update_from_env_vars(dict(os.environ))
    except ValueError as error:  # pydantic's error has several lines
        found = [line.strip() for line in str(error).splitlines()]
        reason = re.sub(r" \[type=.*input_value=(.*), input_type=.*", r"; found \1", found[2])
        raise InputError(f"W&B: WANDB_{found[1].upper()}: {reason}") from error
    return MODES.get(settings.mode, "online")


def server_address() -> str:
    """The address of W&B's server by its settings files, else that of its package."""
    return _settings().base_url


def _settings() -> "wandb.Settings":
    import wandb

    settings = wandb.Settings(silent=True)
    settings.update_from_system_settings()
    return settings


def check_account(timeout: int = TIMEOUT, advice: str = "") -> None:
    """InputError where W&B has no key, refuses it or does not answer in ``timeout`` seconds.

    The error says how to log in, and ``advice`` after it.
    """
    import wandb
    from wandb.errors import AuthenticationError

    wandb_mode()  # raises the InputError for a variable that W&B cannot read
    wandb.setup(wandb.Settings(silent=True, mode="online"))
    host = wandb.setup().settings.base_url
    before = os.environ.get("WANDB_HTTP_TIMEOUT")
    os.environ["WANDB_HTTP_TIMEOUT"] = before or str(timeout)
    try:
        known = wandb.login(prompt=False, verify=True)
    except AuthenticationError as error:
        late = "did not respond in time" in str(error)
        said = f"does not answer within {timeout} s" if late else "does not accept the key"
        raise InputError(f"W&B: {host} {said}; {LOG_IN}{advice}") from error
    finally:
        if before is None:
            del os.environ["WANDB_HTTP_TIMEOUT"]
    if not known:
        raise InputError(f"W&B: no key for {host}; {LOG_IN}{advice}")
