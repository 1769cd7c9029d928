"""Checks of all planned runs before the first one starts: folders, corpora, vocabularies, MS."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import read_ids
from mclas_lightning.distributed import check_processes
from mclas_lightning.errors import InputError, first_few
from mclas_lightning.inference.trained import ms_run
from mclas_lightning.inference.translator_languages import default_translator
from mclas_lightning.inference.translators import check_translates, translating_run
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.self_test import self_test
from mclas_lightning.runs.run import run_of_seed, seed_folders
from mclas_lightning.sweep.plan import LATE_KEYS, PlannedRun
from mclas_lightning.task import Baseline, Pipeline
from mclas_lightning.tracking.loggers import build_loggers
from mclas_lightning.training.preparation import check_examples, check_inputs


def run_problems(runs: Sequence[PlannedRun], slurm: bool) -> list[str]:
    """A line for each problem, with the runs that have it; no line means that all may start.

    Runs that differ in scenario and seed alone share their corpus, network and encoder: the first
    of them is checked in full, and of the first of each scenario its examples.
    """
    planned = {run.folder for run in runs}
    found: dict[str, list[PlannedRun]] = defaultdict(list)
    known: set[tuple[str, ...]] = set()
    for run in runs:
        kind = tuple(word for word in run.words if word.partition("=")[0] not in LATE_KEYS)
        with_scenario = (*kind, run.scenario)
        in_full, examples = kind not in known, with_scenario not in known
        for error in _errors(run, planned, in_full=in_full, examples=examples, slurm=slurm):
            found[str(error)].append(run)
        known |= {kind, with_scenario}
    return [f"{first_few([*map(str, having)], 1)}: {message}" for message, having in found.items()]


def _errors(
    run: PlannedRun, planned: Collection[Path], *, in_full: bool, examples: bool, slurm: bool
) -> Iterator[InputError]:
    try:
        settings, _ = read_settings(run.config)
    except InputError as error:
        yield error
        return
    checks: list[Callable[[], object]] = [
        lambda: _check_folder(run.folder),
        lambda: slurm or check_processes(settings.trainer),
    ]
    if isinstance(pipeline := settings.system, Pipeline):
        checks.append(lambda: _check_pipeline(settings, pipeline, planned))
    elif isinstance(settings.system, Baseline):
        checks.append(lambda: _check_test_set(settings))
    elif in_full:
        checks.append(lambda: _check_in_full(settings, planned))
    else:
        if examples:
            checks.append(lambda: check_examples(settings))
        if (name := settings.init_from) is not None:
            checks.append(lambda: _check_ms(name, settings.seed, "init_from", planned))
    if in_full:
        checks.append(lambda: build_loggers(settings.logger))
    for check in checks:
        try:
            check()
        except InputError as error:
            yield error


def _check_in_full(settings: Settings, planned: Collection[Path]) -> None:
    tokenizer, _, _ = check_inputs(settings, planned)
    check_examples(settings)
    _check_vocabulary(settings, tokenizer)


def _check_folder(folder: Path) -> None:
    """InputError where a run could not write its folder."""
    place = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    try:
        # Permissions alone do not tell: root has all, and no folder can be made in /proc.
        with TemporaryDirectory(prefix=".", dir=place):
            pass
    except OSError as error:
        raise InputError(f"{place}: runs cannot be written there ({error.strerror})") from error


def _check_vocabulary(settings: Settings, tokenizer: Tokenizer) -> None:
    dataset = settings.dataset
    if dataset.vocabulary is not None:
        for side in settings.task.sides:
            read_ids(Path(dataset.vocabulary, f"{dataset.language(side)}.json"), len(tokenizer))


def _check_test_set(settings: Settings) -> None:
    settings.dataset.check_first_examples(["test"], settings.system.required)


def _check_pipeline(settings: Settings, pipeline: Pipeline, planned: Collection[Path]) -> None:
    dataset = settings.dataset
    _check_test_set(settings)
    for side in pipeline.sides:
        self_test(standard_profile(dataset.language(side)))
    if pipeline.translator is None:
        default_translator(dataset.source, dataset.language("cross"), "model.translator")
    if pipeline.summarizer is None:
        raise InputError(
            f"model '{pipeline.name}' needs an ms run: name its folder with model.summarizer=..."
        )
    _check_ms(pipeline.summarizer, settings.seed, "model.summarizer", planned)
    if pipeline.translator is not None:
        _check_translator(pipeline.translator, settings, planned)


def _check_translator(name: str, settings: Settings, planned: Collection[Path]) -> None:
    """InputError for a run that cannot translate, or for a folder that does not exist.

    A file of translations need not exist; a model on a hub has a name of two parts at most.
    """
    if name.endswith(".jsonl") or set(seed_folders(name, settings.seed)) & set(planned):
        return
    folder = run_of_seed(name, settings.seed).folder
    if (run := translating_run(folder)) is not None:
        dataset = settings.dataset
        check_translates(run, dataset.source, dataset.language("cross"))
    elif not folder.exists() and (len(folder.parts) > 2 or name.startswith((".", "/", "~"))):
        raise InputError(
            f"model.translator={name}: no such folder; expected a run of model=mt, a translation "
            f"model's folder or name on a hub, or a .jsonl file of translations"
        )


def _check_ms(name: str, seed: int, word: str, planned: Collection[Path]) -> None:
    if not set(seed_folders(name, seed)) & set(planned):
        ms_run(name, seed, word)
