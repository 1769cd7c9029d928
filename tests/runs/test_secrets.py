import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.secrets import HIDDEN, check_no_secret, redacted

KEY = "0123456789abcdef0123"


@pytest.mark.parametrize("name", ["WANDB_API_KEY", "HF_TOKEN", "SMTP_PASSWORD", "my_secret"])
def test_secrets_of_the_environment_are_hidden(monkeypatch, name):
    monkeypatch.setenv(name, KEY)
    assert redacted(f"key={KEY}, {KEY}") == f"key={HIDDEN}, {HIDDEN}"
    with pytest.raises(InputError, match=r"^logger\.entity: holds a password or") as raised:
        check_no_secret({"seed": 0, "logger": {"entity": f"x{KEY}"}})
    assert KEY not in str(raised.value)


def test_the_login_of_a_url_is_hidden_and_an_address_is_not(monkeypatch):
    url = "https://me:pass%20word@host.org:80/a@b"
    assert redacted(f"from {url}.") == f"from https://{HIDDEN}@host.org:80/a@b."
    assert redacted("https://host/a b@c, me@host.org") == "https://host/a b@c, me@host.org"
    with pytest.raises(InputError, match=r"^network\.names: "):
        check_no_secret({"network": {"names": ["x", url]}})


def test_short_and_other_values_are_no_secrets(monkeypatch):
    monkeypatch.setenv("NO_TOKEN", "false")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "perhaps-not")
    assert redacted("false, perhaps-not") == "false, perhaps-not"
    check_no_secret({"a": {"b": "false", "c": None, "d": 3}})
