"""Whether W&B can be reached, asked before anything long begins."""

import os
import re

from mclas_lightning.errors import InputError

MODES = {"offline": "offline", "dryrun": "offline", "disabled": "disabled"}  # others: online

TIMEOUT = 20  # seconds that the server may take to answer

OFFLINE = "log in with `wandb login` or WANDB_API_KEY, or train with logger.offline=true"


def mode() -> str:
    """``online``, ``offline`` or ``disabled``, as W&B itself would be.

    The environment (``WANDB_MODE``) says so, else W&B's settings files, which ``wandb offline`` and
    ``wandb disabled`` write. InputError where a variable of the environment cannot be read.
    """
    import wandb

    settings = wandb.Settings(silent=True)
    settings.update_from_system_settings()
    try:
        settings.update_from_env_vars(dict(os.environ))
    except ValueError as error:  # pydantic's, of several lines
        found = [line.strip() for line in str(error).splitlines()]
        reason = re.sub(r" \[type=.*input_value=(.*), input_type=.*", r"; found \1", found[2])
        raise InputError(f"W&B: WANDB_{found[1].upper()}: {reason}") from error
    return MODES.get(settings.mode, "online")


def check_account(timeout: int = TIMEOUT) -> None:
    """InputError where there is no key, or W&B does not accept it within ``timeout`` seconds."""
    import wandb
    from wandb.errors import AuthenticationError

    mode()  # A variable that W&B cannot read is said now.
    wandb.setup(wandb.Settings(silent=True, mode="online"))
    host = wandb.setup().settings.base_url
    before = os.environ.get("WANDB_HTTP_TIMEOUT")
    os.environ["WANDB_HTTP_TIMEOUT"] = before or str(timeout)
    try:
        known = wandb.login(prompt=False, verify=True)
    except AuthenticationError as error:
        late = "did not respond in time" in str(error)
        said = f"does not answer within {timeout} s" if late else "does not accept the key"
        raise InputError(f"W&B: {host} {said}; {OFFLINE}") from error
    finally:
        if before is None:
            del os.environ["WANDB_HTTP_TIMEOUT"]
    if not known:
        raise InputError(f"W&B: no key for {host}; {OFFLINE}")
