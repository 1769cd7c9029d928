import numpy as np
import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.example import write_jsonl
from mclas_lightning.heads.analysis import analyze
from mclas_lightning.heads.config import heads_config
from mclas_lightning.inference.trained import dataset_of
from mclas_lightning.runs.heads import HeadsResults
from mclas_lightning.runs.run import Run
from tests.conftest import examples

CONFIG = heads_config()


def test_a_run_is_analyzed_on_references_and_own_summaries(trained, corpus, tmp_path):
    (corpus / "en2de" / "lexicon.tsv").write_text("storm\tSturm\nhits\ttrifft\n", "utf-8")
    run = Run(trained("model=mclas"))
    written = analyze(run, CONFIG, num=5, ids=["story-57"], out=tmp_path / "out", ablation=True)
    found = HeadsResults.read(tmp_path / "out")
    assert found == written
    assert found.run == {
        "dataset": "small", "model": "mclas", "scenario": "minimum", "seed": 0,
    }  # fmt: skip
    gold = found.decoders["decoder"]["gold"]
    assert gold["self"]["translation"]["num"] == 6
    assert np.shape(gold["cross"]["lookup"]["mean"]) == (1, 4)
    for score in [*gold["self"].values(), *gold["cross"].values()]:
        assert (np.array(score["low"]) <= np.array(score["mean"]) + 1e-4).all()
        assert (np.array(score["high"]) >= np.array(score["mean"]) - 1e-4).all()
    assert found.alignment["model 1"] < 0.5
    assert found.alignment.keys() == {
        "best head",
        "through the document",
        "diagonal",
        "random",
        "model 1",
    }
    change = found.ablation["decoder"]["change"]
    for array in (
        change["zero"]["cross"]["rouge1"]["mono"],
        change["mean"]["self"]["loss"]["cross"],
    ):
        assert np.shape(array) == (1, 4)
    maps = found.maps(tmp_path / "out", "story-57")
    assert maps.self_LHWW.shape[-2:] == (len(maps.of["target"]),) * 2
    np.testing.assert_allclose(maps.cross_LHWV.sum(-1), 1, atol=0.01)
    assert [found.shown[0]["id"], len(found.shown)] == ["story-57", 1]


def test_ncls_has_local_self_and_lookup_heads_alone_and_says_so(trained, tmp_path):
    run = Run(trained("model=ncls"))
    found = analyze(run, CONFIG, num=3, out=tmp_path, ablation=True)
    assert found.decoders["decoder"]["gold"]["self"].keys() == {"local", "self"}
    assert found.decoders["decoder"]["gold"]["cross"].keys() == {"lookup", "lookup_ahead"}
    assert found.ablation["decoder"]["loss"].keys() == {"cross"}
    assert any("model 'ncls': no decoder writes S^A" in note for note in found.notes)
    dataset_of(run).file("train").unlink()
    found = analyze(run, CONFIG, num=3, out=tmp_path)
    said = "train.jsonl: is not here; words are linked by identical strings alone"
    assert any(note.endswith(said) for note in found.notes)


def test_documents_of_another_file_are_summarized_and_cuts_are_said(trained, tmp_path):
    long = [e for e in examples(200) if len(e.document) > 100][:2]
    assert write_jsonl(tmp_path / "others.jsonl", long) == 2
    run = Run(trained("model=mclas", "dataset.max_source=11", "model.bos_after_lsep=true"))
    found = analyze(run, CONFIG, num=9, documents=tmp_path / "others.jsonl")
    assert found.decoders["decoder"]["gold"]["self"]["self"]["num"] == 2
    assert any("2 of 2 documents are longer than dataset.max_source=11" in n for n in found.notes)
    assert found.shown[0]["target"].count("[BOS]") == 2
    assert HeadsResults.read(run.folder) == found


def test_an_id_that_is_not_there_is_one_line(trained, corpus):
    run = Run(trained("model=mclas"))
    with pytest.raises(InputError, match="no document has the id 'none'; the first is 'story-51'"):
        analyze(run, CONFIG, num=3, ids=["none"])
