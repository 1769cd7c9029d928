import errno
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace

import pytest
from filelock import FileLock

from mclas_lightning.corpora.manifest import read_manifest
from mclas_lightning.corpora.roundtrip import translations
from mclas_lightning.corpora.roundtrip.build import RoundTrip, build_roundtrip, describe_roundtrip
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, read_jsonl, write_jsonl
from mclas_lightning.metrics.rouge import standard_profile
from tests.conftest import read_lines


@dataclass(frozen=True)
class Table:
    """Translates word by word; some words come out wrong. Its batches are remembered."""

    identity: str
    loses: int  # every word whose number this divides is lost
    batches: list[list[str]] = field(default_factory=list)

    def translate(self, texts):
        self.batches.append(list(texts))
        return [" ".join(map(self._word, text.split())) for text in texts]

    def _word(self, word):
        number = int(word[1:])
        return f"x{number}" if number % self.loses == 0 else f"w{number}"


def pairs(num, seed=0):
    rng = random.Random(seed)
    return [
        Example(
            id=f"p{i}", document=f"document {i}",
            mono=" ".join(f"W{rng.randrange(60)}" for _ in range(rng.randint(1, 12))),
        )
        for i in range(num)
    ]  # fmt: skip


def job(**changes):
    made = RoundTrip(
        source="en", target="de", forward=Table("there", 5), backward=Table("back", 7),
        batch=4, rouge1=0.6, rouge2=0.2,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder of two splits, of more than one window."""
    monkeypatch.setattr(translations, "WINDOW", 16)
    write_jsonl(tmp_path / "pairs" / "train.jsonl", pairs(53))
    write_jsonl(tmp_path / "pairs" / "test.jsonl", pairs(9, seed=1))
    return tmp_path / "pairs"


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_pairs_are_kept_by_both_scores_of_the_round_trip(corpus, tmp_path):
    out = tmp_path / "out"
    manifest = build_roundtrip(corpus, out, job())
    for split, examples in (("train", pairs(53)), ("test", pairs(9, seed=1))):
        expected, dropped = [], []
        for example in examples:
            cross = Table("", 5).translate([example.mono])[0]
            back = Table("", 7).translate([cross])[0]
            found = standard_profile("en").scores([back.lower()], [(example.mono or "").lower()])
            scores = {name: column.item() for name, column in found.items()}
            keep = scores["rouge1_f"] >= 0.6 and scores["rouge2_f"] >= 0.2
            (expected if keep else dropped).append((replace(example, cross=cross), back, scores))
        assert list(read_jsonl(out / f"{split}.jsonl")) == [example for example, _, _ in expected]
        assert 0 < len(expected) < len(examples)
        for name, rows in (("kept", expected), ("dropped", dropped)):
            found = read_lines(out / f"{split}.{name}.jsonl")
            assert [r["id"] for r in found] == [example.id for example, _, _ in rows]
            for record, (example, back, scores) in zip(found, rows, strict=True):
                assert (record["mono"], record["cross"]) == (example.mono, example.cross)
                assert record["back"] == back
                assert record["rouge1_f"] == pytest.approx(scores["rouge1_f"], abs=1e-8)
                assert record["rouge2_f"] == pytest.approx(scores["rouge2_f"], abs=1e-8)
        assert manifest["counts"][split]["kept"] == len(expected)
    assert (out / "scores.png").exists()
    assert read_manifest(out).languages == {"source": "en", "target": "de"}
    assert read_manifest(out).files["train.jsonl"]["records"] == manifest["counts"]["train"]["kept"]
    assert "pairs kept" in "\n".join(describe_roundtrip(out, manifest))


def test_batches_are_sorted_by_length_and_change_nothing(corpus, tmp_path):
    one, many = job(batch=1), job(batch=7)
    build_roundtrip(corpus, tmp_path / "one", one)
    build_roundtrip(corpus, tmp_path / "many", many)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "many")
    assert isinstance(many.forward, Table)
    batches = [batch for batch in many.forward.batches if len(batch) == 7]
    assert batches
    assert all(batch == sorted(batch, key=len) for batch in batches)


def test_other_thresholds_need_no_new_translations(corpus, tmp_path):
    out = tmp_path / "out"
    first = build_roundtrip(corpus, out, job())
    again = job(rouge1=0.1, rouge2=0.0)
    second = build_roundtrip(corpus, out, again)
    assert isinstance(again.forward, Table)
    assert again.forward.batches == []
    assert second["counts"]["train"]["kept"] > first["counts"]["train"]["kept"]
    assert build_roundtrip(corpus, out, job()) == first


def test_another_jobs_translations_are_not_taken_over(corpus, tmp_path):
    out = tmp_path / "out"
    build_roundtrip(corpus, out, job())
    before = files_of(out)
    with pytest.raises(InputError, match=r"translations of another job .forward was there, is new"):
        build_roundtrip(corpus, out, job(forward=Table("new", 5)))
    write_jsonl(corpus / "test.jsonl", pairs(10))
    with pytest.raises(InputError, match=r"translations of another job .inputs was"):
        build_roundtrip(corpus, out, job())
    assert files_of(out) == before


def test_a_torn_line_is_done_again(corpus, tmp_path):
    build_roundtrip(corpus, tmp_path / "whole", job())
    out = tmp_path / "out"
    build_roundtrip(corpus, out, job())
    work = tmp_path / "out.translations" / "train.scored.jsonl"
    lines = work.read_bytes().splitlines(keepends=True)
    work.write_bytes(b"".join(lines[:21]) + lines[21][: len(lines[21]) // 2])
    again = job()
    build_roundtrip(corpus, out, again)
    assert files_of(out) == files_of(tmp_path / "whole")
    assert isinstance(again.forward, Table)
    assert sum(map(len, again.forward.batches)) == 53 - 21
    rows = [json.loads(line)["row"] for line in work.read_text().splitlines()]
    assert sorted(rows) == list(range(53))


def test_translations_of_other_pairs_are_not_taken(corpus, tmp_path):
    out = tmp_path / "out"
    build_roundtrip(corpus, out, job())
    work, before = tmp_path / "out.translations" / "train.scored.jsonl", files_of(out)
    work.write_text(work.read_text().replace('"id": "p3"', '"id": "p4"'))
    with pytest.raises(InputError, match=r"is damaged: it has not the pairs of .*train.jsonl"):
        build_roundtrip(corpus, out, job())
    assert files_of(out) == before


SLOW = """
import sys, time
from pathlib import Path
from mclas_lightning.corpora.roundtrip import build, translations
from tests.corpora.roundtrip.test_build import Table, job

class Slow(Table):
    def translate(self, texts):
        time.sleep(0.05)
        return super().translate(texts)

translations.WINDOW = 16
build.build_roundtrip(Path(sys.argv[1]), Path(sys.argv[2]), job(forward=Slow("there", 5)))
"""


@pytest.mark.slow
def test_a_killed_job_goes_on_without_loss_or_repetition(corpus, tmp_path):
    build_roundtrip(corpus, tmp_path / "whole", job())
    out, work = tmp_path / "out", tmp_path / "out.translations" / "train.scored.jsonl"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(corpus), str(out)])
    until = time.monotonic() + 60
    while not (work.exists() and work.read_bytes().count(b"\n") >= 20):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = work.read_bytes().count(b"\n")
    assert 20 <= done < 53
    again = job()
    build_roundtrip(corpus, out, again)
    assert files_of(out) == files_of(tmp_path / "whole")
    assert isinstance(again.forward, Table)
    assert sum(map(len, again.forward.batches)) == 53 + 9 - done
    rows = [json.loads(line)["row"] for line in work.read_text().splitlines()]
    assert sorted(rows) == list(range(53))


@dataclass(frozen=True)
class Says:
    """Translates by a table, and writes what is not in it as it stands."""

    table: dict[str, str]
    identity: str = "says"

    def translate(self, texts):
        return [self.table.get(text, text) for text in texts]


def test_a_pair_at_the_threshold_is_kept(tmp_path):
    """F = 2 m / (a + b): 18 / 30 is 3/5 and 2 / 10 is 1/5, whatever floating point makes of it."""
    long = " ".join(f"a{i}" for i in range(17))
    far = " ".join([f"a{i}" for i in range(9)] + [f"b{i}" for i in range(4)])
    short = " ".join(f"a{i}" for i in range(10))
    write_jsonl(
        tmp_path / "pairs.jsonl",
        [Example(id=f"{i}", document="d", mono=mono) for i, mono in enumerate((long, short))],
    )
    heard = Says({long: far, short: "a0 a1"})
    for name, thresholds, kept in (
        ("one", {"rouge1": 0.6, "rouge2": 0.0}, ["0"]),
        ("two", {"rouge1": 0.0, "rouge2": 0.2}, ["0", "1"]),
    ):
        scored = job(forward=Says({}), backward=heard, **thresholds)
        build_roundtrip(tmp_path / "pairs.jsonl", tmp_path / name, scored)
        assert [e.id for e in read_jsonl(tmp_path / name / "train.jsonl")] == kept


def test_a_translator_that_is_silent_is_never_kept(tmp_path):
    write_jsonl(tmp_path / "pairs.jsonl", [Example(id="a", document="d", mono="one two")])
    silent = job(forward=Says({"one two": ""}), backward=Says({}), rouge1=0, rouge2=0)
    manifest = build_roundtrip(tmp_path / "pairs.jsonl", tmp_path / "out", silent)
    assert manifest["counts"]["train"]["kept"] == 0


def test_nothing_is_translated_before_every_line_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(translations, "WINDOW", 16)
    for last, said in (
        (Example(id="x", document="only that"), "field 'mono' is empty"),
        (Example(id="p0", document="d", mono="w1"), "id 'p0' was used before"),
    ):
        write_jsonl(tmp_path / "pairs.jsonl", [*pairs(40), last])
        started = job()
        with pytest.raises(InputError, match=rf"pairs\.jsonl:41: {said}"):
            build_roundtrip(tmp_path / "pairs.jsonl", tmp_path / "out", started)
        assert isinstance(started.forward, Table)
        assert started.forward.batches == []
        assert not (tmp_path / "out.translations").exists()


def test_two_jobs_do_not_write_the_same_translations(corpus, tmp_path):
    work = tmp_path / "out.translations"
    work.mkdir()
    with (
        FileLock(work / "lock"),
        pytest.raises(InputError, match="another process is at work here"),
    ):
        build_roundtrip(corpus, tmp_path / "out", job())
    assert build_roundtrip(corpus, tmp_path / "out", job())["counts"]["train"]["kept"]


def test_a_full_disk_keeps_what_is_translated(corpus, tmp_path, monkeypatch):
    build_roundtrip(corpus, tmp_path / "whole", job())
    synced, fsync = [], os.fsync

    def full(file):
        if len(synced) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        synced.append(fsync(file))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.; all before it is kept"):
        build_roundtrip(corpus, tmp_path / "out", job())
    monkeypatch.undo()
    monkeypatch.setattr(translations, "WINDOW", 16)
    again = job()
    build_roundtrip(corpus, tmp_path / "out", again)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
    assert isinstance(again.forward, Table)
    assert sum(map(len, again.forward.batches)) <= 53 + 9 - 3 * 4


def test_a_finished_job_says_so_and_how_the_scores_lie(corpus, tmp_path, capsys):
    first = build_roundtrip(corpus, tmp_path / "out", job())
    assert "are translated" not in capsys.readouterr().out
    assert build_roundtrip(corpus, tmp_path / "out", job()) == first
    assert "all 62 summaries are translated" in capsys.readouterr().out
    rows = [
        row[key]
        for key in ("rouge1_f",)
        for path in (tmp_path / "out").glob("*.*.jsonl")
        for row in read_lines(path)
    ]
    assert len(rows) == 62
    assert first["quartiles"]["rouge1_f"][1] == pytest.approx(statistics.median(rows), abs=1e-4)
    assert set(first["inputs"]) == {"train", "test"}
    assert any("quartiles" in line for line in describe_roundtrip(tmp_path / "out", first))


def test_the_pairs_are_not_overwritten(corpus, tmp_path):
    build_roundtrip(corpus, tmp_path / "out", job())
    shutil.rmtree(tmp_path / "out.translations")
    before = files_of(tmp_path / "out")
    with pytest.raises(InputError, match="holds the pairs themselves"):
        build_roundtrip(tmp_path / "out", tmp_path / "out", job(forward=Table("new", 3)))
    assert files_of(tmp_path / "out") == before


def test_bad_input_is_named(corpus, tmp_path):
    with pytest.raises(InputError, match=r"--rouge1: expected from 0 to 1, found 1\.5"):
        job(rouge1=1.5)
    with pytest.raises(InputError, match="--target 'deu' is not supported"):
        job(target="deu")
    with pytest.raises(InputError, match="expected two languages, found 'en' twice"):
        job(target="en")
    with pytest.raises(InputError, match="expected a jsonl file, or a folder with train"):
        build_roundtrip(tmp_path, tmp_path / "out", job())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="something other than a corpus of kind 'roundtrip'"):
        build_roundtrip(corpus, tmp_path / "mine", job())
    write_jsonl(tmp_path / "one.jsonl", [*pairs(3), Example(id="x", document="only that")])
    with pytest.raises(InputError, match=r"one\.jsonl:4: field 'mono' is empty"):
        build_roundtrip(tmp_path / "one.jsonl", tmp_path / "out", job())
    assert not (tmp_path / "out").exists()
