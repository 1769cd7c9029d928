import shlex
import shutil
from itertools import product
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from benchmarks.runs import write_run
from mclas_lightning.config.compose import compose
from mclas_lightning.config.compose import multirun_words as runs_of_words
from mclas_lightning.config.overrides import hydra_arguments, override
from mclas_lightning.config.settings import read_settings
from mclas_lightning.files import write_json
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.gaps import Gap, filling
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.runs.identity import resolved_config
from tests.report.score_sheets import change, table

LOW = ("minimum", "medium", "maximum")
ALL = [Gap(s.scenario, s.model, None, 4) for s in LAYOUTS[2].systems]


def gap_commands(dataset: str, gaps: list[Gap], runs: Runs) -> list[str]:
    return filling(dataset, gaps, runs).commands


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
    assert gap_commands("en2desum", ALL, Runs(Path("runs"))) == [
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
    lines = gap_commands(dataset, ALL, Runs(Path("runs")))
    started = set().union(*map(runs_of, lines))
    wanted = {(dataset, gap.scenario, gap.model) for gap in ALL}
    assert wanted <= started
    assert {model for _, _, model in started - wanted} <= {"ms", "mt"}
    assert "model=ms" in lines[0]


def test_what_is_pretrained_is_not_pretrained_again(tmp_path):
    trained(tmp_path, "toy_en", "ms")
    lines = gap_commands("toy_en2zh", [Gap("minimum", "mclas", None, 4)], Runs(tmp_path))
    assert lines == [
        f"mclas-train dataset=toy dataset.target=zh scenario=minimum model=mclas "
        f"init_from={tmp_path}/toy_en/full/ms runs={tmp_path}"
    ]


def test_the_ms_seed_that_init_from_names_is_trained_in_its_own_folder(tmp_path):
    for seed in (0, 1):
        started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), seed)
    elsewhere = tmp_path / "elsewhere"
    trained(elsewhere, "toy_en", "ms")
    init = [override("init_from", str(elsewhere / "toy_en" / "full" / "ms"))]
    started(tmp_path, ["dataset=toy", *init], "toy_en2de", ("minimum", "mclas"), 0)
    lines = gap_commands("toy_en2de", [Gap("minimum", "mclas", None, 0)], Runs(tmp_path))
    ms, mclas = (config for line in lines for config in composed(line))
    assert (ms["model"]["name"], ms["seed"], ms["runs"]) == ("ms", 1, str(elsewhere))
    assert Path(ms["run_dir"]).parent == Path(mclas["init_from"])
    assert (mclas["model"]["name"], mclas["seed"], mclas["runs"]) == ("mclas", 1, str(tmp_path))


def test_models_from_scratch_and_the_full_scenario_need_no_pretraining():
    gaps = [Gap("minimum", "mclas_scratch", None, 3), Gap("full", "ncls", None, 3)]
    lines = gap_commands("en2desum", gaps, Runs(Path("runs")))
    assert not any("init_from" in line or "model=ms" in line for line in lines)


def test_a_translator_is_trained_where_wmt19_has_none_and_only_once(tmp_path):
    gaps = [Gap("full", "tltran", None, 3)]
    assert any(
        line.endswith("model=mt") for line in gap_commands("zh2ensum", gaps, Runs(Path("runs")))
    )
    trained(tmp_path, "zh2ensum", "mt")
    trained(tmp_path, "zh2ensum", "ms")
    (line,) = gap_commands("zh2ensum", gaps, Runs(tmp_path))
    assert f"model.translator={tmp_path}/zh2ensum/full/mt" in line


def test_a_corpus_of_ones_own_is_named_with_its_folder(tmp_path):
    run = write_run(tmp_path, "mine", "minimum", "ncls", 0, num=5)
    place = tmp_path / "mine" / "minimum" / "ncls" / "seed=0" / "config.yaml"
    place.write_text("dataset: {path: my/folder}\n")
    line = gap_commands("mine", [Gap("full", "mclas", None, 4)], Runs(tmp_path))[0]
    assert run.languages == {"source": "en", "target": "de"}
    assert line.startswith(
        "mclas-train dataset=jsonl dataset.name=mine dataset.source=en dataset.target=de "
        "dataset.path=my/folder model=mclas"
    )
    assert runs_of(line) == {("mine", "full", "mclas")}


OWN = ["network=tiny", "optim=tiny", "decoding=short", "decoding.beam=3", "optim.encoder.lr=0.5"]
HOSTILE = [
    "中文 = #1 (größer, neu)",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            'it\'s "mine"',
            "1e5",
            "mein Korpus, größer",
            "$HOME & ~! `ls`",
            "null",
            "a,b",
            "x=1",
        )
    ),
]


