import subprocess
import sys

import pytest

from mclas_lightning.data.encoding import ranges
from mclas_lightning.example import write_jsonl
from tests.conftest import examples


@pytest.fixture
def path(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", examples(61))
    return tmp_path / "train.jsonl"


@pytest.mark.parametrize("size", [10**6, 700, 1])
def test_ranges_are_whole_lines_and_all_of_them(path, size):
    cut = ranges(path, size)
    content = path.read_bytes()
    assert b"".join(content[lines.start : lines.stop] for lines in cut) == content
    assert all(content[lines.start : lines.stop].endswith(b"\n") for lines in cut)
    assert len(cut) == (1 if size == 10**6 else 61 if size == 1 else len(cut)) > 0


def test_encoding_a_range_loads_no_torch():
    code = (
        "import sys, mclas_lightning.data.encoding\n"
        "print({'torch', 'transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
