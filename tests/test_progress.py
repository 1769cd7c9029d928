"""Bars are for terminals; started processes leave Ctrl-C to the command; threads sleep soon."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mclas_lightning import progress
from mclas_lightning.errors import InputError
from mclas_lightning.progress import (
    KERNELS,
    SPINS,
    bound_libraries,
    cpu_flags,
    ctrl_c_for_this_process,
    free_memory,
    progress_bar,
    share,
    worker_pool,
)


@pytest.fixture(autouse=True)
def _ctrl_c():
    """Ctrl-C as in a terminal: a command that a shell starts with ``&`` ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_alone(monkeypatch):
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar(2, "reading", "texts") as bar:
            bar.update()
        assert ("reading" in stream.getvalue()) is drawn


def start_processes(ended: list[bool]) -> None:
    with ctrl_c_for_this_process():
        signal.raise_signal(signal.SIGINT)
        ended.append(True)


def test_ctrl_c_while_processes_start_is_heard_when_they_have_started():
    ended: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        start_processes(ended)
    assert ended == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_was_started_does_not_end_by_ctrl_c():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    with ctrl_c_for_this_process():
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.stdout, child.stderr) == ("goes on\n", "")


USUAL = {**dict.fromkeys(progress.KERNEL_CACHES, str(KERNELS)), "HF_HUB_VERBOSITY": "error"}
SAID = (*progress.SPINNING, *USUAL)
UNSAID = {key: value for key, value in os.environ.items() if key not in SAID}
OURS = {"GOMP_SPINCOUNT": str(SPINS), **USUAL}

# The variables at the moment at which torch, and with it OpenMP and oneDNN, is loaded.
LOADED = f"""
import json, os, runpy, sys
class Torch:
    def find_spec(name, *_):
        if name == "torch":
            print(json.dumps({{key: os.environ[key] for key in {SAID} if key in os.environ}}))
            os._exit(0)
sys.meta_path.insert(0, Torch)
"""


@pytest.mark.parametrize(
    "start",
    [
        "from mclas_lightning.cli.entries import mclas_train; mclas_train()",
        "from mclas_lightning.cli.entries import mclas_evaluate; mclas_evaluate()",
        "sys.argv = ['mclas', 'summarize', 'run']\n"
        "from mclas_lightning.cli.entries import mclas; mclas()",
        "runpy.run_module('mclas_lightning.train', run_name='__main__')",
        "runpy.run_module('mclas_lightning.evaluate', run_name='__main__')",
        "sys.argv = ['mclas', 'demo']\n"
        "runpy.run_module('mclas_lightning.cli.main', run_name='__main__')",
    ],
)
def test_libraries_are_bound_before_they_are_loaded(start):
    line = [sys.executable, "-c", LOADED + start]
    done = subprocess.run(line, env=UNSAID, capture_output=True, text=True, check=True)
    found = {**OURS, **json.loads(done.stdout)}  # An idle machine has no bound of the spinning.
    assert found == OURS
    assert set(USUAL) <= set(json.loads(done.stdout))


@pytest.mark.parametrize("name", SAID)
def test_what_the_user_has_said_stays(name, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(progress, "busy", lambda: True)
    bound_libraries()
    assert os.environ == OURS
    monkeypatch.setattr(os, "environ", {name: "7"})
    bound_libraries()
    ours = {} if name in progress.SPINNING else {"GOMP_SPINCOUNT": str(SPINS)}
    assert os.environ == {**USUAL, **ours, name: "7"}


def test_threads_of_an_idle_machine_wait_as_openmp_lets_them(monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(progress, "busy", lambda: False)
    bound_libraries()
    assert os.environ == USUAL


@pytest.mark.parametrize(
    ("running", "found"),
    [((1, 1, 1), False), ((2, 1, 3), False), ((2, 2, 2), True), ((9, 3, 2), True)],
)
def test_a_machine_is_busy_where_something_else_runs_all_the_time(running, found, monkeypatch):
    counts = iter(running)
    monkeypatch.setattr(Path, "read_text", lambda path: f"0.1 0.2 0.3 {next(counts)}/80 123\n")
    assert progress.busy() is found


def test_a_machine_that_does_not_say_what_runs_counts_as_busy(tmp_path):
    assert progress.busy(tmp_path / "nothing")
    (tmp_path / "empty").touch()
    assert progress.busy(tmp_path / "empty")


PRODUCTS = """
import torch
from pathlib import Path
from mclas_lightning.model.linear import pack_linear
from mclas_lightning.model.malloc import give_freed_memory_back

def held():
    give_freed_memory_back()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

torch.set_num_threads(1)
product, x = pack_linear(torch.randn(256, 128), None), torch.randn(2000, 128)
product(x)
before = held()
for rows in range(1000, 1600):
    product(x[:rows])
print(held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's figures")
def test_products_of_many_sizes_hold_no_more_memory_than_those_of_a_few():
    growth = []
    for kernels in (KERNELS, 1024):
        environment = {**UNSAID, **dict.fromkeys(progress.KERNEL_CACHES, str(kernels))}
        line = [sys.executable, "-c", PRODUCTS]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
        growth.append(float(done.stdout))
    assert growth[0] < growth[1] / 2


@pytest.mark.parametrize(
    ("widths", "gb", "expected"),
    [
        ([128] * 20, 100, (8, 1)),  # As many runs as cores.
        ([128, 256, 128], 100, (3, 2)),  # Few runs share the cores.
        ([128] * 20, 3.1, (2, 4)),  # As many runs as the memory holds.
        ([128] * 20, 0.1, (1, 8)),
        ([128] * 20 + [768], 100, (1, 8)),  # A large network takes the machine.
        ([], 100, (1, 8)),
    ],
)
def test_small_networks_share_the_cores_and_large_ones_do_not(widths, gb, expected, monkeypatch):
    monkeypatch.setattr(progress, "cores", lambda: 8)
    monkeypatch.setattr(progress, "free_memory", lambda: int(gb * 2**30))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert share(widths) == expected
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert share(widths) == (1, 1)


def test_what_a_cpu_can_do_is_read_from_linux(tmp_path):
    lines = "vendor_id\t: GenuineIntel\nmodel\t: x\nflags\t\t: fpu amx_bf16 avx2\nbugs\t: none\n"
    (tmp_path / "cpuinfo").write_text(lines)
    assert cpu_flags(tmp_path / "cpuinfo") == {"GenuineIntel", "fpu", "amx_bf16", "avx2"}
    assert cpu_flags(tmp_path / "nothing") == set()


def test_free_memory_is_less_than_all_memory():
    total = Path("/proc/meminfo").read_text().split()[1]
    assert 2**20 < free_memory() < 1024 * int(total)


@pytest.mark.parametrize(
    ("devices", "num"),
    [(1, 1), (4, 4), ("2", 2), ([0, 3], 2), ("0,3", 2), ("0,", 1), (-1, None), ("-1", None),
     ("auto", None)],
)  # fmt: skip
def test_the_devices_that_a_word_names_are_counted(devices, num):
    assert progress.devices_named(devices) == num


@pytest.mark.parametrize(("asked", "num"), [("3", 3), ("4,2", 4), (" 5", 5), ("x", 7), ("", 7)])
def test_the_first_number_of_threads_counts(monkeypatch, asked, num):
    monkeypatch.setattr(progress, "cores", lambda: 7)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert progress.threads() == num


def test_a_worker_that_was_killed_is_one_line():
    killed = pytest.raises(InputError, match="was killed, perhaps because the memory is full")
    with killed, worker_pool(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()
