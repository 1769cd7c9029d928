import shlex
from itertools import product
from pathlib import Path

import pytest

from benchmarks.runs import write_run
from mclas_lightning.app import compose
from mclas_lightning.files import write_json
from mclas_lightning.report.gaps import Gap, commands, products
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.runs import Runs
from mclas_lightning.settings import read_settings

LOW = ("minimum", "medium", "maximum")
ALL = [Gap(s.scenario, s.model, None, 4) for s in LAYOUTS[2].systems]


def runs_of(line: str) -> set[tuple[str, str, str]]:
    """Dataset, scenario and model of every run that a command starts, as Hydra composes it."""
    _, *words = [word for word in shlex.split(line) if word != "-m"]
    choices = [word.partition("=")[2].split(",") for word in words]
    keys = [word.partition("=")[0] for word in words]
    found = set()
    for chosen in product(*choices):
        pairs = [f"{key}={value}" for key, value in zip(keys, chosen, strict=True)]
        settings = read_settings(compose("train", pairs))[0]
        found.add((settings.dataset.name, settings.scenario, settings.system.name))
    return found


def trained(runs: Path, dataset: str, model: str) -> None:
    write_json(runs / dataset / "full" / model / "seed=0" / "training.json", {})


def test_the_papers_table_is_four_lines_with_pretraining_first():
    assert commands("en2desum", ALL, Runs(Path("runs"))) == [
        "mclas-train dataset=en2desum model=ms",
        "mclas-train -m dataset=en2desum scenario=minimum,medium,maximum "
        "model=ncls,ncls_ms,mclas init_from=runs/en2desum/full/ms",
        "mclas-train -m dataset=en2desum model=ncls,ncls_ms,mclas",
        "mclas-train dataset=en2desum model=tltran init_from=runs/en2desum/full/ms",
    ]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """The runs of whoever runs the tests are none of theirs."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "dataset", ["zh2ensum", "en2desum", "en2zhsum", "toy_en2de", "toy_zh2en", "debian_en2de"]
)
def test_the_lines_start_exactly_what_is_missing(dataset):
    lines = commands(dataset, ALL, Runs(Path("runs")))
    started = set().union(*map(runs_of, lines))
    wanted = {(dataset, gap.scenario, gap.model) for gap in ALL}
    assert wanted <= started
    assert {model for _, _, model in started - wanted} <= {"ms", "mt"}
    assert "model=ms" in lines[0]


def test_what_is_pretrained_is_not_pretrained_again(tmp_path):
    trained(tmp_path, "toy_en", "ms")
    lines = commands("toy_en2zh", [Gap("minimum", "mclas", None, 4)], Runs(tmp_path))
    assert lines == [
        f"mclas-train dataset=toy dataset.target=zh scenario=minimum model=mclas "
        f"init_from={tmp_path}/toy_en/full/ms runs={tmp_path}"
    ]


def test_models_from_scratch_and_the_full_scenario_need_no_pretraining():
    gaps = [Gap("minimum", "mclas_scratch", None, 3), Gap("full", "ncls", None, 3)]
    lines = commands("en2desum", gaps, Runs(Path("runs")))
    assert not any("init_from" in line or "model=ms" in line for line in lines)


def test_a_translator_is_trained_where_wmt19_has_none_and_only_once(tmp_path):
    gaps = [Gap("full", "tltran", None, 3)]
    assert any(line.endswith("model=mt") for line in commands("zh2ensum", gaps, Runs(Path("runs"))))
    trained(tmp_path, "zh2ensum", "mt")
    trained(tmp_path, "zh2ensum", "ms")
    (line,) = commands("zh2ensum", gaps, Runs(tmp_path))
    assert f"model.translator={tmp_path}/zh2ensum/full/mt" in line


def test_a_corpus_of_ones_own_is_named_with_its_folder(tmp_path):
    run = write_run(tmp_path, "mine", "minimum", "ncls", 0, num=5)
    place = tmp_path / "mine" / "minimum" / "ncls" / "seed=0" / "config.yaml"
    place.write_text("dataset: {path: my/folder}\n")
    line = commands("mine", [Gap("full", "mclas", None, 4)], Runs(tmp_path))[0]
    assert run.languages == {"source": "en", "target": "de"}
    assert line.startswith(
        "mclas-train dataset=jsonl dataset.name=mine dataset.source=en dataset.target=de "
        "dataset.path=my/folder model=mclas"
    )
    assert runs_of(line) == {("mine", "full", "mclas")}


def test_products_hold_all_pairs_and_nothing_else():
    pairs = [(s, m) for s in LOW for m in ("ncls", "mclas")] + [("medium", "ncls_ms")]
    found = products(pairs)
    assert found == [(list(LOW), ["ncls", "mclas"]), (["medium"], ["ncls_ms"])]
    assert {pair for scenarios, models in found for pair in product(scenarios, models)} == set(
        pairs
    )


def test_a_whole_table_needs_no_command():
    assert commands("en2desum", [], Runs(Path("runs"))) == []
