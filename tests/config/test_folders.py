import shutil

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.folders import conf_folders
from mclas_lightning.errors import InputError
from mclas_lightning.files import CONF


def test_a_conf_of_ones_own_stands_after_the_programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert conf_folders() == [CONF]
    (tmp_path / "conf").mkdir()
    assert conf_folders() == [CONF, tmp_path / "conf"]
    monkeypatch.chdir(CONF.parent)
    assert conf_folders() == [CONF]


def test_a_changed_copy_of_a_file_of_the_program_is_not_passed_over(tmp_path, monkeypatch):
    shutil.copytree(CONF, tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    rate = compose("train", ["dataset=toy"]).optim.encoder.lr
    changed = tmp_path / "conf" / "optim" / "tiny.yaml"
    changed.write_text(changed.read_text().replace(f"lr: {rate}", "lr: 0.7"))
    with pytest.raises(InputError, match=r"tiny\.yaml: would be passed over, because .* rename it"):
        compose("train", ["dataset=toy"])

    changed.rename(changed.with_stem("mine"))
    assert compose("train", ["dataset=toy", "optim=mine"]).optim.encoder.lr == 0.7
