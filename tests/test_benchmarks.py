"""Programs in benchmarks/ that a user starts on a machine that the tests do not have."""

import json
import subprocess
import sys

import pytest

PARTS = {
    *("bf16 matmul", "training", "training, torch's layers"),
    *("search", "search, captured", "search, transformers"),
}


@pytest.mark.slow
def test_the_gpu_check_goes_its_whole_way_on_a_cpu_and_draws_a_table(tmp_path):
    line = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--size", "tiny"]
    more = ["--repeats", "1", "--processes", "2", "--out", str(tmp_path / "gpu.json")]
    done = subprocess.run([*line, *more], capture_output=True, text=True, check=True)
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert set(found) == {"machine", "tests", *PARTS, "ddp", "fsdp"}
    assert found["tests"]["exit_code"] == 0
    assert [name for name, part in found.items() if {"failed", "left out"} & part.keys()] == []
    assert found["ddp"]["processes"] == found["fsdp"]["processes"] == 2
    for name in ("search", "search, captured"):
        assert found[name]["host_waits_a_step"] <= 1  # A CPU's search reads a number a step.
    assert all(found[name]["of_matmul_rate"] > 0 for name in PARTS - {"bf16 matmul"})
    rows = done.stdout.splitlines()
    assert len({row.count("|") for row in rows}) == 1
    assert {row.split(" | ")[0].strip("| ") for row in rows[2:]} == {*PARTS, "ddp", "fsdp"} - {
        "bf16 matmul"
    }


def test_the_gpu_check_says_that_there_is_no_gpu():
    code = (
        "import sys, torch; torch.cuda.is_available = lambda: False; sys.argv = ['gpu'];"
        "from benchmarks.gpu import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no GPU here; --device cpu --size tiny" in done.stderr
