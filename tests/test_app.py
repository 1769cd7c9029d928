import importlib
import pickle

from mclas_lightning.config import compose
from mclas_lightning.distributed import leave_process_group


def test_a_multirun_job_queued_by_version_0_1_0_finds_its_names():
    # The pickle names two functions of mclas_lightning.app. The code in it then imports a third.
    found = [
        pickle.loads(f"cmclas_lightning.app\n{n}\n.".encode()) for n in ("in_multirun", "_failure")
    ]
    assert found == [compose.in_multirun, compose._failure]
    assert importlib.import_module("mclas_lightning.ranks").leave is leave_process_group
