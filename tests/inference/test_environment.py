import subprocess

import pytest
import torch

from mclas_lightning.files import sha256
from mclas_lightning.inference import environment as module
from mclas_lightning.inference.environment import PACKAGES, environment


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository whose one file is the code."""
    code = tmp_path / "checkout" / "code"
    code.mkdir(parents=True)
    (code / "a.py").write_text("a = 1\n")
    for words in ("init -q", "add .", "-c user.name=x -c user.email=x commit -q -m x"):
        subprocess.run(["git", "-C", str(code), *words.split()], check=True)
    monkeypatch.setattr(module, "CODE", code)
    for name in ("CONF", "EXPERIMENTS"):
        monkeypatch.setattr(module, name, tmp_path / "nowhere")
    return code


def test_the_environment_names_versions_and_machine(checkout, tmp_path):
    found = environment(tmp_path)
    assert set(found["packages"]) == set(PACKAGES)
    assert {"git_commit", "git_changes", "python", "platform", "threads", "cuda"} <= found.keys()
    assert found["git_changes"] is False
    assert "git_diff" not in found


def test_uncommitted_changes_of_code_are_kept_without_secrets(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    (checkout / "a.py").write_text("a = 2  # hf_0123456789, gr\u00f6\u00dfer\n", encoding="utf-8")
    found = environment(tmp_path)
    assert found["git_changes"] is True
    kept = tmp_path / found["git_diff"]
    assert sha256(kept) == found["git_diff_sha256"]
    assert "+a = 2  # <hidden>, gr\u00f6\u00dfer" in kept.read_text(encoding="utf-8")
    assert environment(tmp_path) == found
    (checkout / "a.py").write_text("a = 3\n")
    assert environment(tmp_path)["git_diff"] != found["git_diff"]


def test_a_long_diff_is_cut(checkout, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_DIFF", 101)
    (checkout / "a.py").write_text("a = 2\n" * 100)
    assert (tmp_path / environment(tmp_path)["git_diff"]).stat().st_size == 102


def test_the_environment_says_how_a_gpu_multiplies_float32(checkout, tmp_path, monkeypatch):
    assert environment(tmp_path)["float32_products"] is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    assert environment(tmp_path)["float32_products"] == "high"


def test_a_package_inside_of_another_repository_has_no_commit(checkout, tmp_path, monkeypatch):
    package = checkout / ".venv" / "mclas_lightning"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(module, "CODE", package)
    (checkout / "a.py").write_text("a = 2\n")
    found = environment(tmp_path)
    assert (found["git_commit"], found["git_changes"]) == (None, False)


def test_changes_of_other_files_are_none_of_the_code(checkout, tmp_path, monkeypatch):
    source = checkout / "src"
    source.mkdir()
    (source / "b.py").touch()
    subprocess.run(["git", "-C", str(checkout), "add", "."], check=True)
    (checkout / "a.py").write_text("a = 2\n")
    assert environment(tmp_path)["git_changes"] is True
    subprocess.run(
        [
            "git",
            "-C",
            str(checkout),
            *["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "x", "src"],
        ],
        check=True,
    )
    monkeypatch.setattr(module, "CODE", source)
    assert environment(tmp_path)["git_changes"] is False
