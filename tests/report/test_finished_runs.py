import shutil

import numpy as np
import pytest

from benchmarks.runs import write_run
from mclas_lightning.errors import InputError
from mclas_lightning.report.finished_runs import Runs
from tests.report.score_sheets import NUM, at, change, rows, table


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"format": 1}, "expected format 2"),
        ({"scores__cross__rouge1_f": float("nan")}, "finite"),
        ({"scores__cross__rouge1_f": 33.65}, "expected 0 to 1, found 33.65; divide percent by 100"),
        ({"scores": {}}, "has no scores"),
        ({"provenance__training": "mT5, 3 epochs"}, "'provenance.training' must be an object"),
        ({"languages__target": "zh"}, "says that cross summaries are in zh"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_set_aside_and_named(tmp_path, other, message):
    for model in ("ncls", "mclas"):
        write_run(tmp_path, "en2desum", "minimum", model, 0, num=NUM)
    before = rows(table(2, tmp_path, "en2desum")[0])
    change(at(tmp_path, "mclas"), **other)
    (sheet,) = table(2, tmp_path, "en2desum")
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    assert f"{at(tmp_path, 'mclas')} (" in note
    assert message in note
    assert rows(sheet)["minimum", "MCLAS"]["R-1 ours"] == "-"
    shown = rows(sheet)["minimum", "NCLS"]["R-1 ours"]
    assert shown == before["minimum", "NCLS"]["R-1 ours"].rstrip("*")


def test_what_stands_beside_a_run_does_not_end_its_table(tmp_path):
    """Copies, renamed folders and broken files are named; a byte order mark is no damage."""
    for model, seed in (("ncls", 0), ("ncls", 1), ("mclas", 0)):
        write_run(tmp_path, "en2desum", "minimum", model, seed, num=NUM)
    before = rows(table(2, tmp_path, "en2desum")[0])
    own = at(tmp_path, "ncls")
    shutil.copytree(own.parent, own.parents[1] / "seed=0 (copy)")
    shutil.copytree(own.parents[1], own.parents[2] / "ncls_old")
    at(tmp_path, "broken").parent.mkdir(parents=True)
    at(tmp_path, "broken").write_text('{"format": 2, "data')
    own.write_bytes(b"\xef\xbb\xbf" + own.read_bytes())
    (sheet,) = table(2, tmp_path, "en2desum")
    assert rows(sheet) == before
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    for aside in ("minimum/broken/seed=0/", "ncls/seed=0 (copy)/", "minimum/ncls_old/seed=0/"):
        assert aside in note
    assert note.endswith("and 2 more.")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("seed: 5\nmodel: {name: ncls}\n", None),
        ("seed: 0\nmodel: {name: ncls}\n", "the config.yaml beside it is of seed 0"),
        ("seed: 5\nmodel: {name: mclas}\n", "the config.yaml beside it is of model mclas"),
        ("seed: 5\ndataset: {name: other}\n", "the config.yaml beside it is of dataset other"),
        ("seed: 5\nscenario: full\n", "the config.yaml beside it is of scenario full"),
    ],
)
def test_a_copy_with_the_config_of_another_run_is_no_seed(tmp_path, config, said):
    write_run(tmp_path, "en2desum", "minimum", "ncls", 5, num=NUM)
    at(tmp_path, "ncls", 5).with_name("config.yaml").write_text(config)
    found = Runs(tmp_path).found("en2desum")
    assert len(found.results) == (said is None)
    assert [str(one) for one in found.aside] == (
        [f"{at(tmp_path, 'ncls', 5)} ({said}: a copied run?)"] if said else []
    )


def test_a_copy_with_the_predictions_of_another_seed_is_no_seed(tmp_path):
    for model, seed in (("ncls", 0), ("mclas", 0)):
        write_run(tmp_path, "en2desum", "minimum", model, seed, num=NUM)
        change(at(tmp_path, model), provenance__predictions_sha256="0" * 64)
    copy = at(tmp_path, "ncls", 5)
    shutil.copytree(at(tmp_path, "ncls").parent, copy.parent)
    change(copy, seed=5)
    found = Runs(tmp_path).found("en2desum")
    assert [(run.model, run.seed) for run in found.results] == [("ncls", 0), ("mclas", 0)]
    assert list(map(str, found.aside)) == [f"{copy} (has the predictions of seed=0: a copied run?)"]
    # All seeds of a baseline have the same summaries.
    copy.with_name("config.yaml").write_text("model: {name: ncls, copies: lead}")
    assert Runs(tmp_path).found("en2desum").aside == []
    # So may those of a collapsed system: other weights are no copy.
    copy.with_name("config.yaml").unlink()
    for seed in (0, 5):
        of_seed = {"checkpoints/best.ckpt": f"{seed}" * 64}
        change(at(tmp_path, "ncls", seed), provenance__files_sha256=of_seed)
    assert Runs(tmp_path).found("en2desum").aside == []


