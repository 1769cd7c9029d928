from dataclasses import replace

import numpy as np
import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.documents import write_document_scores
from mclas_lightning.runs.results import Results

IDS = [f"document-{i}" for i in range(17)]
F1 = np.linspace(0, 0.8, 17)  # its mean is 0.4, as the made-up results have it


@pytest.fixture
def write(tmp_path, made_up):
    """Write results and what documents scored; read the results again."""

    def write(ids=IDS, **columns: np.ndarray) -> Results:
        made_up("ncls").write(tmp_path / "results.json")
        write_document_scores(tmp_path / "scores.npz", ids, {"cross": columns})
        return Results.read(tmp_path / "results.json")

    return write


def test_documents_survive_writing_and_reading(write):
    found = write(rouge1_f=F1, rouge2_f=np.full(17, 0.2)).documents()
    assert found["ids"].tolist() == IDS
    assert found["cross/rouge1_f"].tolist() == F1.tolist()
    assert set(found) == {"ids", "cross/rouge1_f", "cross/rouge2_f"}


def test_of_the_names_asked_for_those_come_that_are_there(write):
    results = write(rouge1_f=F1, rouge2_f=np.full(17, 0.2))
    assert set(results.documents(["cross/rouge1_f", "mono/rouge1_f"])) == {"ids", "cross/rouge1_f"}


def test_without_a_file_there_are_none(tmp_path, made_up):
    assert made_up("ncls").documents() == {}
    assert replace(made_up("ncls"), folder=tmp_path).documents() == {}


@pytest.mark.parametrize(
    ("ids", "columns", "message"),
    [
        (IDS, {"rouge1_f": F1[1:]}, "expected a value for each of the 17 documents"),
        (IDS[1:], {"rouge1_f": F1[1:]}, "found 16 values for 16 ids"),
        (IDS, {"rouge1_f": F1 + 0.1}, "its mean is 0.5, that in results.json is 0.4"),
        (IDS, {"rouge1_f": F1 * np.nan}, "expected finite float64 numbers"),
        (IDS, {"rouge3_f": F1}, "'cross/rouge3_f' is no score of the results.json beside it"),
    ],
)
def test_what_does_not_fit_is_refused(write, tmp_path, ids, columns, message):
    with pytest.raises(InputError) as caught:
        write(ids, **columns).documents()
    assert str(caught.value).startswith(f"{tmp_path}/scores.npz: 'cross/rouge")
    assert message in str(caught.value)
    assert str(caught.value).endswith("score the run again with mclas-evaluate")


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"PK" + bytes(99)])
def test_a_damaged_file_is_refused(write, tmp_path, content):
    results = write(rouge1_f=F1)
    (tmp_path / "scores.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"scores\.npz: cannot be read"):
        results.documents()


def test_a_file_without_ids_is_refused(write, tmp_path):
    results = write(rouge1_f=F1)
    np.savez(tmp_path / "scores.npz", rouge1_f=F1)
    with pytest.raises(InputError, match=r"scores\.npz: lacks 'ids'"):
        results.documents()
