import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.results import Results, find_results


def place(runs: Path, results: Results) -> Path:
    folder = runs / results.dataset / results.scenario / results.model / f"seed={results.seed}"
    return folder / "results.json"


def test_results_survive_writing_and_reading(tmp_path, made_up):
    made_up("mclas", seed=3).write(tmp_path / "results.json")
    found = Results.read(tmp_path / "results.json")
    assert found == made_up("mclas", seed=3)
    assert found.folder == tmp_path


def test_the_configuration_beside_it_is_read_once_and_none_where_it_is_damaged(tmp_path, made_up):
    config = tmp_path / "config.yaml"
    for text, read in (("seed: 3\n", {"seed": 3}), ("- seed\n", None)):
        made_up("mclas", seed=3).write(tmp_path / "results.json")
        config.write_text(text)
        found = Results.read(tmp_path / "results.json")
        assert found.config == read
        config.unlink()
        assert found.config == read


def test_the_file_has_the_documented_keys(tmp_path, made_up):
    made_up("ncls").write(tmp_path / "results.json")
    record = json.loads((tmp_path / "results.json").read_text())
    documented = "format dataset scenario model seed languages scores signatures decoding"
    assert list(record) == [*documented.split(), "provenance", "content_sha256"]
    assert record["format"] == 2
    assert list(record["scores"]) == ["cross"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 1}, "expected format 2, found 1; another version wrote it"),
        ({"seed": None}, "'seed' has the wrong type; expected int"),
        ({"languages": {"source": "en"}}, "'languages' lacks 'target'"),
        (
            {"languages": {"source": "en", "target": ["de"]}},
            "'languages.target' must be a text or null, found ['de']",
        ),
        ({"scores": {"crss": {}}}, "did you mean 'cross'"),
        ({"scores": {"cross": 3}}, "'scores.cross' must be an object"),
        ({"scores": {"cross": {}}}, "'scores.cross' lacks length, num"),
        ({"signatures": {"mono": {}}}, "'signatures' lacks 'cross'"),
        ({"signatures": {"cross": "rouge|"}}, "'signatures.cross' must be an object"),
        ({"signatures": {"cross": {}}}, "'signatures.cross' lacks 'rouge', of which there are"),
        (
            {"signatures": {"cross": {"rouge": "r", "bertscore": "b"}}},
            "'signatures.cross' has 'bertscore', of which there are no scores",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_path_and_reason(tmp_path, made_up, change, message):
    path = tmp_path / "results.json"
    made_up("ncls").write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as caught:
        Results.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "mclas-evaluate" not in str(caught.value)
    (tmp_path / "config.yaml").touch()  # A run that was made here can be scored again.
    with pytest.raises(InputError, match=r"; score the run again: mclas-evaluate RUN$"):
        Results.read(path)


def test_a_missing_key_is_named(tmp_path, made_up):
    path = tmp_path / "results.json"
    made_up("ncls").write(path)
    record = json.loads(path.read_text())
    del record["signatures"]
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match="'signatures' is missing"):
        Results.read(path)


@pytest.mark.parametrize("family", ["paper_rouge", "bertscore", "similarity"])
def test_every_family_of_scores_needs_its_signature(made_up, family):
    score = {"similarity": "similarity"}.get(family, f"{family}1_f")
    with pytest.raises(InputError, match=f"lacks '{family}', of which there are scores"):
        made_up("ncls", **{score: 0.5})
    results = made_up("ncls")
    both = {"cross": {**results.signatures["cross"], family: "signed"}}
    scores = {"cross": {**results.scores["cross"], score: 0.5}}
    assert replace(results, scores=scores, signatures=both).metrics()[f"test/cross/{score}"] == 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.3"])
def test_a_score_that_is_not_a_finite_number_is_never_written(made_up, value):
    with pytest.raises(InputError, match=r"'scores\.cross\.rouge1_f' must be a finite number"):
        made_up("ncls", rouge1_f=value)


def test_a_nan_in_a_file_is_refused(tmp_path, made_up):
    path = tmp_path / "results.json"
    made_up("ncls").write(path)
    path.write_text(path.read_text().replace("0.4", "NaN"))
    with pytest.raises(InputError, match="must be a finite number, found nan"):
        Results.read(path)


def test_results_are_found_in_the_order_of_the_tables(tmp_path, made_up):
    models = ["ms", "ncls", "ncls_ms", "mclas", "tltran", "tetran", "another", "other"]
    expected = [
        *(made_up(model) for model in models),
        *(made_up("mclas", seed=seed, scenario="medium") for seed in (2, 10)),
        made_up("mclas", scenario="full"),
        made_up("mclas", dataset="toy_zh2en"),
    ]
    for results in reversed(expected):
        results.write(place(tmp_path, results))
    assert find_results(tmp_path) == expected
    assert find_results(tmp_path, scenario="medium") == expected[-4:-2]
    assert find_results(tmp_path, dataset="toy_zh2en") == expected[-1:]
    for name in ("none", "", "/toy_en2de", "toy_en2de/minimum"):
        assert find_results(tmp_path, dataset=name) == []


def test_a_file_in_anothers_place_is_refused(tmp_path, made_up):
    made_up("mclas", seed=1).write(place(tmp_path, made_up("mclas", seed=2)))
    with pytest.raises(
        InputError, match=r"belongs at toy_en2de/minimum/mclas/seed=1/results\.json"
    ):
        find_results(tmp_path)


def test_each_side_has_its_own_language(made_up):
    results = made_up("mclas")
    assert (results.language("mono"), results.language("cross")) == ("en", "de")


def test_drawing_tables_imports_no_torch():
    modules = "torch transformers pytorch_lightning hydra rouge_score py3langid"
    code = (
        "import sys; import mclas_lightning.report.tables, mclas_lightning.report.cases; "
        f"sys.exit(sorted(set(sys.modules) & set('{modules}'.split())) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
