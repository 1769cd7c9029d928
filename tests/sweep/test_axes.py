import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.sweep.axes import axes_of, shared_words
from mclas_lightning.sweep.plan import plan_runs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read as YAML"),
        ("a: &a [b]\nc: [*a, *a]", "expected YAML without aliases"),
        ("hydra: {mode: MULTIRUN}", "is no sweep file"),
        ("just text", "is no sweep file"),
        ("7", "cannot be read as YAML"),
        ("a: 1\na: 2", "cannot be read as YAML (found duplicate key a)"),
        ("a: ${b", "cannot be read as YAML (no viable alternative"),
        ("hydra: {sweeper: {params: {modle: ms}}}", "modle"),
        ("hydra: {sweeper: {params: {dataset: jsonl}}}", "words are missing: dataset.name=..."),
        ("hydra: {sweeper: {params: {model: 'ms,mclass'}}}", "did you mean 'mclas'"),
    ],
)
def test_an_unusable_file_is_one_clear_line(tmp_path, text, said):
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        plan_runs([str(path)])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_sweep_is_named_with_the_closest():
    with pytest.raises(InputError, match="did you mean 'low_resource'"):
        plan_runs(["low_resources"])


def test_a_word_takes_the_place_of_the_files_for_its_key(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "defaults: [{override /network@_global_.network: tiny}, _self_]\n"
        "hydra: {sweeper: {params: {model: 'ncls,mclas', seed: 3}}}\n"
        "data: 'my data, here'\n"
        "optim: {encoder: {lr: 0.5}}\n"
    )
    assert axes_of(file, ["seed=range(2)", "workers=1"]) == {
        "model": "ncls,mclas", "seed": "range(2)", "network@_global_.network": "tiny",
        "data": '"my data, here"', "optim.encoder.lr": "0.5", "workers": "1",
    }  # fmt: skip


def test_numbers_and_dates_of_a_file_are_read_as_hydra_reads_them(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "hydra: {sweeper: {params: {seed: 1}}}\n"
        "dataset: {name: 2024-01-01}\n"
        "optim: {encoder: {lr: 1e-3}}\n"
    )
    assert axes_of(file, []) == {
        "seed": "1", "dataset.name": '"2024-01-01"', "optim.encoder.lr": "0.001"
    }  # fmt: skip


def test_shared_words_are_of_one_value_and_of_no_single_run():
    axes = {
        "dataset": "toy", "seed": "0", "network": "small", "optim.max_tokens": "100,200",
        "model.name": "mine", "data": "'a,b'", "init_from": "here",
    }  # fmt: skip
    assert shared_words(axes) == ["network=small", "data='a,b'"]
