import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.config.compose import compose
from mclas_lightning.config.optim import Crowding, UpdateShape
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError

PLACES = st.integers(1, 60)


@given(PLACES, PLACES, st.integers(1, 400), st.none() | st.integers(1, 6), st.integers(0, 300))
def test_as_many_documents_fit_as_can_be_added_one_by_one(source, target, budget, crowd, more):
    crowding = Crowding(documents=crowd, tokens=more) if crowd else None
    for unit, width in (("both", source + target), ("target", target)):
        shape = UpdateShape(max_tokens=budget, unit=unit, crowding=crowding)
        number = 1  # A micro-batch holds one document, whatever its length.
        while (number + 1) * width + (more if crowd and number + 1 > crowd else 0) <= budget:
            number += 1
        assert shape.fits(source, target) == number


def test_an_update_is_as_large_on_every_number_of_devices():
    optim = read_settings(compose("train", ["dataset=toy", "optim=released"]))[0].optim
    for devices in (1, 3):
        shape = optim.shape(devices)
        assert (shape.ranks, shape.max_tokens, shape.accumulate) == (
            devices, optim.max_tokens, optim.accumulate,
        )  # fmt: skip
    assert optim.recipe.shape().ranks == optim.recipe.devices


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["optim.crowding={documents: 0, tokens: 5}"],
            "optim.crowding.documents: expected 1 or more",
        ),
        (["optim.label_smoothing=1"], "optim.label_smoothing: expected from 0 to 0.99"),
        (["optim.gradient_clip=0"], "optim.gradient_clip: expected a number above 0, or null"),
        (["optim.gradient_clip=-1"], "optim.gradient_clip: expected a number above 0, or null"),
        (["optim.encoder.warmup=0"], "warmup: expected 1 or more"),
        (["optim.batch_unit=words"], "optim.batch_unit 'words' does not exist; choose from: both"),
        (["optim.monitor=all"], "optim.monitor 'all' does not exist; choose from: cross, joint"),
        (["optim.accumulate=0"], "optim.accumulate: expected 1 or more"),
        (["optim.updates.full=0"], "optim.updates.full: expected 1 or more"),
    ],
)
def test_a_recipe_that_cannot_be_is_one_clear_line(words, said):
    with pytest.raises(InputError) as error:
        read_settings(compose("train", words))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
