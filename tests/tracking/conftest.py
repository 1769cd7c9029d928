import pytest


@pytest.fixture
def mirrored(words) -> list[str]:
    """Words of a run that W&B mirrors offline."""
    return [*words, "logger=wandb", "model=mclas"]
