from dataclasses import replace

import pytest

from mclas_lightning.cli import demo as module
from mclas_lightning.cli.demo import demo
from mclas_lightning.corpora.toy.editions import BRIEF, EDITIONS
from mclas_lightning.errors import InputError
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


@pytest.fixture
def planned(small, monkeypatch):
    """The runs that the demo would train."""
    found = []
    for name in ("_build_if_missing", "_print_estimate", "_show"):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(module, "_train", found.extend)
    monkeypatch.setattr(module, "_results", lambda settings: [])
    return found


@pytest.mark.parametrize(
    "word",
    ["scenario=medium", "++scenario=full", "dataset.target=zh", "dataset.name=x", "model=ms"],
)
def test_a_word_for_the_compared_runs_leaves_the_pretraining_as_it_is(planned, word):
    demo("brief", ["dataset.target=de", "scenario=minimum", word])
    ms, *others = planned
    assert (str(ms.folder), ms.scenario) == ("runs/demo/brief_en/full/ms/seed=0", "full")
    assert ms.config["dataset"]["target"] is None
    assert [run.model for run in others] == ["ncls", "ncls_ms", "mclas"]
    assert {run.needs for run in others} == {(ms.folder,)}
    if word.lstrip("+").startswith("scenario"):
        assert {run.scenario for run in others} == {word.partition("=")[2]}


def test_a_word_for_any_run_holds_for_the_pretraining(planned):
    demo("debian_en2de", ["seed=3", "decoding.beam=2"])
    assert {(run.seed, run.config["decoding"]["beam"]) for run in planned} == {(3, 2)}
    assert "optim=small_quick_pretrain" in planned[0].words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.name=x"], "two different runs would share this folder"),
        (["dataset.name=x"], "two different runs would share this folder"),
        (["dataset.pretraining=[]"], r"brief: expected words of the MS pretraining"),
    ],
)
def test_a_word_with_which_no_comparison_can_be_made_is_refused(planned, words, said):
    with pytest.raises(InputError, match=said):
        demo("brief", words)
    assert planned == []
