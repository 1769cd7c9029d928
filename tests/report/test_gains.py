from dataclasses import replace

import numpy as np
import pytest

from benchmarks.runs import write_run
from mclas_lightning.errors import InputError
from mclas_lightning.metrics.significance import compare_all, holm_corrected
from mclas_lightning.report.gains import MAIN, Place, by_place, gain_lines, gains
from mclas_lightning.runs.documents import DOCUMENT_SCORES
from mclas_lightning.runs.results import find_results

MODELS = ("mclas", "ncls", "ncls_ms")


@pytest.fixture
def write(tmp_path):
    """Write made-up runs of each system in these scenarios; all finished runs below."""

    def written(scenarios: tuple[str, ...], seeds: int, models: tuple[str, ...] = MODELS):
        places = [(s, m, seed) for s in scenarios for m in models for seed in range(seeds)]
        for scenario, model, seed in places:
            write_run(tmp_path, "toy_en2de", scenario, model, seed, num=31)
        return find_results(tmp_path)

    return written


def test_gains_are_the_corrected_differences_in_rouge_1(write):
    results = write(("minimum", "maximum"), seeds=1)
    found = gains(by_place(results))
    assert [gain.place for gain in found] == [
        Place("toy_en2de", scenario, model)
        for scenario in ("minimum", "maximum")
        for model in ("ncls", "ncls_ms")
    ]
    scores = {(run.scenario, run.model): 100 * run.documents([MAIN])[MAIN] for run in results}
    pairs = [(scores[g.place.scenario, "mclas"], scores[g.place[1:]]) for g in found]
    expected = holm_corrected(compare_all([(a[None], b[None]) for a, b in pairs]))
    assert [gain.compared for gain in found] == expected
    assert found[0].compared.difference == pytest.approx((pairs[0][0] - pairs[0][1]).mean())


def test_a_line_says_each_difference_and_whether_it_is_sure(write):
    results = write(("minimum", "maximum"), seeds=1)
    ncls, ncls_ms, how, once = gain_lines(results)
    assert ncls.startswith("toy_en2de, MCLAS against NCLS: minimum ")
    assert ncls_ms.startswith("toy_en2de, MCLAS against NCLS+MS: minimum ")
    for gain in gains(by_place(results)):
        line = ncls if gain.place.model == "ncls" else ncls_ms
        it = gain.compared
        word = "better" if it.difference >= 0 else "worse"
        sure = "sure" if it.p < 0.05 else "not sure"
        assert (
            f"{gain.place.scenario} {abs(it.difference):.1f} ROUGE-1 {word} "
            f"[{it.low:+z.1f}, {it.high:+z.1f}], {sure}"
        ) in line
    assert how.endswith("over these 4 differences.")
    assert once.startswith("Each system was trained once: ")


@pytest.mark.parametrize(("seeds", "first"), [((1,), "ncls.seed=0"), ((0, 1), "mclas.seed=0")])
def test_scores_of_other_documents_are_not_subtracted(write, tmp_path, seeds, first):
    results = write(("minimum",), seeds=2)
    for seed in seeds:
        path = tmp_path / "toy_en2de" / "minimum" / "ncls" / f"seed={seed}" / DOCUMENT_SCORES
        with np.load(path) as scores:
            arrays = {name: scores[name] for name in scores.files}
        np.savez(path, **arrays | {"ids": arrays["ids"][::-1]})
    with pytest.raises(InputError, match=f"its test documents are not those of .*{first}"):
        gains(by_place(results))


def test_a_seed_without_scores_of_documents_is_named(write, tmp_path):
    results = write(("minimum",), seeds=3)
    folder = tmp_path / "toy_en2de" / "minimum" / "ncls" / "seed=2"
    (folder / DOCUMENT_SCORES).unlink()
    with pytest.raises(InputError, match=f"{folder}: lacks {MAIN} of single documents"):
        gains(by_place(results))


def test_scores_of_another_test_set_are_not_subtracted(write):
    results = write(("minimum",), seeds=1)
    of_set = {"mclas": "a", "ncls": "b", "ncls_ms": "a"}
    hashed = [
        replace(run, provenance=run.provenance | {"test_sha256": of_set[run.model]})
        for run in results
    ]
    with pytest.raises(InputError, match="are not those of"):
        gains(by_place(hashed))
    assert gains(by_place([run for run in hashed if run.model != "ncls"]))


def test_several_trainings_are_not_called_one(write):
    *_, how = gain_lines(write(("minimum",), seeds=2))
    assert how.endswith("over these 2 differences.")


def test_without_mclas_nothing_is_said(write):
    assert not list(gain_lines(write(("minimum",), seeds=1, models=("ncls", "ncls_ms"))))
