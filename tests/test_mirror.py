"""``tests/`` mirrors ``src/``: ``data/store.py`` is tested by ``tests/data/test_store.py``."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "mclas_lightning"
# Tests of no single module: of documents, of the tree, of whole runs in their surroundings.
WHOLE = {
    *(
        "test_architecture.py",
        "test_benchmarks.py",
        "test_commands.py",
        "test_conf.py",
        "test_docs.py",
        "test_layers.py",
    ),
    *("test_devices.py", "test_earlier_runs.py", "test_interrupts.py", "test_metrics_page.py"),
    *("test_audit.py", "test_security.py", "fuzz/test_readers.py", "fuzz/test_words.py"),
    *("faults/test_faults.py", "test_determinism.py"),
    *(
        "test_mirror.py",
        "test_readme.py",
        "test_stages.py",
        "test_study.py",
        "slurm/test_sweep.py",
        "tracking/test_server.py",
    ),
}
# Packages that one file tests, because their modules work together alone.
TOGETHER = {
    *("convert/e5", "corpora/check", "corpora/debian", "corpora/toy", "report/render"),
    "verification",
}
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")


def places(module: Path) -> list[Path]:
    """Where the tests of a module may stand."""
    own = module.relative_to(SOURCE)
    package = [own.parent.with_suffix(".py")] if own.parent.as_posix() in TOGETHER else []
    return [TESTS / path.with_name(f"test_{path.name}") for path in (own, *package)]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.stem)
def test_a_test_file_stands_where_its_module_does(path):
    of_modules = {place for module in MODULES for place in places(module)}
    assert path in of_modules or path.relative_to(TESTS).as_posix() in WHOLE


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_has_its_test_file(module):
    assert any(place.exists() for place in places(module)), places(module)[0]


def test_exceptions_are_there():
    assert [name for name in sorted(WHOLE) if not (TESTS / name).exists()] == []
    assert [name for name in sorted(TOGETHER) if not (SOURCE / name).is_dir()] == []
