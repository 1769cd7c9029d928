import json

import pytest
import yaml

from mclas_lightning.errors import InputError
from mclas_lightning.heads.inputs import decoding_anywhere, own_summaries, task_of_trained
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.runs.run import Run
from tests.conftest import examples, read_lines


def made(folder, config, **files) -> Run:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return Run(folder)


def test_what_has_no_heads_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="no run here; expected a run's folder"):
        task_of_trained(Run(tmp_path / "none"))
    pipeline = made(tmp_path / "a", {"model": {"steps": ["summarize", "translate"]}})
    with pytest.raises(InputError, match="is a pipeline or a baseline, which has no"):
        task_of_trained(pipeline)
    with pytest.raises(InputError, match="its training has not ended"):
        task_of_trained(made(tmp_path / "b", {"model": {}}))
    model = {"name": "turned", "source": "document", "bos_after_lsep": False}
    turned = {"model": model | {"targets": {"decoder": ["cross", "mono"]}}}
    with pytest.raises(InputError, match=r"'turned' writes S\^B before S\^A; the kinds of heads"):
        task_of_trained(made(tmp_path / "d", turned, training={}))
    diverged = made(tmp_path / "c", {"model": {}}, diverged={"update": 3, "reason": "nan"})
    with pytest.raises(InputError, match="has diverged at update 3"):
        task_of_trained(diverged)


def test_a_run_that_was_decoded_on_another_device_is_analyzed_here(trained):
    run = Run(trained("model=mclas"))
    kept = run.config["decoding"]
    run.config["decoding"] = {**kept, "captured": True, "weights": "bfloat16"}
    decoding = decoding_anywhere(run)
    assert (decoding.captured, decoding.weights) == (False, "auto")
    assert decoding.beam == kept["beam"]


def test_own_summaries_are_the_scored_ones_and_others_are_decoded(trained):
    run = Run(trained("model=mclas"))
    summarizer = load_summarizer(run)
    stories = [*examples(2, 51), *examples(1, 90)]
    found = own_summaries(run, summarizer, stories)
    lines = {
        line["id"]: line["hypotheses"] for line in read_lines(run.folder / "predictions.jsonl")
    }
    assert found[:2] == [lines[story.id] for story in stories[:2]]
    assert found[2].keys() == {"mono", "cross"}
    assert "story-90" not in lines
