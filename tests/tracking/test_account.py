import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.tracking import account, loggers


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "WANDB_MODE",
            "offlin",
            "WANDB_MODE: Input should be 'online', 'offline', .*found 'offlin'",
        ),
        ("WANDB_MODE", "", "WANDB_MODE: .*found ''"),
        ("WANDB_BASE_URL", "server", "WANDB_BASE_URL: Input should be a valid URL.*found 'server'"),
    ],
)
def test_a_variable_of_wandb_that_is_mistyped_is_one_line(
    mirrored, monkeypatch, variable, value, said
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=said) as caught:
        loggers.build_loggers(read_settings(compose("train", mirrored))[0].logger)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=said):
        account.check_account()


@pytest.mark.parametrize(
    ("setting", "found"), [("offline", "offline"), ("disabled", "disabled"), ("online", "online")]
)
def test_wandbs_own_settings_file_counts(tmp_path, monkeypatch, setting, found):
    """`wandb offline` and `wandb disabled` write it."""
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "settings").write_text(f"[default]\nmode = {setting}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_MODE")
    assert account.wandb_mode() == found
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert account.wandb_mode() == "offline"
