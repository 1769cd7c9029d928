from mclas_lightning.files import CONF
from mclas_lightning.heads.config import heads_config


def test_every_kind_of_the_paper_has_a_threshold():
    thresholds = heads_config().thresholds
    assert {"translation", "local", "self"} <= thresholds["self"].keys()
    assert {"summarization", "translation"} <= thresholds["cross"].keys()
    assert (CONF / "heads.yaml").read_text("utf-8").startswith("# ")
