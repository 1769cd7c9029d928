"""The study's findings as Markdown: runs, gains, worth of each idea, S^A beside S^B, the claim."""

import json
from collections.abc import Iterator, Sequence

from experiments.study import cases, heads, tuning
from experiments.study.effects import LOW_RESOURCE, PAPER_GAIN, Study, correlations, worth
from mclas_lightning.errors import first_few
from mclas_lightning.metrics.significance import SIGNIFICANCE_LEVEL
from mclas_lightning.report.gains import Gain, Place, gains
from mclas_lightning.runs.results import SCENARIOS
from mclas_lightning.sweep.axes import sweep_file
from mclas_lightning.sweep.plan import PlannedRun, plan_runs
from mclas_lightning.task import MODELS

# What is asked of search.json (``benchmarks.search``).
SEARCHED = ("joint", "staged", "reference S^A", "empty S^A")

SWEEPS = [path.stem for path in sorted(sweep_file("study_main").parent.glob("study_*.yaml"))]


HEAD = """# What the study found

Made by `make study-draw` from experiments/study/results, never by hand. The questions are
those of the [plan](../experiments/study/plan.md); scores are ROUGE-1 F of S^B on the test set, from
0 to 100.

"""


def findings(study: Study, sweeps: Sequence[str] = SWEEPS) -> str:
    """The findings as Markdown, and which of the runs of ``sweeps`` are missing."""
    sections = (_gains, _worth, _sides, _heads, tuning.drawn, cases.drawn, _verdict)
    parts = [_progress(study, sweeps), *(section(study) for section in sections)]
    return HEAD + "\n".join("\n".join(part) for part in parts)


def missing(study: Study, planned: Sequence[PlannedRun]) -> list[str]:
    """The runs of a plan that have no results."""
    found = {
        str(run.folder.relative_to(study.folder))
        for runs in study.results.values()
        for run in runs
        if run.folder
    }
    return [str(run) for run in planned if str(run) not in found]


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    rule = ["---"] * len(headings)
    return [f"| {' | '.join(map(str, row))} |" for row in (headings, rule, *rows)] + [""]


def _progress(study: Study, sweeps: Sequence[str]) -> Iterator[str]:
    yield "## Runs\n"
    rows = []
    for sweep in sweeps:
        planned = plan_runs([sweep])
        left = missing(study, planned)
        rows.append((sweep, len(planned), len(planned) - len(left), first_few(left) or "none"))
    yield from _table(["sweep", "planned", "done", "missing"], rows)
    cut = [
        f"{run.dataset}/{run.scenario}/{run.model}/seed={run.seed}"
        for runs in study.results.values()
        for run in runs
        if run.provenance.get("training", {}).get("cut_off")
    ]
    yield f"Cut off by the cap of updates while they improved: {', '.join(cut) or 'none'}.\n"


def _gains(study: Study) -> Iterator[str]:
    yield "## MCLAS against the others\n"
    yield (
        "The mean difference over seeds and documents, its 95 % interval, and p of the two-level "
        "bootstrap after Holm's correction over the table.\n"
    )
    rows = []
    for gain in gains(study.results):
        dataset, scenario, model = gain.place
        it = gain.compared
        rows.append(
            (dataset, scenario, f"{study.size(dataset, scenario):,}", MODELS[model],
             " and ".join(map(str, gain.seeds)), f"{it.difference:+.2f}",
             f"{it.low:+.2f} to {it.high:+.2f}", f"{it.p:.3f}", _decided(gain))
        )  # fmt: skip
    headings = ["dataset", "scenario", "parallel summaries", "MCLAS minus", "seeds", "difference",
                "interval", "p", "read as"]  # fmt: skip
    yield from _table(headings, rows)


def _decided(gain: Gain) -> str:
    it = gain.compared
    if it.p < SIGNIFICANCE_LEVEL:
        return "MCLAS better" if it.difference > 0 else "MCLAS worse"
    if it.high < PAPER_GAIN:
        return f"no gain of {PAPER_GAIN}"
    return "not decided"


def _worth(study: Study) -> Iterator[str]:
    yield "## What an idea is worth in parallel summaries\n"
    yield (
        "The number of parallel summaries at which the system without the idea reaches the score "
        "of the system with it (interpolated; `more` where it never does).\n"
    )
    rows = [
        (dataset, idea, better, plain, f"{size:,}", "more" if found is None else f"{found:,.0f}")
        for dataset in study.datasets
        for idea, better, plain, size, found in worth(study, dataset)
    ]
    yield from _table(["dataset", "idea", "with", "without", "summaries", "without needs"], rows)


