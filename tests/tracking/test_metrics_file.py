import csv

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.tracking.metrics_file import MetricsFile


def test_rows_are_those_of_updates_and_what_is_done_again_replaces_them(tmp_path):
    path = tmp_path / "metrics.csv"
    first = MetricsFile(path)
    for step in range(5):
        first.log_metrics({"train/loss": 1 / (step + 1)}, step)
    first.log_metrics({"val/loss": 0.5}, 4)
    first.save()

    resumed = MetricsFile(path)
    assert resumed.rows == first.rows
    resumed.resume(3)
    resumed.log_metrics({"train/loss": 7.0}, 3)
    resumed.finalize("success")
    with path.open(newline="") as file:
        rows = [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(file)
        ]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert [row["train/loss"] for row in rows] == pytest.approx([1, 1 / 2, 1 / 3, 7])
    assert not any("val/loss" in row for row in rows)


@pytest.mark.parametrize("text", ["step;a\n1;2\n", "step,a\n1,2,3\n", "step,a\nx,1\n", "a\n1\n"])
def test_a_file_that_a_spreadsheet_saved_is_read_or_named(tmp_path, text):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"metrics\.csv: not readable as a training has written"):
        MetricsFile(path)
    path.write_text("\ufeffstep,a\r\n1,2\r\n")
    assert MetricsFile(path).rows == {1: {"a": 2.0}}