def started(runs: Path, words: list[str], dataset: str, place: tuple[str, str], seed: int) -> None:
    """A run as it would lie there when it has been trained and scored."""
    write_run(runs, dataset, *place, seed, num=5)
    own = [f"scenario={place[0]}", f"model={place[1]}", f"seed={seed}"]
    config = resolved_config(compose("train", [*words, *own, override("runs", str(runs))]))
    folder = Path(config["run_dir"])
    assert (folder / "results.json").exists()
    write_json(folder / "training.json", {})
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def composed(line: str) -> list[dict]:
    """All that a printed line starts, through a shell, Hydra's grammar and its configuration."""
    program, *words = shlex.split(line)
    assert program in ("mclas-train", "mclas-evaluate")
    multirun = "-m" in words
    words = [word for word in words if word != "-m"]
    parsed = OverridesParser.create().parse_overrides(words)
    assert multirun or not any(word.is_sweep_override() for word in parsed)
    assert hydra_arguments(words) == words
    axes = {
        word.get_key_element(): text.partition("=")[2]
        for word, text in zip(parsed, words, strict=True)
    }
    return [resolved_config(compose("train", run)) for run in runs_of_words(axes)]


@pytest.mark.parametrize("name", HOSTILE)
def test_lines_run_as_printed_with_what_the_runs_have(tmp_path, name):
    seeds = (0, 1) if "," in name else (0,)  # The lines of several are multiruns.
    runs = tmp_path / f"runs of {name}"
    corpus = [
        *("dataset=jsonl", override("dataset.name", name), "dataset.source=en"),
        *("dataset.target=de", override("dataset.path", f"my/{name}")),
        *(override("data", f"{tmp_path}/{name}"), "dataset.max_source=77"),
    ]
    for seed in seeds:
        started(runs, [*corpus, *OWN], name, ("minimum", "ncls"), seed)
    gaps = [
        *(Gap("minimum", model, None, 4) for model in ("ncls_ms", "mclas")),
        *(Gap("medium", "ncls", None, 4), Gap("full", "ncls", None, 4)),
        *(Gap("full", "tltran", None, 3), Gap("minimum", "ncls", "test set", 3)),
    ]
    found = [config for line in gap_commands(name, gaps, Runs(runs)) for config in composed(line)]
    ms = runs / name / "full" / "ms"
    # ms, tuned, full, mt and tltran, again
    assert len(found) == len(seeds) * (1 + 2 + 1 + 1 + 2 + 1)
    for config in found:
        model, scenario, seed = config["model"]["name"], config["scenario"], config["seed"]
        assert config["run_dir"] == f"{runs}/{name}/{scenario}/{model}/seed={seed}"
        assert config["network"]["name"] == "tiny"
        assert config["decoding"] == found[-1]["decoding"]
        assert config["decoding"]["beam"] == 3
        assert config["dataset"]["path"] == f"my/{name}"
        assert config["data"] == f"{tmp_path}/{name}"
        if model == "ms":
            assert config["optim"]["updates"]["full"] == 4000  # tiny_pretrain's
        else:
            assert config["optim"]["encoder"] == {"lr": 0.5, "warmup": 100, "dropout": 0.1}
            assert config["dataset"]["max_source"] == 77
        if model == "tltran" or (scenario != "full" and config["init_from"]):
            assert config["init_from"] == str(ms)


def test_seeds_that_are_missing_are_named(tmp_path):
    for seed in (0, 1, 2):
        started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), seed)
    started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "mclas"), 1)
    trained(tmp_path, "toy_en", "ms")
    gaps = [Gap("minimum", model, None, 4) for model in ("mclas", "ncls_ms")]
    ms, *tuned = gap_commands("toy_en2de", gaps, Runs(tmp_path))
    assert ms == f"mclas-train -m dataset=toy_mono model=ms seed=1,2 runs={tmp_path}"
    assert [shlex.split(line)[4:6] for line in tuned] == [
        ["model=mclas", "seed=0,2"], ["model=ncls_ms", "seed=0,1,2"],
    ]  # fmt: skip


def test_further_seeds_of_a_system_from_scratch_start_from_nothing(tmp_path):
    for seed in (0, 1):
        started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), seed)
    started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "mclas"), 0)
    (line,) = gap_commands("toy_en2de", [Gap("minimum", "mclas", None, 4)], Runs(tmp_path))
    (config,) = composed(line)
    assert (config["model"]["name"], config["seed"], config["init_from"]) == ("mclas", 1, None)


def test_the_ms_run_that_systems_started_from_is_named(tmp_path):
    write_json(tmp_path / "elsewhere" / "seed=0" / "training.json", {})
    words = ["dataset=toy", f"init_from={tmp_path}/elsewhere/seed=0"]
    started(tmp_path / "runs", words, "toy_en2de", ("minimum", "ncls"), 0)
    (line,) = gap_commands("toy_en2de", [Gap("minimum", "mclas", None, 4)], Runs(tmp_path / "runs"))
    assert f"init_from={tmp_path}/elsewhere" in shlex.split(line)


