"""What an analysis of heads reads: a trained run, documents, and the run's own summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import read_examples
from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Example
from mclas_lightning.inference.trained import dataset_of, decoding_of, task_of
from mclas_lightning.runs.predictions import PREDICTIONS, read_predictions
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.task import Task


def task_of_trained(run: Run) -> Task:
    """The task of a trained run; InputError for another one, and for an unfinished training."""
    if not run.started:
        raise InputError(f"{run}: no run here; expected a run's folder, .../seed=<n>")
    run.check_trained()
    task = task_of(run)
    if ("cross", "mono") in task.targets.values():
        raise InputError(
            f"{run}: model '{task.name}' writes S^B before S^A; the kinds of heads are those of "
            f"decoders that write S^A first"
        )
    return task


def chosen_examples(
    run: Run, task: Task, documents: Path | None, num: int, ids: Sequence[str]
) -> list[Example]:
    """The first ``num`` documents and those of ``ids``; InputError for an id that is not there."""
    path = documents or dataset_of(run).file("test")
    examples = read_examples(path, task.required)
    by_id = {example.id: example for example in examples}
    for id in ids:
        if id not in by_id:
            raise InputError(
                f"{path}: no document has the id '{id}'; the first is '{examples[0].id}'"
            )
    return list({e.id: e for e in [*(by_id[id] for id in ids), *examples[:num]]}.values())


def own_summaries(
    run: Run, summarizer: NetworkSummarizer, examples: Sequence[Example]
) -> list[Summaries]:
    """The run's summaries: from predictions.jsonl, and decoded where a document is not there."""
    known: Mapping[str, Any] = {}
    if run.finished and (run.folder / PREDICTIONS).exists():
        known = read_predictions(Results.read(run.folder / "results.json"))
    missing = [e for e in examples if e.id not in known or known[e.id].document != e.document]
    texts = [summarizer.task.source_text(example) for example in missing]
    decoded = summarizer.summarize(texts, decoding_anywhere(run)) if texts else []
    made = {example.id: found for example, found in zip(missing, decoded, strict=True)}
    return [made.get(e.id) or known[e.id].hypotheses for e in examples]


def decoding_anywhere(run: Run) -> DecodingConfig:
    """The run's decoding without what only some devices can: CUDA graphs, weights of few bits."""
    return replace(decoding_of(run), captured=False, weights="auto")


def notes_on(
    task: Task, summarizer: NetworkSummarizer, examples: Sequence[Example], own: Sequence[Summaries]
) -> list[str]:
    """What the numbers do not cover: kinds, cut documents, empty summaries."""
    notes = []
    if SIDES not in task.targets.values():
        notes.append(
            f"model '{task.name}': no decoder writes S^A and then S^B, so that kinds that compare "
            "the two are left out; what can be told are local and self heads, and lookup heads of "
            "a decoder that writes S^B"
        )
    texts = [task.source_text(example) for example in examples]
    limit = summarizer.max_source
    longer = summarizer.tokenizer.encode_sources(texts, limit + 1, summarizer.sentences)
    if cut := sum(len(ids) > limit for ids in longer):
        notes.append(
            f"{cut:,} of {len(texts):,} documents are longer than dataset.max_source={limit} word "
            "pieces; the rest of them is not read"
        )
    if empty := sum(not all(text.strip() for text in summary.values()) for summary in own):
        notes.append(f"{empty:,} of {len(own):,} own summaries are empty and left out")
    return notes
