import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["decoding.beam=0"], "decoding.beam: expected from 1 to 1000, found 0"),
        (["decoding.length_penalty=80"], "decoding.length_penalty: expected from 0 to 10, found"),
        (["decoding.length_penalty=inf"], "decoding.length_penalty: expected from 0 to 10, found"),
        (["decoding.mask=all"], "decoding.mask 'all' does not exist; choose from: both, cross"),
        (
            ["decoding.lengths=target", "decoding.max_length=5"],
            "decoding.max_length: expected from 6 to",
        ),
        (["network.decoder.layers=-1"], "network.decoder.layers: expected 1 or more, found -1"),
        (["network.encoder.heads=0"], "network.encoder.heads: expected 1 or more, found 0"),
        (["decoding.min_length=50"], "decoding.max_length: expected from 50 to"),
        (["decoding.max_length=4000"], "decoding.max_length: expected from 1 to 2498"),
        (["scoring.layer=9"], "scoring: layer and rescale are BERTScore's; give bertscore, too"),
        (["scoring.bertscore=x", "scoring.layer=0"], "scoring.layer: expected 1 or more, found 0"),
        (["trainer.checkpoint_minutes=-1"], "trainer.checkpoint_minutes: expected 0 or more"),
    ],
)
def test_a_value_that_cannot_be_is_one_clear_line(words, said):
    with pytest.raises(InputError) as error:
        read_settings(compose("train", words))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "words",
    [
        ["decoding.lengths=target", "decoding.max_length=6"],
        ["decoding.max_length=2498"],
        ["decoding.length_penalty=10.0", "decoding.max_length=250"],
        ["decoding.min_length=50", "decoding.max_length=50"],
        ["scoring.bertscore=x", "scoring.layer=1"],
        ["trainer.checkpoint_minutes=0"],
        ["trainer.checkpoint_minutes=null"],
    ],
)
def test_a_value_at_the_border_of_what_can_be_is_taken(words):
    _, config = read_settings(compose("train", words))
    for word in words:
        key, value = word.split("=")
        section, name = key.split(".")
        assert str(config[section][name]) == {"null": "None"}.get(value, value)
