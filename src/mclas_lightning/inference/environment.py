"""The git commit, versions and machine, which results depend on beside the configuration."""

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mclas_lightning.files import CONF, EXPERIMENTS, whole_file
from mclas_lightning.progress import cpu_name
from mclas_lightning.runs.secrets import redacted

PACKAGES = ("mclas-lightning", "torch", "pytorch-lightning", "transformers", "tokenizers")

LONGEST_DIFF = 1_000_000  # characters; of a longer diff the beginning is kept

CODE = Path(__file__).parents[1]


def environment(folder: Path) -> dict[str, Any]:
    """The git commit, versions and machine, which results depend on beside the configuration.

    Uncommitted changes of the code are written into ``folder``, under a name that holds their hash.
    """
    # A package in a virtual environment may lie inside of another repository.
    if _git("ls-files", "--error-unmatch", str(CODE)) is None:
        return {"git_commit": None, "git_changes": False, **machine()}
    changes = _git("status", "--porcelain", "--untracked-files=no", "--", *_code())
    return {
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": bool(changes),
        **_kept_diff(folder),
        **machine(),
    }


def machine() -> dict[str, Any]:
    """Machine and versions, on which the last bits of a sum depend."""
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": cpu_name(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda if cuda else None,
        "float32_products": torch.get_float32_matmul_precision() if cuda else None,
        "packages": {name: version(name) for name in PACKAGES},
    }


def _kept_diff(folder: Path) -> dict[str, str]:
    """The file of the changes beside the commit, and its hash; empty without a change of code."""
    diff = _git("diff", "HEAD", "--no-color", "--no-ext-diff", "--", *_code())
    if not diff:
        return {}
    text = redacted(diff)[:LONGEST_DIFF] + "\n"
    sha = hashlib.sha256(text.encode()).hexdigest()
    name = f"code-{sha[:12]}.diff"
    with whole_file(folder / name) as file:
        file.write(text)
    return {"git_diff": name, "git_diff_sha256": sha}


def _code() -> list[str]:
    """The folders of code and configuration whose changes may change scores."""
    return [str(path) for path in (CODE, CONF, EXPERIMENTS) if path.is_dir()]


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(CODE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode(errors="replace").strip()