@pytest.mark.parametrize(
    ("dataset", "corpus"), [("toy_en2de", "toy_mono"), ("debian_en2de", "debian_en")]
)
def test_tables_of_mono_summaries_name_the_ms_run_that_systems_start_from(dataset, corpus):
    gaps = [Gap("full", "ms", None, 3), Gap("maximum", "mclas", None, 3)]
    lines = gap_commands(dataset, gaps, Runs(Path("runs")))
    assert [line for line in lines if "model=ms" in line] == [
        f"mclas-train dataset={corpus} model=ms"
    ]


def test_scores_are_added_with_the_encoder_that_the_others_have(tmp_path):
    words = ["dataset=toy", "scoring.bertscore=my encoder"]
    started(tmp_path / "a b", words, "toy_en2de", ("minimum", "ncls"), 0)
    (line,) = gap_commands(
        "toy_en2de", [Gap("minimum", "ncls", "bertscore", 1)], Runs(tmp_path / "a b")
    )
    place = str(tmp_path / "a b" / "toy_en2de")
    assert shlex.split(line) == ["mclas", "rescore", place, "--bertscore", "my encoder"]


def test_a_whole_table_needs_no_command():
    assert gap_commands("en2desum", [], Runs(Path("runs"))) == []


def diverged(runs: Path, dataset: str, scenario: str, model: str, seed: int) -> Path:
    folder = runs / dataset / scenario / model / f"seed={seed}"
    write_json(folder / "diverged.json", {"update": 7, "reason": "loss is nan"})
    return folder


def test_a_diverged_run_is_named_and_not_started_again(tmp_path):
    for seed in (0, 1):
        started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), seed)
    trained(tmp_path, "toy_en", "ms")
    write_json(tmp_path / "toy_en" / "full" / "ms" / "seed=1" / "training.json", {})
    place = diverged(tmp_path, "toy_en2de", "minimum", "mclas", 1)
    diverged(tmp_path, "toy_en2de", "minimum", "mclas", 5)  # Nothing asks for this seed.
    found = filling("toy_en2de", [Gap("minimum", "mclas", None, 4)], Runs(tmp_path))
    (config,) = [one for line in found.commands for one in composed(line)]
    assert (config["model"]["name"], config["seed"]) == ("mclas", 0)
    assert found.notes == [
        f"Diverged: {place}. Train another seed, or start it under another name (model.name=...) "
        "with lower optim.encoder.lr and optim.decoder.lr, or delete the folder."
    ]


def test_nothing_starts_from_a_diverged_ms_run(tmp_path):
    started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), 0)
    place = diverged(tmp_path, "toy_en", "full", "ms", 0)
    gaps = [Gap("minimum", "mclas", None, 4), Gap("full", "mclas", None, 4)]
    found = filling("toy_en2de", gaps, Runs(tmp_path))
    (config,) = [one for line in found.commands for one in composed(line)]
    assert (config["scenario"], config["model"]["name"]) == ("full", "mclas")
    assert str(place) in found.notes[0]


def test_a_recipe_of_one_system_alone_stays_its_own(tmp_path):
    one_off = ["dataset=toy", "optim.max_summary=64", "optim.updates.minimum=9"]
    usual = ["dataset=toy", "network.decoder.layers=3"]
    started(tmp_path, [*one_off, *usual[1:]], "toy_en2de", ("minimum", "ncls"), 0)
    started(tmp_path, usual, "toy_en2de", ("minimum", "ncls_ms"), 0)
    started(tmp_path, usual, "toy_en2de", ("minimum", "ncls_ms"), 1)
    for model in ("ms", "mt"):
        for seed in (0, 1):
            write_json(tmp_path / "toy_en" / "full" / model / f"seed={seed}" / "training.json", {})
    gaps = [
        *(Gap("minimum", model, None, 4) for model in ("ncls", "mclas")),
        *(Gap("medium", model, None, 4) for model in ("ncls", "mclas")),
    ]
    lines = [shlex.split(line) for line in gap_commands("toy_en2de", gaps, Runs(tmp_path))]
    assert all("network.decoder.layers=3" in words for words in lines)
    (own,) = (words for words in lines if "optim.max_summary=64" in words)
    assert {"model=ncls", "scenario=minimum", "seed=1", "optim.updates.minimum=9"} < set(own)
    assert not any("dataset.max_summary" in word for words in lines for word in words)
    assert sum("optim.updates.minimum=9" in words for words in lines) == 1


