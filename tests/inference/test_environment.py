from mclas_lightning.inference.environment import PACKAGES, environment


def test_the_environment_names_versions_and_machine():
    found = environment()
    assert set(found["packages"]) == set(PACKAGES)
    assert {"git_commit", "git_changes", "python", "platform", "threads", "cuda"} <= found.keys()
