from types import SimpleNamespace
from typing import Any

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.training.network import check_source


def test_a_source_fits_the_positions_of_the_encoder():
    network: Any = SimpleNamespace(encoder={"model_type": "bert", "max_position_embeddings": 37})
    fits: Any = SimpleNamespace(max_source=37)
    longer: Any = SimpleNamespace(max_source=38)
    check_source(fits, network)
    with pytest.raises(InputError, match="is more than the encoder's 37 positions"):
        check_source(longer, network)
