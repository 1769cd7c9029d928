import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.run import Run, run_of_seed, seed_folders


def test_a_folder_means_the_run_of_the_seed_in_it_or_itself(tmp_path):
    assert run_of_seed(str(tmp_path), 3) == Run(tmp_path)
    (tmp_path / "seed=3").mkdir()
    assert run_of_seed(str(tmp_path), 3) == Run(tmp_path / "seed=3")
    assert run_of_seed(tmp_path, 30) == Run(tmp_path)


@pytest.mark.parametrize("seed", [3, 5])
def test_the_run_of_a_seed_lies_in_one_of_its_two_folders(tmp_path, seed):
    (tmp_path / "seed=3").mkdir()
    assert run_of_seed(tmp_path, seed).folder in seed_folders(tmp_path, seed)


def test_a_training_has_ended_once_its_file_says_how(tmp_path):
    run = Run(tmp_path)
    assert not run.trained
    assert run.updates == 0
    run.training_path.write_text('{"updates": 7}')
    assert run.trained
    assert run.updates == 7


def test_a_diverged_training_is_not_said_to_go_on(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(InputError, match="run the same mclas-train again"):
        run.check_trained()
    run.diverged_path.write_text('{"update": 7, "reason": "loss is nan"}')
    with pytest.raises(InputError, match="has diverged at update 7"):
        run.check_trained()
