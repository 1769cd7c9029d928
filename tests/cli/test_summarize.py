"""``mclas summarize``."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from mclas_lightning import Summarizer
from mclas_lightning.cli import main as cli
from tests.conftest import examples

STORIES = examples(7, 100)


@pytest.fixture
def summarize(finished_run, monkeypatch, capsys):
    """The command in this process: what it prints; of a mistake its line."""

    def call(*words: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["mclas", "summarize", str(finished_run), *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        assert code in (0, 2)
        assert code == 0 or err.count("\n") == 1
        return SimpleNamespace(out=out, err=err, code=code)

    return call


@pytest.fixture(scope="module")
def expected(finished_run):
    return Summarizer.load(finished_run, device="cpu")([story.document for story in STORIES])


def jsonl(stories) -> bytes:
    lines = [json.dumps({"id": s.id, "document": s.document}) for s in stories]
    return "\n".join(lines).encode()


def test_a_text_on_standard_input_gets_a_line_a_summary(summarize, expected):
    done = summarize(stdin=STORIES[0].document.encode())
    assert done.out == f"en\t{expected[0].mono}\nde\t{expected[0].cross}\n\n"
    one = summarize("--side", "cross", stdin=STORIES[0].document.encode())
    assert one.out == f"{expected[0].cross}\n"


def test_jsonl_in_files_and_on_standard_input_keeps_ids_and_order(summarize, expected, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(jsonl(STORIES[:3]))
    (tmp_path / "b.txt").write_text(STORIES[3].document)
    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.txt"), "-"]
    done = summarize(*files, "--format", "jsonl", stdin=b"\xef\xbb\xbf" + jsonl(STORIES[4:]))
    records = [json.loads(line) for line in done.out.splitlines()]
    names = [story.id for story in STORIES]
    names[3] = str(tmp_path / "b.txt")
    assert [record["id"] for record in records] == names
    assert [record["cross"] for record in records] == [summary.cross for summary in expected]
    whole = summarize(*files, "--format", "json", stdin=jsonl(STORIES[4:]))
    approximate = [{**record, "score": pytest.approx(record["score"])} for record in records]
    assert json.loads(whole.out) == approximate
    (tmp_path / "none.jsonl").touch()
    assert json.loads(summarize(str(tmp_path / "none.jsonl"), "--format", "json").out) == []


@pytest.mark.parametrize("begins", ["{Reuters} ", "[Update] ", "\n\n"])
def test_a_file_is_one_document_unless_it_is_jsonl(summarize, monkeypatch, tmp_path, begins):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decoding.txt").write_text(begins + STORIES[0].document)
    done = summarize("decoding.txt", "decoding.beam=1", "--format", "jsonl")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["decoding.txt"]
    (tmp_path / "decoding.txt").write_bytes(jsonl(STORIES[:2]))
    done = summarize("decoding.txt", "--format", "jsonl")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == [s.id for s in STORIES[:2]]


def test_words_change_the_decoding_and_n_best_has_scores(summarize):
    text = STORIES[0].document.encode()
    done = summarize("decoding.beam=3", "decoding.max_length=4", "--n-best", "3", stdin=text)
    rows = [line.split("\t") for line in done.out.split("\n")[:-2]]
    assert [language for _, language, _ in rows] == ["en", "de"] * 3
    scores = [float(score) for score, _, _ in rows]
    assert scores == sorted(scores, reverse=True)


def test_notes_go_to_stderr_and_into_records(summarize):
    done = summarize("--format", "jsonl", stdin=b"A storm hit the city. " * 400)
    (note,) = json.loads(done.out)["notes"]
    assert done.err == f"note: standard input {note}\n"


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        ([], b" \n", "standard input: this document is empty"),
        ([], b"\x00\x01\x02", "standard input: is no text in UTF-8"),
        ([], "Müller".encode("latin-1"), "standard input: is no text in UTF-8"),
        ([], b'{"text": "b"}', 'standard input:1: expected {"id"'),
        ([], b'\n \n{"document": "b"}', "standard input:1: this line is empty"),
        ([], b'\xef\xbb\xbf\n{"document": "b"}', "standard input:1: this line is empty"),
        ([], b'[{"document": "b"}]', "standard input:1: a JSON array"),
        ([], b'["b", "c"]', "standard input:1: a JSON array"),
        ([], b'{\n "document": "b"\n}', "standard input:1: not a line of JSON"),
        ([], b'{"document": 3}', "standard input:1: field 'document' must be a string, found int"),
        ([], b'{"document": "\\ud800"}', "standard input:1: field 'document' holds half"),
        (["optim.updates=3"], b"", "optim.updates=3: neither a file nor a word for decoding"),
        (["-", "decodin=short"], b"a storm", "decodin=short: neither a file nor a word for"),
        (["decoding.txt"], b"", "decoding.txt: cannot be read (No such file"),
        (["nowhere.txt"], b"", "nowhere.txt: cannot be read (No such file"),
        (["decoding.beams=3"], b"a storm", "decoding.beams"),
        (["decoding.beam=${decoding.beam}"], b"a storm", "decoding.beam: Recursive"),
        (["decoding.beam=0"], b"a storm", "decoding.beam: expected from 1 to 1000"),
    ],
)
def test_what_cannot_be_summarized_is_one_line(summarize, words, stdin, said):
    done = summarize(*words, stdin=stdin)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize("line", [b'{"document": " "}', b'{"text": "b"}', b"{"])
def test_summaries_before_a_line_that_is_no_document_are_written(summarize, expected, line):
    done = summarize("--side", "cross", stdin=jsonl(STORIES[:6]) + b"\n" + line)
    assert done.code == 2
    assert done.err.startswith("error: standard input:7: ")
    assert done.out.splitlines() == [summary.cross for summary in expected[:6]]
    done = summarize("--format", "json", stdin=jsonl(STORIES[:6]) + b"\n" + line)
    assert [one["cross"] for one in json.loads(done.out)] == [one.cross for one in expected[:6]]


def test_a_side_that_the_run_does_not_write_is_refused(finished_run, summarize, monkeypatch):
    monkeypatch.setattr(
        Summarizer, "load", lambda *_, **__: SimpleNamespace(sides=("mono",), decoding=None)
    )
    done = summarize("--side", "cross", stdin=b"a storm")
    assert f"--side cross: {finished_run} writes mono alone" in done.err
