"""From a trained run to its test predictions and scores."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from mclas_lightning.data.example import Example, Side
from mclas_lightning.decoding.summarizer import Summaries, Summarizer
from mclas_lightning.files import sha256, whole_file
from mclas_lightning.metrics.rouge import self_test, signature
from mclas_lightning.metrics.score import score
from mclas_lightning.progress import progress_bar
from mclas_lightning.report.results import Results
from mclas_lightning.run import environment
from mclas_lightning.settings import Settings


def score_run(settings: Settings) -> Results:
    """Summarize the test documents; write predictions.jsonl and results.json."""
    run, dataset, task = settings.run, settings.dataset, settings.task
    run.check_content(dataset)
    for side in task.sides:
        self_test(dataset.language(side))
    examples = dataset.read("test", task.required)
    summaries = _summarize(run.summarizer(), examples, settings)
    lines = [
        {
            "id": example.id,
            "document": example.document,
            "hypotheses": summary,
            "references": {side: example.summary(side) for side in task.sides},
        }
        for example, summary in zip(examples, summaries, strict=True)
    ]
    results = Results(
        dataset=dataset.name,
        scenario=settings.scenario,
        model=task.name,
        seed=settings.seed,
        languages={"source": dataset.source, "target": dataset.target},
        scores={side: _score(side, examples, summaries, settings) for side in task.sides},
        signatures={side: signature(dataset.language(side)) for side in task.sides},
        decoding=asdict(settings.decoding),
        provenance={
            "config_sha256": sha256(run.folder / "config.yaml"),
            "subset_sha256": sha256(settings.subset_manifest),
            "test_sha256": sha256(dataset.file("test")),
            **environment(),
        },
    )
    with whole_file(run.folder / "predictions.jsonl") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    results.write(run.folder / "results.json")
    return results


def _summarize(
    summarizer: Summarizer, examples: Sequence[Example], settings: Settings
) -> list[Summaries]:
    summarizer.network.to(settings.device)
    texts = [summarizer.task.source_text(example) for example in examples]
    with progress_bar(len(texts), "summarizing", "documents") as bar:
        return summarizer.summarize(texts, settings.decoding, bar.update)


def _score(
    side: Side, examples: Sequence[Example], summaries: Sequence[Summaries], settings: Settings
) -> dict[str, float]:
    dataset = settings.dataset
    return score(
        [summary[side] for summary in summaries],
        # Released code: references are detokenized, cut ids. We: the corpus's own text.
        [example.summary(side) or "" for example in examples],
        language=dataset.language(side),
        other_language=dataset.target if side == "mono" else dataset.source,
    )
