"""Commands that fill a table's missing cells: as few as Hydra's multiruns allow."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mclas_lightning.config.overrides import command
from mclas_lightning.corpora import catalog
from mclas_lightning.report.dataset_words import DatasetWords
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import COMPARED_MODELS
from mclas_lightning.report.pretrained import MS_PLACE, pretraining_evaluations
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import DIVERGED_ADVICE

# Values of Gap.family for seeds that have no mean.
OTHER_TEST_SET = "test set"  # test sets or decodings differ; the runs are evaluated again
OTHER_TRAINING = "training"  # trainings differ; the user decides which to keep

BERTSCORE_ENCODER = "bert-base-multilingual-cased"


class Gap(NamedTuple):
    """Missing cells of one system: all (``family`` None), or those of one family of scores."""

    scenario: str
    model: str
    family: str | None
    cells: int


class Filling(NamedTuple):
    """What fills gaps: ``commands``, and notes on diverged runs, which no command starts."""

    commands: list[str]
    notes: list[str]


def filling(dataset: str, gaps: Sequence[Gap], runs: Runs) -> Filling:
    """Commands in the order to run them: MS pretraining first, where it is missing and needed.

    Trained runs whose results.json was set aside are scored again. Nothing is trained for a dataset
    that has neither a file in ``conf/dataset/`` nor readable runs.
    """
    absent = [(gap.scenario, gap.model) for gap in gaps if gap.family is None]
    unscored = [run for run in runs.unscored(dataset) if (run.scenario, run.model) in absent]
    evaluations = [command("mclas-evaluate", [str(run.folder)]) for run in unscored]
    if not gaps or not (catalog.of_run(dataset) or runs.of(dataset)):
        return Filling(evaluations, [])
    words = DatasetWords(dataset, runs)
    trained = {(run.scenario, run.model) for run in unscored}
    absent = [pair for pair in absent if pair not in trained or words.missing(*pair)]
    again = [gap for gap in gaps if gap.family is not None]
    commands = [*evaluations, *_trainings(absent, words), *_scorings(again, words)]
    places = ", ".join(sorted(map(str, words.diverged)))
    note = f"Diverged: {places}. Train another seed, or {DIVERGED_ADVICE}."
    return Filling(list(dict.fromkeys(commands)), [note] if places else [])


def _trainings(absent: Sequence[tuple[str, str]], words: DatasetWords) -> Iterator[str]:
    tuned = [
        (s, m)
        for s, m in absent
        if m in COMPARED_MODELS and (s != "full" or words.started_from_ms(s, m))
    ]
    pipelines = [(s, m) for s, m in absent if m == "tltran"]
    yield from words.pretrainings([*tuned, *pipelines], asked=MS_PLACE in absent)
    if MS_PLACE in absent:
        yield from pretraining_evaluations(words)
    alone = [(s, m) for s, m in absent if m not in ("ms", "tltran") and (s, m) not in tuned]
    for pairs, starts in ((tuned, True), (alone, False)):
        yield from words.lines("mclas-train", words.jobs(pairs, starts))
    for pair in pipelines:
        more = words.translator(pair)
        if more == [words.own_translator] and not words.translates:
            yield from words.lines("mclas-train", words.jobs([("full", "mt")], False))
        yield from words.lines("mclas-train", words.jobs([pair], True, more))


def _scorings(again: Sequence[Gap], words: DatasetWords) -> Iterator[str]:
    """Commands that score existing predictions again, or write them anew on another test set."""
    for gap in again:
        if gap.family == OTHER_TEST_SET:
            yield from words.lines("mclas-evaluate", words.own_jobs(gap.scenario, gap.model))
    families = {gap.family for gap in again} - {OTHER_TEST_SET, OTHER_TRAINING}
    if families:
        encoder = _encoder(words.runs.of(words.dataset)) if "bertscore" in families else []
        yield command("mclas rescore", [str(words.runs.folder / words.dataset), *encoder])


def _encoder(runs: Iterable[Results]) -> list[str]:
    """Words of ``mclas rescore`` for BERTScore as these runs have it, else by multilingual BERT."""
    scoring = (run.config.get("scoring", {}) for run in runs if run.config)
    own = next((found for found in scoring if found.get("bertscore")), {})
    layer = ["--layer", str(own["layer"])] if own.get("layer") is not None else []
    rescale = ["--rescale"] * bool(own.get("rescale"))
    return ["--bertscore", own.get("bertscore", BERTSCORE_ENCODER), *layer, *rescale]
