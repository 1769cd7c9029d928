"""The model card of an exported run: a README.md with the metadata that a hub reads."""

from collections.abc import Iterator, Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from mclas_lightning.inference.trained import dataset_of, decoding_of, task_of
from mclas_lightning.runs.identity import decoding_differences, differences_in_words
from mclas_lightning.runs.recipe import recipe
from mclas_lightning.runs.results import Results, read_unedited
from mclas_lightning.runs.run import Run
from mclas_lightning.task import MODELS

HEADLINE = {"rouge1_f": "ROUGE-1", "rouge2_f": "ROUGE-2", "rougeL_f": "ROUGE-L"}

CARD = """---
{metadata}
---

# {title}

{system} summarizes texts in `{source}` and writes {sides}. It was trained with mclas-lightning, an
implementation of *Cross-Lingual Abstractive Summarization with Limited Parallel Resources*
(Bai, Gao and Huang, ACL-IJCNLP 2021).

## Use

```python
from mclas_lightning import Summarizer
summarizer = Summarizer.load({place!r})
print(summarizer(["A text in {source}."])[0])
```

## Scores

{scores}

## Data and licence

Trained on `{dataset}`, scenario `{scenario}`, seed {seed}. Licence of the data: {licence}.

## Limits

- A text is cut after {max_source:,} word pieces.
- A summary may state what its text does not say. Read it beside its text before you rely on it.
- Texts of other kinds than those of `{dataset}` are summarized worse than the scores say.

## Recipe

| key | value |
|---|---|
{recipe}
"""


def model_card(run: Run, place: str, license: str) -> str:
    """The card of a trained run that is loaded from ``place``.

    It has the scores of results.json, where the run was scored. InputError where these were edited.
    """
    config, dataset, task = run.config, dataset_of(run), task_of(run)
    path = run.folder / "results.json"
    results = read_unedited(path) if path.exists() else None
    system = MODELS.get(task.name, task.name)
    title = f"{system} on {dataset.name}"
    languages = [dataset.language(side) for side in task.sides]
    metadata = ModelCardData(
        language=list(dict.fromkeys([dataset.source, *languages])),
        license=license,
        library_name="mclas-lightning",
        pipeline_tag="summarization",
        tags=["cross-lingual-summarization", task.name],
        model_name=title,
        eval_results=list(_eval_results(results)) if results else None,
    )
    decoding = vars(decoding_of(run))
    rows = {**recipe(config), **{f"decoding.{key}": value for key, value in decoding.items()}}
    return CARD.format(
        metadata=metadata.to_yaml(),
        title=title,
        place=place,
        system=system,
        source=dataset.source,
        sides=" and ".join(
            f"{side} summaries in `{language}`"
            for side, language in zip(task.sides, languages, strict=True)
        ),
        scores=_scores(results, decoding) if results else "This run was not scored.",
        dataset=dataset.name,
        scenario=config.get("scenario"),
        seed=config.get("seed"),
        licence=dataset.licence.strip().rstrip("."),
        max_source=dataset.max_source,
        recipe="\n".join(f"| {key} | {_cell(value)} |" for key, value in rows.items()),
    )


def _eval_results(results: Results) -> Iterator[EvalResult]:
    # One name of a task would stand above all metrics of a data set, whatever their side.
    for side, scores in results.scores.items():
        for name, label in HEADLINE.items():
            yield EvalResult(
                task_type="summarization",
                dataset_type=results.dataset,
                dataset_name=results.dataset,
                dataset_split=results.split,
                metric_type="rouge",
                metric_name=f"{label} ({side}, {results.language(side)})",
                metric_value=round(100 * scores[name], 2),
            )


def _scores(results: Results, decoding: Mapping[str, Any]) -> str:
    lines = [f"| summaries | documents | {' | '.join(HEADLINE.values())} | length |"]
    lines.append("|---" * (3 + len(HEADLINE)) + "|")
    for side, scores in results.scores.items():
        numbers = " | ".join(f"{100 * scores[name]:.2f}" for name in HEADLINE)
        label = f"{side} ({results.language(side)})"
        lines.append(f"| {label} | {scores['num']:,} | {numbers} | {scores['length']:.1f} |")
    signed = [f"- {side}: `{found['rouge']}`" for side, found in results.signatures.items()]
    if unlike := decoding_differences(decoding, results.decoding):
        lines += [
            "",
            f"With another decoding than its own: {differences_in_words(unlike, 'scored')}.",
        ]
    return "\n".join([*lines, "", "Signatures of ROUGE:", "", *signed])


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
