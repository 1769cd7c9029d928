"""Outputs of an outside system, scored on a corpus's test set and put where tables find them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mclas_lightning.config.settings import Settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.run import ScoredSummaries, load_neural, write_scores
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.evaluation.texts import SystemTexts, read_texts
from mclas_lightning.example import Example, Side
from mclas_lightning.files import sha256
from mclas_lightning.metrics.profiles import profiles_of
from mclas_lightning.metrics.rouge import Profile
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.results import Results
from mclas_lightning.task import BASELINES, MODELS


def import_outputs(settings: Settings, files: Mapping[Side, Path]) -> Results:
    """Score the summaries in ``files`` of each side, and write them into the run's folder.

    An earlier import there is replaced. InputError for the name of a system of this program, where
    a run is there, or where the files have not the documents or sides of the test set.
    """
    run, dataset, name = settings.run, settings.dataset, settings.system.name
    if name in {*MODELS, *MODELS.values(), *BASELINES, *BASELINES.values()}:
        raise InputError(f"--model {name}: is a system of this program; expected another name")
    if run.started:
        raise InputError(f"{run}: holds a run that was trained here; give another --model")
    if "cross" in files and dataset.target is None:
        raise InputError(
            f"{files['cross']}: dataset '{dataset.name}' is monolingual and has no cross "
            f"summaries; give the outputs with --mono FILE"
        )
    dataset.check_files(["test"])
    scored = EvaluationSet.of(dataset, "test")
    of_set = scored.origin()
    examples = scored.read(files)
    texts: dict[Side, list[str]] = {
        side: _in_order(read_texts(path), examples) for side, path in files.items()
    }
    summaries: list[dict[Side, str]] = [
        dict(zip(texts, of_example, strict=True))
        for of_example in zip(*texts.values(), strict=True)
    ]
    profiles: dict[Side, list[Profile]] = {
        side: profiles_of(dataset.language(side), run.folder / "tokenizer") for side in files
    }
    tested = ScoredSummaries(examples, summaries, profiles, load_neural(settings))
    outputs = {side: f"{path} {sha256(path)}" for side, path in files.items()}
    with locked(run.folder):
        return write_scores(
            settings, run.folder, tested, {**of_set, "recipe": {}, "outputs": outputs}, {}
        )


def _in_order(texts: SystemTexts, examples: Sequence[Example]) -> list[str]:
    """The texts in the order of ``examples``: by id, or as they are where they have no ids."""
    if len(texts.texts) != len(examples):
        raise InputError(
            f"{texts.path}: has {len(texts.texts):,} summaries, the test set {len(examples):,} "
            f"documents; give one for each, an empty line where there is none"
        )
    if texts.ids is None:
        return texts.texts
    by_id = dict(zip(texts.ids, texts.texts, strict=True))
    for example in examples:
        if example.id not in by_id:
            raise InputError(
                f"{texts.path}: has no summary of the document '{example.id}'; expected the ids of "
                f"the test set"
            )
    return [by_id[example.id] for example in examples]