def test_seeds_of_a_baseline_without_its_configuration_are_no_copies(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, "en2desum", "minimum", "ncls", seed, num=NUM)
        alike = {"provenance__predictions_sha256": "0" * 64, "model": "lead_1"}
        change(at(tmp_path, "ncls", seed), **alike)
    at(tmp_path, "ncls").parents[1].rename(at(tmp_path, "lead_1").parents[1])
    assert len(Runs(tmp_path).of("en2desum")) == 2


@pytest.mark.parametrize("config", ["seed: 0", "model: mclas\nseed: x", "{model: {name: mclas}}"])
def test_a_folder_that_says_too_little_ends_no_table(tmp_path, config):
    for seed in ("0", "x"):
        folder = tmp_path / "en2desum" / "minimum" / "mclas" / f"seed={seed}"
        folder.mkdir(parents=True)
        (folder / "results.json").write_text("{")
        (folder / "config.yaml").write_text(config)
    assert Runs(tmp_path).unscored("en2desum") == []


def test_only_the_dataset_that_is_asked_for_is_read(tmp_path):
    for dataset in ("en2desum", "zh2ensum"):
        write_run(tmp_path, dataset, "minimum", "ncls", 0, num=NUM)
    (tmp_path / "zh2ensum" / "minimum" / "ncls" / "seed=0" / "results.json").write_text("")
    (sheet,) = table(2, tmp_path, "en2desum")
    assert not any("Set aside" in note for note in sheet.notes)
    (sheet,) = table(2, tmp_path, "zh2ensum")
    assert any("Set aside" in note for note in sheet.notes)


def test_a_dataset_whose_runs_are_all_set_aside_has_an_empty_table(tmp_path):
    write_run(tmp_path, "mine", "minimum", "ncls", 0, num=NUM)
    (tmp_path / "mine").rename(tmp_path / "renamed")
    (sheet,) = table(2, tmp_path, *Runs(tmp_path).datasets(["renamed"]))
    assert {row["R-1"] for row in rows(sheet).values()} == {"-"}
    assert "belongs at mine/minimum/ncls/seed=0/results.json" in "".join(sheet.notes)
    assert sheet.commands == []


def test_a_dataset_on_disk_may_be_named_by_what_selects_it(tmp_path):
    for dataset in ("toy_en2de", "toy_en2zh", "toy_en", "mine"):
        write_run(tmp_path, dataset, "minimum", "mclas", 0, num=NUM)
    runs = Runs(tmp_path)
    assert runs.datasets(["toy"]) == ["toy_en2de", "toy_en2zh"]
    assert runs.datasets(["mine", "en2desum"]) == ["mine", "en2desum"]
    assert runs.datasets(["debian_en2de", "toy_zh2en"]) == ["debian_en2de", "toy_zh2en"]
    assert Runs(tmp_path / "none").datasets(["toy"]) == ["toy_en2de"]
    assert runs.datasets(["mine", "toy", "toy_en2zh", "mine"]) == ["mine", "toy_en2de", "toy_en2zh"]
    with pytest.raises(InputError, match="did you mean 'mine'"):
        runs.datasets(["mins"])


def test_files_of_another_scoring_are_named_where_no_system_is_ranked(tmp_path):
    """The numbers are those of results.json; what lies beside it is never silently used."""
    write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    before = rows(table(2, tmp_path, "en2desum")[0])
    path = at(tmp_path, "mclas")
    scored, predictions = path.with_name("scores.npz"), path.with_name("predictions.jsonl")
    documents = dict(np.load(scored))
    np.savez(scored, **documents, predictions_sha256=np.array("another"))
    predictions.write_text("others\n")
    change(path, provenance__predictions_sha256="its own")
    (sheet,) = table(2, tmp_path, "en2desum")
    assert rows(sheet) == before
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    assert f"{scored} (is of other predictions than results.json; " in note
    assert f"{predictions} (is not the file that results.json was scored from; " in note
    scored.write_bytes(b"cut")
    assert f"{scored} (cannot be read" in str(table(2, tmp_path, "en2desum")[0].notes)
