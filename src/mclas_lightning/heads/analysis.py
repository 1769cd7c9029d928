"""The analysis of a run: scores of all decoders' heads, on reference and own summaries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.distributed import device_of
from mclas_lightning.example import Example
from mclas_lightning.heads.ablation import ablate
from mclas_lightning.heads.config import HeadsConfig
from mclas_lightning.heads.findings import (
    Findings,
    add_document,
    aligning_of,
    error_rates,
    shown_entry,
    summary_of,
)
from mclas_lightning.heads.gather import document_maps
from mclas_lightning.heads.inputs import (
    chosen_examples,
    decoding_anywhere,
    notes_on,
    own_summaries,
    task_of_trained,
)
from mclas_lightning.inference.trained import dataset_of, load_summarizer
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.heads import HeadsResults
from mclas_lightning.runs.run import Run


def analyze(
    run: Run,
    config: HeadsConfig,
    *,
    num: int,
    documents: Path | None = None,
    ids: Sequence[str] = (),
    out: Path | None = None,
    ablation: bool = False,
) -> HeadsResults:
    """Score the heads of ``run`` on ``num`` documents, and write heads.json and heads.npz.

    ``ids`` names the documents whose attention is kept. The files are written into ``out``, or into
    the run's folder. With ``ablation``, every head is silenced in turn, too.
    """
    task, dataset = task_of_trained(run), dataset_of(run)
    examples = chosen_examples(run, task, documents, num, ids)
    summarizer = load_summarizer(run)
    summarizer.network.to(device_of("auto", 1))
    own = own_summaries(run, summarizer, examples)
    shown = ids or [example.id for example in examples[: config.shown]]
    scores: dict[str, dict[str, Any]] = {}
    entries, maps, rates, ablations, notes = [], [], {}, {}, list[str]()
    for decoder, sides in task.targets.items():
        aligning = aligning_of(dataset, config) if "cross" in sides else None
        if aligning is not None:
            notes += aligning.notes(dataset.file("train"))
        gold: list[Summaries] = [
            {side: example.summary(side) or "" for side in sides} for example in examples
        ]
        scores[decoder] = {}
        for name, summaries in (("gold", gold), ("own", own)):
            found = Findings(config, aligning, {*shown} if name == "gold" else set())
            _read(found, summarizer, decoder, examples, summaries, run)
            scores[decoder][name] = summary_of(found)
            entries += [shown_entry(decoder, one) for one in found.kept]
            maps += [(one.maps.self_LHWW, one.maps.cross_LHWV) for one in found.kept]
            if name == "gold":
                rates |= error_rates(found, scores[decoder][name])
        if ablation:
            texts = [task.source_text(example) for example in examples]
            ablations[decoder] = ablate(
                summarizer, decoder, texts, gold, dataset.max_summary, decoding_anywhere(run)
            )
    results = HeadsResults(
        run=_identity(run),
        thresholds=config.thresholds,
        decoders=scores,
        alignment=rates,
        ablation=ablations,
        shown=entries,
        notes=[*notes, *notes_on(task, summarizer, examples, own)],
    )
    results.write(out or run.folder, maps)
    return results


def _read(
    found: Findings,
    summarizer: NetworkSummarizer,
    decoder: str,
    examples: Sequence[Example],
    summaries: Sequence[Summaries],
    run: Run,
) -> None:
    """Add every document whose summaries are not empty."""
    task, dataset = summarizer.task, dataset_of(run)
    limits = (dataset.max_summary, dataset.source)
    with progress_bar(len(examples), "reading attention", "documents") as bar:
        for example, summary in zip(examples, summaries, strict=True):
            if all(summary[side].strip() for side in task.targets[decoder]):
                text = task.source_text(example)
                maps = document_maps(summarizer, decoder, text, summary, *limits)
                add_document(found, example.id, maps)
            bar.update(1)


def _identity(run: Run) -> dict[str, Any]:
    config = run.config
    names = {key: config[key]["name"] for key in ("dataset", "model")}
    return {**names, "scenario": config["scenario"], "seed": config["seed"]}
