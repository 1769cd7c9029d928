import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from mclas_lightning.model.malloc import give_freed_memory_back, keep_freed_memory

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

keep_freed_memory()
blocks = [b"1" * 2**20 for _ in range(128)]
full = held()
last = blocks.pop()  # It stays, above all others.
del blocks
print(full - held())
give_freed_memory_back()
print(full - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
def test_freed_memory_is_kept_until_it_is_given_back():
    line = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    kept, given = (float(word) for word in done.stdout.split())
    assert kept < 1
    assert given == pytest.approx(127, abs=3)
