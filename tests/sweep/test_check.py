import pytest

from mclas_lightning.sweep.check import run_problems
from mclas_lightning.sweep.plan import plan_runs


@pytest.fixture
def shared(words, tmp_path) -> list[str]:
    """Words of two systems on the small corpus, for ``plan``."""
    (tmp_path / "sweep.yaml").write_text("hydra: {sweeper: {params: {model: 'ncls,mclas'}}}\n")
    return [*words, "init_from=null", "model.initialize=[]"]


def test_what_can_start_has_no_problems(shared, tmp_path):
    assert run_problems(plan_runs([str(tmp_path / "sweep.yaml")], shared), slurm=False) == []


def test_a_problem_is_listed_once_with_the_runs_that_have_it(shared, tmp_path, corpus):
    (corpus / "en2de" / "valid.jsonl").unlink()
    seeds = [*shared, "seed=0,1,2", "trainer.devices=2"]
    runs = plan_runs([str(tmp_path / "sweep.yaml")], seeds)
    devices, *files = run_problems(runs, slurm=False)
    assert devices.startswith(f"{runs[0]} and 5 more: trainer.devices=2")
    # Seeds share their corpus: it is looked at once for each system.
    assert [line.partition(": ")[0] for line in files] == [f"{runs[0]} and 1 more"]
    assert "valid.jsonl: no such file" in files[0]
    assert run_problems(runs, slurm=True) == files  # Slurm starts the processes itself.


def test_runs_that_could_not_write_are_a_problem(shared, tmp_path):
    (tmp_path / "runs").write_text("a file")
    (line,) = run_problems(plan_runs([str(tmp_path / "sweep.yaml")], shared), slurm=False)
    assert line.endswith("/runs: runs cannot be written there (Not a directory)")
    # Root may write everywhere, but no process makes a folder in /proc.
    in_proc = plan_runs([str(tmp_path / "sweep.yaml")], [*shared, "runs=/proc/x"])
    (line,) = run_problems(in_proc, slurm=False)
    assert "/proc: runs cannot be written there" in line


def test_a_baseline_has_no_updates_and_needs_the_test_set_alone(words, tmp_path, corpus):
    (tmp_path / "sweep.yaml").write_text("hydra: {sweeper: {params: {model: 'lead_1,oracle'}}}\n")
    (corpus / "en2de" / "train.jsonl").unlink()
    runs = plan_runs([str(tmp_path / "sweep.yaml")], words)
    assert [(run.model, run.updates) for run in runs] == [("lead_1", 0), ("oracle", 0)]
    assert run_problems(runs, slurm=False) == []
    (corpus / "en2de" / "test.jsonl").unlink()
    assert "test.jsonl: no such file" in run_problems(runs, slurm=False)[0]
