import json
import platform
import shutil

import torch

from mclas_lightning.config.compose import compose
from mclas_lightning.evaluation.again import decode_again
from mclas_lightning.train import train
from tests.report.score_sheets import change
from tests.test_verification import sign


def test_the_weights_write_the_predictions_again_and_others_do_not(finished_run, tmp_path):
    assert decode_again(finished_run, 5).state == "match"
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    checkpoint = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    for tensor in checkpoint["state_dict"].values():
        tensor.mul_(-1)
    torch.save(checkpoint, run / "checkpoints" / "best.ckpt")
    found = decode_again(run, 5)
    assert found.state == "mismatch"
    assert "documents, first 'story-" in found.said


def test_another_machine_is_named_where_summaries_differ(finished_run, tmp_path, monkeypatch):
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    for line in lines:
        line["hypotheses"]["cross"] = "something else"
    (run / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    sign(run)
    assert decode_again(run, 2).said == (
        f"2 of 2 documents, first '{decode_again(run, 1).said.split(chr(39))[1]}', "
        "are summarized otherwise"
    )
    monkeypatch.setattr(platform, "platform", lambda: "an abacus")
    assert decode_again(run, 2).said.endswith("(scored elsewhere: another platform)")


def test_a_system_that_reads_what_is_not_here_is_not_checked(words, corpus):
    results = train(compose("train", [*words, "model=copy_mono"]))
    assert results is not None
    assert results.folder is not None
    assert decode_again(results.folder, 2).state == "match"
    shutil.rmtree(corpus)
    found = decode_again(results.folder, 2)
    assert (found.state, "the system reads its mono summaries" in found.said) == ("unchecked", True)


def test_what_cannot_be_decoded_is_not_checked(finished_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    change(run / "results.json", decoding={"beam": 0})
    assert decode_again(run, 2).state == "unchecked"
    (run / "config.yaml").unlink()
    assert "was not made here" in decode_again(run, 2).said