def test_systems_without_a_network_change_no_words(tmp_path):
    words = ["dataset=toy", "network.decoder.layers=3", "decoding.beam=2"]
    started(tmp_path, words, "toy_en2de", ("minimum", "ncls"), 0)
    gaps = [Gap("minimum", "mclas", None, 4), Gap("medium", "ncls_ms", None, 4)]
    before = gap_commands("toy_en2de", gaps, Runs(tmp_path))
    fine_tuned = [{*shlex.split(line)} for line in before if "model=ms" not in line]
    assert fine_tuned
    assert all({*words[1:]} < found for found in fine_tuned)
    for scenario in ("minimum", "medium"):
        started(tmp_path, ["dataset=toy"], "toy_en2de", (scenario, "tltran"), 0)
    assert gap_commands("toy_en2de", gaps, Runs(tmp_path)) == before


def test_scores_are_added_as_the_others_were_counted(tmp_path):
    words = ["dataset=toy", "scoring.bertscore=it", "scoring.layer=5", "scoring.rescale=true"]
    started(tmp_path, words, "toy_en2de", ("minimum", "ncls"), 0)
    (line,) = gap_commands("toy_en2de", [Gap("minimum", "ncls", "bertscore", 1)], Runs(tmp_path))
    assert line.endswith(" --bertscore it --layer 5 --rescale")


def test_the_full_scenario_starts_from_ms_where_its_other_seeds_did(tmp_path):
    trained(tmp_path, "toy_en", "ms")
    words = ["dataset=toy", f"init_from={tmp_path}/toy_en/full/ms", "trainer.precision=bf16-mixed"]
    for seed, model in ((0, "mclas"), (0, "ncls"), (1, "ncls")):
        started(tmp_path, words, "toy_en2de", ("full", model), seed)
    gaps = [Gap("full", "mclas", None, 4)]
    *_, line = gap_commands("toy_en2de", gaps, Runs(tmp_path))
    (config,) = composed(line)
    assert config["seed"] == 1
    assert config["init_from"] == f"{tmp_path}/toy_en/full/ms"
    assert config["trainer"]["precision"] == "bf16-mixed"


def test_a_pipelines_own_summarizer_is_named(tmp_path):
    words = ["dataset=toy", "model.summarizer=their/ms", "model.translator=their/mt"]
    started(tmp_path, words, "toy_en2de", ("minimum", "tltran"), 0)
    again = Gap("minimum", "tltran", "test set", 4)
    (line,) = gap_commands("toy_en2de", [again], Runs(tmp_path))
    (config,) = composed(line)
    assert (config["model"]["summarizer"], config["model"]["translator"]) == (
        "their/ms",
        "their/mt",
    )
    assert config["init_from"] is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"format": 1}, marks=pytest.mark.slow),
        {"scores__cross__rouge1_f": float("nan")},
    ],
)
def test_a_trained_run_whose_results_cannot_be_used_is_scored_not_trained(tmp_path, damage):
    for model in ("ncls", "mclas"):
        for seed in (0, 1):
            started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", model), seed)
    folder = tmp_path / "toy_en2de" / "minimum" / "mclas" / "seed=1"
    change(folder / "results.json", **damage)
    (sheet,) = table(2, tmp_path, "toy_en2de")
    assert sheet.commands[0] == f"mclas-evaluate {folder}"
    trained = [one for line in sheet.commands[1:] for one in composed(line)]
    assert not any((c["scenario"], c["model"]["name"]) == ("minimum", "mclas") for c in trained)
    change(folder.with_name("seed=0") / "results.json", **damage)
    (sheet,) = table(2, tmp_path, "toy_en2de")
    assert f"mclas-evaluate {folder.with_name('seed=0')}" in sheet.commands[:2]
    # A seed that no run has is trained beside.
    started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "ncls"), 2)
    gaps = [Gap("minimum", "mclas", None, 4)]
    *_, line = gap_commands("toy_en2de", gaps, Runs(tmp_path))
    assert [config["seed"] for config in composed(line)] == [2]


def test_a_copied_run_is_not_scored_again(tmp_path):
    started(tmp_path, ["dataset=toy"], "toy_en2de", ("minimum", "mclas"), 0)
    folder = tmp_path / "toy_en2de" / "minimum" / "mclas"
    shutil.copytree(folder / "seed=0", folder / "seed=1")
    assert len(Runs(tmp_path).found("toy_en2de").aside) == 1
    (sheet,) = table(2, tmp_path, "toy_en2de")
    assert not any("mclas-evaluate" in line for line in sheet.commands)


def test_a_corpus_of_ones_own_without_usable_results_is_scored_again(tmp_path):
    started(tmp_path, ["dataset=toy", "dataset.name=mine"], "mine", ("minimum", "mclas"), 0)
    folder = tmp_path / "mine" / "minimum" / "mclas" / "seed=0"
    (folder / "results.json").write_text("{")
    gaps = [Gap("minimum", "mclas", None, 4)]
    assert gap_commands("mine", gaps, Runs(tmp_path)) == [f"mclas-evaluate {folder}"]
