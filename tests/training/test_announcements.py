import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.training.announcements import announce_end, bf16_advice


@pytest.mark.parametrize(
    ("words", "flags", "said"),
    [
        (["network=e5_small"], {"avx2", "amx_bf16"}, True),
        (["network=e5_small", "trainer.precision=null"], {"amx_bf16"}, True),
        (["network=e5_small"], {"avx2", "avx512_bf16"}, True),
        (["network=e5_small"], {"avx2", "avx512f"}, False),
        (["network=tiny"], {"amx_bf16"}, False),
        (["network=e5_small", "trainer.precision=bf16-mixed"], {"amx_bf16"}, False),
    ],
)
def test_a_long_training_in_float32_hears_of_bf16_and_stays_as_it_is(words, flags, said):
    cpu = "trainer.accelerator=cpu"
    settings, _ = read_settings(compose("train", ["dataset=toy", cpu, *words]))
    assert ("trainer.precision=bf16-mixed" in bf16_advice(settings, flags)) == said


def test_the_end_of_a_training_is_one_line(capsys):
    ended = {"updates": 1234, "seconds": 56.7, "best_val_loss": 2.3456, "monitor": "val/loss_cross"}
    said = "  1,234 updates in 57 s{}, best val/loss_cross 2.346\n"
    for stopped, cut_off, how in (
        (True, False, " (stopped early)"),
        (False, True, " (cut off: the last validation was the best)"),
        (False, False, ""),
    ):
        announce_end({**ended, "stopped_early": stopped, "cut_off": cut_off})
        assert capsys.readouterr().out == said.format(how)
