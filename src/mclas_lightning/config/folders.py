"""Where files of ``conf/`` are looked for."""

from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.files import CONF


def conf_folders() -> list[Path]:
    """``CONF`` and, if there is another one, the folder ``conf`` where the command was started."""
    own = Path.cwd() / "conf"
    return [CONF, own] if own.is_dir() and not own.samefile(CONF) else [CONF]


def check_none_passed_over(own: Path) -> None:
    """InputError where ``own`` changes a file of ``CONF``: Hydra reads the first file of a name."""
    for ours in sorted(CONF.glob("**/*.yaml")):
        changed = own / ours.relative_to(CONF)
        if changed.is_file() and changed.read_bytes() != ours.read_bytes():
            raise InputError(
                f"{changed}: would be passed over, because {ours} has its name; rename it, and "
                f"choose it by the new name, or start the command in another folder"
            )
