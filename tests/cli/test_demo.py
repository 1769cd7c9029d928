from dataclasses import replace

import pytest

from mclas_lightning.cli import demo as module
from mclas_lightning.cli.demo import demo
from mclas_lightning.corpora.toy.editions import BRIEF, EDITIONS
from mclas_lightning.progress import Share

FEW = {"train": 530, "valid": 7, "test": 5, "mono_train": 90, "mono_valid": 7, "mono_test": 5}
WORDS = [
    *("optim.updates={minimum: 4, medium: 4, full: 4}", "optim.validations=2", "decoding.beam=2"),
    *("network.encoder.width=16", "network.encoder.heads=2", "network.decoder.heads=2"),
]
RUNS = [
    f"runs/demo/{place}/{model}/seed=0"
    for place in ("brief_en2de/minimum", "brief_en2de/medium", "brief_en2zh/minimum")
    for model in ("ncls", "ncls_ms", "mclas")
]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """An empty folder to work in, and a corpus of seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(EDITIONS, "brief", replace(BRIEF, sizes=FEW))


def check_what_came_out(shown: str) -> None:
    for place in ("brief_en2de, minimum", "brief_en2de, medium", "brief_en2zh, minimum"):
        assert place in shown
    for run in RUNS:
        assert run in shown
    for system in ("NCLS", "NCLS+MS", "MCLAS", "Reference"):
        assert shown.count(f" {system} ") >= 3
    assert shown.count("Document brief-") == 6
    assert "minimum: 200 parallel summaries, medium: 500 parallel summaries\n" in shown
    assert shown.count("MCLAS against NCLS: ") == 2
    assert "over these 6 differences.\nEach system was trained once: " in shown
    assert "mclas table --dataset brief_en2de brief_en2zh --runs runs/demo" in shown


@pytest.mark.slow
def test_the_demo_goes_from_nothing_to_tables_in_german_and_chinese(small, capsys, monkeypatch):
    monkeypatch.setattr(module, "share_of", lambda runs: Share(1, 1))
    demo("brief", WORDS)
    shown = capsys.readouterr().out
    for number in range(1, 11):
        assert f"[{number}/10] mclas-train" in shown
    assert "minutes of training on this machine" in shown
    check_what_came_out(shown)

    demo("brief", WORDS)
    again = capsys.readouterr().out
    assert again.count("finished before") == 10
    assert "minutes of training" not in again
    check_what_came_out(again)


@pytest.mark.slow
def test_the_demo_trains_several_small_networks_at_a_time(small, capsys, monkeypatch):
    monkeypatch.setattr(module, "share_of", lambda runs: Share(2, 1))
    demo("brief", WORDS)
    shown = capsys.readouterr().out
    assert "[1/10] mclas-train" in shown
    assert "[2/10]" not in shown
    assert "9 runs, 2 runs at a time, 1 thread each:" in shown
    check_what_came_out(shown)


@pytest.mark.parametrize(("word", "num"), [("dataset.target=zh", 2), ("scenario=medium", 2)])
def test_a_word_for_all_comparisons_leaves_none_twice(small, monkeypatch, word, num):
    planned = []
    monkeypatch.setattr(module, "_plan", lambda comparisons, words: planned.extend(comparisons))
    with pytest.raises(TypeError):  # Nothing is planned.
        demo("brief", [*WORDS, word])
    assert len(planned) == num
