import pytest

from tests.test_interrupts import script


@pytest.mark.parametrize("name", ["mclas_train", "mclas_evaluate"])
def test_a_command_that_still_imports_ends_in_one_line(name, tmp_path):
    code = (
        "import os, threading\n"
        f"from mclas_lightning.cli.entries import {name}\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        f"{name}()"
    )
    process = script(code)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
