import json

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.config.settings import read_settings
from mclas_lightning.data.sampler import UpdateSampler
from mclas_lightning.example import Side
from mclas_lightning.task import Task
from mclas_lightning.training.exposure import Exposure
from tests.conftest import examples

TASKS = [
    Task(name="ms", targets={"decoder": ("mono",)}),
    Task(name="ncls", targets={"decoder": ("cross",)}),
    Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)}),
    Task(name="mclas", targets={"decoder": ("mono", "cross")}),
    Task(name="released", targets={"decoder": ("mono", "cross")}, bos_after_lsep=True),
]
DATASETS = [
    *("zh2ensum", "en2desum", "en2zhsum", "toy", "debian_en2de", "debian_de2en"),
    *("debian_en2zh", "debian_zh2en"),
]


@pytest.mark.parametrize("unit", ["texts", "summaries"])
def test_all_systems_see_the_same_documents_in_the_same_updates(encode, unit):
    shape = UpdateShape(max_tokens=173, unit=unit, accumulate=3)
    seen = []
    for task in TASKS:
        sampler = UpdateSampler(encode(examples(61), task).lengths(unit), shape, seed=5)
        seen.append([batch.indices for batch in sampler])
    assert len(seen[0]) > shape.accumulate
    assert seen == [seen[0]] * len(TASKS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_datasets_recipe_counts_both_summaries(dataset):
    for model in ("ncls", "ncls_ms", "mclas"):
        settings, _ = read_settings(compose("train", [f"dataset={dataset}", f"model={model}"]))
        for shape in (settings.optim.shape(1), settings.optim.recipe.shape()):
            assert shape.unit in ("texts", "summaries"), (dataset, model)
        assert settings.optim.monitor == "cross"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_exposure_is_the_mean_over_an_epochs_updates(encode, task):
    data, shape = encode(examples(61), task), UpdateShape(max_tokens=173, accumulate=3)
    batches = list(UpdateSampler(data.lengths(shape.unit), shape))
    updates = [batches[at : at + 3] for at in range(0, len(batches), 3)]
    found = Exposure.of(data, shape)
    assert found.updates == len(updates)
    assert found.documents == sum(len(b.indices) for b in batches) / len(updates)
    predicted = sum(update[0].update_tokens for update in updates) / len(updates)
    assert found.predicted == pytest.approx(predicted)
    assert found.seen(2 * len(updates))["epochs"] == 2


def test_the_tokens_of_a_side_are_its_pieces_and_its_end(encode, tokenizer):
    task, stories = TASKS[3], examples(61)
    found = Exposure.of(encode(stories, task), UpdateShape(max_tokens=173))
    sides: tuple[Side, ...] = ("mono", "cross")
    for side in sides:
        pieces = sum(len(ids) for ids in tokenizer.encode([e.summary(side) for e in stories], 999))
        assert found.tokens[side] == pytest.approx((pieces + len(stories)) / found.updates)


def test_a_run_says_what_it_has_seen(words, capsys):
    from mclas_lightning.train import train

    results = train(compose("train", [*words, "model=mclas"]))
    assert results is not None
    assert results.folder is not None
    training = json.loads((results.folder / "training.json").read_text(encoding="utf-8"))
    told = results.provenance["training"]
    assert told == {key: training[key] for key in ("updates", "seen", "cut_off", "leaks")}
    assert {*told["seen"]} == {
        *("documents_per_update", "mono_tokens_per_update", "cross_tokens_per_update", "epochs")
    }
    said = capsys.readouterr().out
    assert f"on average {told['seen']['documents_per_update']:,.0f} documents, " in said
    assert f"{told['updates']} updates are {told['seen']['epochs']:,.1f} epochs" in said
