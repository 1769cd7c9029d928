from mclas_lightning.config.folders import conf_folders
from mclas_lightning.files import CONF


def test_a_conf_of_ones_own_stands_after_the_programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert conf_folders() == [CONF]
    (tmp_path / "conf").mkdir()
    assert conf_folders() == [CONF, tmp_path / "conf"]
    monkeypatch.chdir(CONF.parent)
    assert conf_folders() == [CONF]
