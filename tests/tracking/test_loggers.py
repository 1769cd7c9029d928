import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.tracking import loggers
from mclas_lightning.tracking.wandb_logger import WandbMirror


def test_a_disabled_wandb_is_said_and_left_out(mirrored, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert loggers.build_loggers(read_settings(compose("train", mirrored))[0].logger) == []
    assert "W&B: disabled, by WANDB_MODE or by `wandb disabled`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ended", "code"),
    [(SystemExit(143), 143), (InputError("no"), 2), (KeyboardInterrupt(), 130), (OSError(), 1)],
)
def test_a_wandb_run_ends_with_the_exit_code_of_its_job(mirrored, monkeypatch, ended, code):
    codes = []
    monkeypatch.setattr(WandbMirror, "finish", lambda self, exit_code: codes.append(exit_code))
    config = read_settings(compose("train", mirrored))[0].logger
    with pytest.raises(type(ended)), loggers.tracked(config):
        raise ended
    with loggers.tracked(config):
        pass
    assert codes == [code, 0]