def _sides(study: Study) -> Iterator[str]:
    yield "## S^A and S^B\n"
    yield (
        "ROUGE-1 of S^A, and Spearman's correlation of both summaries' ROUGE-1 over documents; mean"
        " and deviation over seeds. MS is a pretraining, before it is fine-tuned; NCLS+MS, which "
        "writes both summaries with two decoders, is the control.\n"
    )
    pretrained = [place for place in study.results if place.model == "ms"]
    rows = [(*_mono(study, place), "-") for place in pretrained]
    forced = []
    for dataset in study.datasets:
        for scenario in SCENARIOS:
            for model in ("mclas", "ncls_ms"):
                place = Place(dataset, scenario, model)
                if found := correlations(study, place):
                    rows.append((*_mono(study, place), heads.spread(found)))
                if searched := _searched(study, place):
                    forced.append(
                        (
                            dataset,
                            scenario,
                            len(searched),
                            *map(heads.spread, zip(*searched, strict=True)),
                        )
                    )
    headings = ["dataset", "scenario", "system", "seeds", "R-1 of S^A", "correlation"]
    yield from _table(headings, rows)
    yield (
        "ROUGE-1 of S^B with MCLAS's own S^A in one beam, after its own best S^A, after the "
        "reference S^A, and after an empty one.\n"
    )
    headings = ["dataset", "scenario", "seeds", "one beam", "own", "reference", "empty"]
    yield from _table(headings, forced)


def _mono(study: Study, place: Place) -> tuple[str, str, str, int, str]:
    """The place, its number of seeds, and ROUGE-1 of S^A."""
    scores = study.documents(place, "mono/rouge1_f")
    assert scores is not None
    return (*place[:2], MODELS[place.model], len(scores), heads.spread(scores.mean(1).tolist()))


def _searched(study: Study, place: Place) -> list[list[float]]:
    """``cross R-1`` of each search, of each seed that has a search.json."""
    found = []
    for run in study.results.get(place, ()):
        assert run.folder is not None
        path = run.folder / "search.json"
        if path.exists():
            record = json.loads(path.read_text(encoding="utf-8"))
            found.append([record[search]["cross R-1"] for search in SEARCHED])
    return found


def _heads(study: Study) -> Iterator[str]:
    for place in heads.places(study):
        all_of = heads.analyzed(study, place)
        yield f"## The decoder's heads: {place.dataset}, {place.scenario}\n"
        yield (
            f"MCLAS, {len(all_of)} seeds, mean and deviation ([Heads](heads.md) has definitions). "
            "Losses are those without the kind's best head minus those with all, in nats a word "
            "piece; the correlation is Spearman's, over heads, of the score with that change.\n"
        )
        headings = ["kind", "paper, of 48", "heads, of 8", "best score", "loss S^A", "loss S^B"]
        yield from _table([*headings, "corr. S^A", "corr. S^B"], [*heads.kinds(all_of)])
        yield from _table(["S^B aligned with S^A by", "error rate"], [*heads.alignments(all_of)])


def _verdict(study: Study) -> Iterator[str]:
    yield "## The claim\n"
    yield "What the plan said would count against it, and what was found:\n"
    found = gains(study.results)
    for dataset in study.datasets:
        yield f"- {dataset}: {_better_in(found, dataset)}; {_where_larger(found, dataset)}."
    scratch = gains(study.results, "mclas_scratch", ["ncls_scratch"])
    for gain in scratch:
        it = gain.compared
        yield (
            f"- {gain.place.dataset}, {gain.place.scenario}, from scratch: MCLAS minus NCLS "
            f"{it.difference:+.2f} ({it.low:+.2f} to {it.high:+.2f}): {_decided(gain)}."
        )
    yield ""


def _better_in(found: Sequence[Gain], dataset: str) -> str:
    by_scenario = {
        scenario: [gain for gain in found if gain.place[:2] == (dataset, scenario)]
        for scenario in LOW_RESOURCE
    }
    ran = [scenario for scenario, all_of in by_scenario.items() if len(all_of) == 2]
    better = [s for s in ran if all(_decided(gain) == "MCLAS better" for gain in by_scenario[s])]
    return (
        f"MCLAS better than both in {len(better)} of {len(ran)} low-resource scenarios that have "
        f"runs ({', '.join(better) or 'none'}; the claim needs two of three)"
    )


def _where_larger(found: Sequence[Gain], dataset: str) -> str:
    of_ncls = {
        g.place.scenario: g.compared.difference for g in found if g.place[::2] == (dataset, "ncls")
    }
    named = [
        f"{scenario} {of_ncls[scenario]:+.2f}" for scenario in SCENARIOS if scenario in of_ncls
    ]
    return f"gain over NCLS: {', '.join(named) or 'no runs'}"
