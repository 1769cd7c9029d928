"""``mclas import-outputs``."""

import pytest

from mclas_lightning.cli.main import parsed
from mclas_lightning.errors import InputError
from mclas_lightning.example import write_jsonl
from mclas_lightning.runs.results import find_results
from tests.conftest import examples


@pytest.fixture
def call(words, tmp_path):
    """The command in this process, on the small corpus; words after its options."""
    own = [word for word in words if not word.startswith("dataset=")]

    def call(*more: str) -> None:
        arguments = parsed(["import-outputs", *more, "--dataset", "toy", *own])
        arguments.run(arguments)

    return call


def test_either_side_or_both_become_a_row(call, tmp_path, capsys):
    for side in ("mono", "cross"):
        texts = [example.summary(side) or "" for example in examples(7, 51)]
        (tmp_path / side).write_text("\n".join(texts))
    cross, mono = str(tmp_path / "cross"), str(tmp_path / "mono")
    call(cross, "--model", "one")
    call("--mono", mono, "--model", "two")
    call(cross, "--mono", mono, "--model", "a, b")
    found = {run.model: set(run.scores) for run in find_results(tmp_path / "runs")}
    assert found == {"one": {"cross"}, "two": {"mono"}, "a, b": {"cross", "mono"}}
    assert "cross summaries (de) of 7 documents: ROUGE-1 100.00" in capsys.readouterr().out


def test_outputs_that_look_collapsed_are_suspect(call, corpus, tmp_path, capsys):
    write_jsonl(corpus / "en2de" / "test.jsonl", examples(23, 51))
    (tmp_path / "cross").write_text("Sturm\n" * 23)
    call(str(tmp_path / "cross"), "--model", "one")
    assert "suspect, cross: 4% of the summaries are different texts" in capsys.readouterr().out


def test_files_that_are_not_one_are_refused(call):
    for files in ((), ("a.txt", "b.txt")):
        with pytest.raises(InputError, match="expected one FILE"):
            call(*files, "--model", "x")
    with pytest.raises(InputError, match=r"a\.txt: cannot be read"):
        call("a.txt", "--model", "x")
