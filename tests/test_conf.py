from itertools import permutations

import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate

from mclas_lightning.config.compose import compose
from mclas_lightning.config.optim import Crowding, UpdateShape
from mclas_lightning.config.settings import read_settings
from mclas_lightning.files import CONF
from mclas_lightning.training.optim import build_optimizer, build_schedule

FILES = sorted(
    f"{path.parent.name}={path.stem}"
    for path in CONF.glob("*/*.yaml")
    if not path.stem.startswith("_")
)

OWN = {
    "dataset=jsonl": [
        "dataset.name=mine", "dataset.source=en", "dataset.target=de", "dataset.path=mine",
    ],
}  # fmt: skip


@pytest.mark.parametrize("choice", FILES)
def test_every_file_composes_into_typed_settings(choice):
    settings, config = read_settings(compose("train", [choice, *OWN.get(choice, ())]))
    group, name = choice.split("=")
    if group == "model":
        assert settings.system.name == config["model"]["name"] == name
    if group == "trainer":
        words = instantiate(settings.trainer)
        pl.Trainer(**{**words, "accelerator": "cpu", "devices": 2, "logger": False})
    if group == "network":
        assert settings.network.name == name
    if group == "dataset":
        assert settings.dataset.path.startswith(("data/", "mine"))
        assert settings.subset_manifest.parent.parent.name == settings.dataset.name


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: path.stem)
def test_every_file_opens_with_where_its_numbers_come_from(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_a_dataset_brings_its_network_unless_the_user_names_one():
    assert read_settings(compose("train", ["dataset=toy"]))[0].network.name == "tiny"
    words = ["dataset=toy", "network=small", "optim=paper"]
    settings = read_settings(compose("train", words))[0]
    assert settings.network.name == "small"
    assert settings.optim.encoder.lr == 0.005


@pytest.mark.parametrize(("source", "target"), [*permutations(("en", "de", "zh"), 2)])
def test_toy_has_six_directions(source, target):
    words = ["dataset=toy", f"dataset.source={source}", f"dataset.target={target}"]
    settings = read_settings(compose("train", words))[0]
    assert settings.dataset.name == f"toy_{source}2{target}"
    mono = read_settings(compose("train", settings.dataset.pretraining))[0]
    assert (mono.dataset.name, mono.dataset.target) == (f"toy_{source}", None)


def test_the_papers_recipe_is_section_5_2():
    settings = read_settings(compose("train", ["dataset=toy", "network=paper", "optim=paper"]))[0]
    optim, decoder = settings.optim, settings.network.decoder
    assert (optim.encoder.lr, optim.encoder.warmup) == (0.005, 10_000)
    assert (optim.decoder.lr, optim.decoder.warmup) == (0.2, 5_000)
    assert optim.accumulate == 5
    assert (decoder.layers, decoder.heads, decoder.feed_forward) == (6, 8, 2048)
    assert optim.encoder.dropout == optim.decoder.dropout == 0.1
    assert settings.decoding.beam == 5
    assert settings.decoding.block_trigrams == "summary"
    assert 0.6 <= settings.decoding.length_penalty <= 1


PAPER, FULL, FEW_SHOT = "paper", "released", "released_few_shot"


@pytest.mark.parametrize(
    ("recipe", "part", "rates"),  # at updates 1, 5,000, 10,000 and 100,000, computed by hand
    [
        (PAPER, "encoder", (5.0e-9, 2.5e-5, 5.0e-5, 1.58114e-5)),
        (PAPER, "decoder", (5.65685e-7, 2.82843e-3, 2.0e-3, 6.32456e-4)),
        (FULL, "encoder", (1.76777e-9, 8.83883e-6, 1.76777e-5, 1.58114e-5)),
        (FULL, "decoder", (2.0e-7, 1.0e-3, 2.0e-3, 6.32456e-4)),
        (FEW_SHOT, "encoder", (5.05964e-10, 2.52982e-6, 5.05964e-6, 6.32456e-6)),
        (FEW_SHOT, "decoder", (1.08866e-7, 5.44331e-4, 1.08866e-3, 6.32456e-4)),
        ("released_pretrain", "encoder", (5.05964e-10, 2.52982e-6, 5.05964e-6, 6.32456e-6)),
        ("released_pretrain", "decoder", (1.08866e-7, 5.44331e-4, 1.08866e-3, 6.32456e-4)),
    ],
)
def test_the_recipes_learning_rates(recipe, part, rates):
    optim = read_settings(compose("train", ["dataset=toy", f"optim={recipe}"]))[0].optim
    layers = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    recipes = (optim.encoder, optim.decoder)
    optimizer = build_optimizer(
        layers[0].parameters(),
        layers[1].parameters(),
        (recipes[0].lr, recipes[1].lr),
        betas=(optim.beta1, optim.beta2),
        eps=optim.eps,
    )
    schedule = build_schedule(optimizer, (recipes[0].warmup, recipes[1].warmup))
    which = ("encoder", "decoder").index(part)
    assert optimizer.param_groups[which]["lr"] == pytest.approx(rates[0], rel=1e-5)
    for update, rate in zip((1, 5_000, 10_000, 100_000), rates, strict=True):
        reached = schedule.base_lrs[which] * schedule.lr_lambdas[which](update - 1)
        assert reached == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize(
    ("recipe", "tokens", "devices", "updates"),
    [
        ("released", 1300, 1, 400_000),
        ("released_pretrain", 210, 3, 200_000),
        ("released_few_shot", 270, 3, 10_000),
    ],
)
def test_the_released_recipes_are_its_command_lines(recipe, tokens, devices, updates):
    settings, config = read_settings(compose("train", ["dataset=toy", f"optim={recipe}"]))
    optim = settings.optim
    shape = UpdateShape(
        max_tokens=tokens, unit="released", crowding=Crowding(documents=6, tokens=1000),
        accumulate=5, ranks=devices,
    )  # fmt: skip
    assert shape == optim.recipe.shape() == optim.shape(devices)
    assert optim.updates["minimum"] == updates
    assert (optim.encoder.dropout, optim.decoder.dropout) == (0.1, 0.2)
    assert (settings.dataset.max_source, settings.dataset.max_summary) == (512, 500)
    assert config["dataset"]["max_source"] == 512  # So says config.yaml, too.


@pytest.mark.parametrize("path", sorted(CONF.glob("optim/*.yaml")), ids=lambda path: path.stem)
def test_a_recipes_batch_is_the_runs_if_nothing_else_is_said(path):
    optim = read_settings(compose("train", ["dataset=toy", f"optim={path.stem}"]))[0].optim
    assert optim.shape(optim.recipe.devices) == optim.recipe.shape()


def test_wandb_gets_group_job_type_tags_and_a_name():
    words = ["dataset=toy", "scenario=minimum", "logger=wandb"]
    logger = read_settings(compose("train", words))[0].logger
    assert logger is not None
    assert logger["group"] == "toy_en2de/minimum"
    assert logger["job_type"] == "mclas"
    assert logger["name"] == "toy_en2de/minimum/mclas/seed=0"
    assert logger["tags"] == ["toy_en2de", "minimum", "mclas", "network=tiny"]
