import tomllib
from pathlib import Path

import pytest

from mclas_lightning.cli import entries
from tests.test_interrupts import script

# Ctrl-C comes while this module is imported, whose C code turns an exception into another one.
PRESSED = """
import os, runpy, sys
class Pressed:
    def find_spec(name, *_):
        if name == "{late}":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                list(range(99))
            except BaseException:
                raise RecursionError
sys.meta_path.insert(0, Pressed)
"""


@pytest.mark.parametrize(
    ("start", "late"),
    [
        ("from mclas_lightning.cli.entries import mclas; mclas()", "mclas_lightning.cli.data"),
        ("from mclas_lightning.cli.entries import mclas_train; mclas_train()", "torch"),
        ("from mclas_lightning.cli.entries import mclas_evaluate; mclas_evaluate()", "torch"),
        *(
            (f"runpy.run_module('mclas_lightning.{module}', run_name='__main__')", late)
            for module, late in (
                ("cli.main", "argparse"),
                ("train", "torch"),
                ("evaluate", "hydra"),
            )
        ),
    ],
)
def test_a_command_that_still_imports_ends_in_one_line(start, late):
    process = script(PRESSED.format(late=late) + start)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")


def test_every_console_script_is_one_of_them():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for name, place in project["scripts"].items():
        module, _, attribute = place.partition(":")
        assert (module, attribute) == (entries.__name__, name.replace("-", "_"))
        assert callable(getattr(entries, attribute))
