import pytest

from mclas_lightning.data.vocabulary import load_vocabulary, save_vocabulary, target_vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.files import write_json


def test_a_target_vocabulary_is_what_its_summaries_use(tmp_path, tokenizer):
    special = tokenizer.special
    ids = target_vocabulary([9, 11, special.unk, 8], special)
    assert ids == [8, 9, 11]
    save_vocabulary(tmp_path, {"mono": ids})
    assert load_vocabulary(tmp_path, ("mono",), 12) == {"mono": ids}
    with pytest.raises(InputError, match=r"mono\.json: expected a list of ids below 11"):
        load_vocabulary(tmp_path, ("mono",), 11)
    write_json(tmp_path / "cross.json", ["nine"])
    with pytest.raises(InputError, match=r"cross\.json: expected a list of ids"):
        load_vocabulary(tmp_path, ("cross",), 99)
