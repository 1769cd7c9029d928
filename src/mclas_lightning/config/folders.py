"""Where files of ``conf/`` are looked for."""

from pathlib import Path

from mclas_lightning.files import CONF


def conf_folders() -> list[Path]:
    """``CONF`` and, if there is another one, the folder ``conf`` where the command was started."""
    own = Path.cwd() / "conf"
    return [CONF, own] if own.is_dir() and not own.samefile(CONF) else [CONF]
