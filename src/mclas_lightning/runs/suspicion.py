"""Results that look like those of a collapsed system, and why.

A figure is compared with the same figure of the references, so that a corpus of templates, of
extracts or of mixed languages is not marked. The limits lie between what was seen: 38 sides of the
demo's runs have a share of distinct summaries from 0.89 and repetition up to 0.08; 9 runs of a few
updates have a share of distinct summaries up to 0.01.
"""

from collections.abc import Iterator

from mclas_lightning.example import Side
from mclas_lightning.runs.results import Results
from mclas_lightning.task import BASELINES

LEAST_DOCUMENTS = 20  # fewer say little of a system

LEAST_DISTINCT = 0.5  # share of the references' own share of distinct texts

# How much a share may exceed that of the references. A summary may copy a sentence now and then,
# which every other summary does not do.
EXCESS = {"repetition": 0.15, "wrong_language": 0.25, "copied": 0.5}

MOST_WRONG_REFERENCES = 0.9  # share; more are of a test set in another pair of languages

MOST_EMPTY = 0.1  # share of the documents; references are never empty

SAID = {
    "repetition": "of a summary's word pairs stand in it before",
    "wrong_language": "of the summaries are in another language",
    "copied": "of the summaries are copied from their document word for word",
}


def suspicions(results: Results, side: Side) -> list[str]:
    """Why the summaries of one side are suspect; empty where they are not, and for baselines."""
    if results.model in BASELINES or results.scores[side]["num"] < LEAST_DOCUMENTS:
        return []
    return list(_reasons(results.scores[side]))


def with_suspicions(results: Results) -> str:
    """The headline of results, and a line for each reason to doubt them."""
    lines = [f"  suspect, {s}: {said}" for s in results.scores for said in suspicions(results, s)]
    return "\n".join([_headline(results), *lines])


def _headline(results: Results) -> str:
    """A line with the main scores of the cross summaries, or else of the mono summaries."""
    side: Side = "cross" if "cross" in results.scores else "mono"
    scores = results.scores[side]
    rouge = ", ".join(f"ROUGE-{n} {100 * scores[f'rouge{n}_f']:.2f}" for n in ("1", "2", "L"))
    more = f", BERTScore {scores['bertscore_f']:.4f}" if "bertscore_f" in scores else ""
    number = f"{scores['num']:,}"
    return f"{side} summaries ({results.language(side)}) of {number} documents: {rouge}{more}"


def _reasons(scores: dict[str, float]) -> Iterator[str]:
    distinct, of_references = scores.get("distinct"), scores.get("reference_distinct", 0.0)
    if distinct is not None and distinct < LEAST_DISTINCT * of_references:
        yield _said(distinct, "of the summaries are different texts", of_references)
    for name, excess in EXCESS.items():
        value, of_references = scores.get(name), scores.get(f"reference_{name}", 0.0)
        if value is not None and value > of_references + excess:
            yield _said(value, SAID[name], of_references)
    wrong = scores.get("reference_wrong_language", 0.0)
    if wrong > MOST_WRONG_REFERENCES:
        yield f"{wrong:.0%} of the references are in another language"
    empty = scores.get("empty", 0) / scores["num"]
    if empty > MOST_EMPTY:
        yield _said(empty, "of the summaries are empty", 0.0)


def _said(value: float, what: str, of_references: float) -> str:
    return f"{value:.0%} {what} (references {of_references:.0%})"
