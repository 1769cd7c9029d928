import zipfile

import numpy as np
import pytest

from mclas_lightning.runs import arrays
from mclas_lightning.runs.arrays import read_arrays


def test_the_asked_arrays_are_read_where_they_are_there(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(5), b=np.array(["x"]))
    assert read_arrays(tmp_path / "a.npz").keys() == {"a", "b"}
    found = read_arrays(tmp_path / "a.npz", ["a", "c"])
    assert found.keys() == {"a"}
    assert found["a"].tolist() == [0, 1, 2, 3, 4]


def test_a_small_file_of_large_arrays_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "LARGEST", 1_000_000)
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(1_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 20_000
    with pytest.raises(ValueError, match="holds 8,000,128 bytes of arrays, expected up to 1,000,0"):
        read_arrays(tmp_path / "bomb.npz")


def test_damage_of_any_kind_is_one_kind_of_error(tmp_path):
    path = tmp_path / "a.npz"
    for content in (b"", b"PK", b"no zip"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="BadZipFile"):
            read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8'}")
    with pytest.raises(ValueError, match=r"."):
        read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(ValueError, match="'a' is no array"):
        read_arrays(path)
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_arrays(path)
