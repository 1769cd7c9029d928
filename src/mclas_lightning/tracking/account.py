"""Whether W&B can be reached, asked before anything long begins."""

import os

from mclas_lightning.errors import InputError

TIMEOUT = 20  # seconds that the server may take to answer
OFFLINE = "log in with `wandb login` or WANDB_API_KEY, or train with logger.offline=true"


def check_account(timeout: int = TIMEOUT) -> None:
    """InputError where there is no key, or W&B does not accept it within ``timeout`` seconds."""
    import wandb
    from wandb.errors import AuthenticationError

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
