"""MS-Pretrain in tables 6 and 7: the ms run that a dataset's systems start from.

Where that run is of another corpus, its own results are of another test set. Its row then has the
scores that ``mclas-evaluate MS_RUN dataset=...`` wrote of the dataset's test set into ``test/``.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError
from mclas_lightning.report.comparable import unlike_decodings
from mclas_lightning.report.dataset_words import DatasetWords
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.started import diverged
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run

MS_PLACE = ("full", "ms")


def with_pretraining(dataset: str, runs: Runs) -> list[Results]:
    """The dataset's results, with those of the ms run that its systems start from.

    These replace results of an ms run in the dataset's own folder.
    """
    own = runs.of(dataset)
    if not own:
        return []
    words = DatasetWords(dataset, runs)
    found = [] if _is_own(words) else _scored(words)
    return [run for run in own if not found or (run.scenario, run.model) != MS_PLACE] + found


def pretraining_evaluations(words: DatasetWords) -> Iterator[str]:
    """Commands that score an ms run of another corpus on the dataset's test set, for each seed."""
    if _is_own(words):
        return
    scored = [run.folder for run in _scored(words) if run.folder]
    corpus = [
        w for w in words.started("maximum", "mclas") if w.startswith(("data=", "dataset.path="))
    ]
    for folder in _folders(words):
        if not any(one.is_relative_to(folder) for one in scored):
            yield command("mclas-evaluate", [str(folder), *words.words, *corpus])


def _is_own(words: DatasetWords) -> bool:
    """Whether systems start from the ms run in the dataset's own folder."""
    return words.start == words.runs.folder.joinpath(words.dataset, *MS_PLACE)


def _folders(words: DatasetWords) -> list[Path]:
    """The folders of the ms run, one for each seed, unless a single run serves all seeds."""
    if Run(words.start).trained:
        return [words.start]
    return [words.start / f"seed={n}" for n in words.seeds if not diverged(words.start, n)]


def _scored(words: DatasetWords) -> list[Results]:
    """The ms run's scores of the dataset's test set; of several decodings, that of its systems."""
    own = [run for run in words.runs.of(words.dataset) if "mono" in run.scores]
    own = [run for run in own if run.model != "ms"]
    tests = {run.provenance.get("test_sha256") for run in own} - {None}
    found: dict[int, list[Results]] = {}
    for folder in _folders(words):
        for path in sorted([*folder.glob("results.json"), *folder.glob("test/*/results.json")]):
            with suppress(InputError):  # A damaged file is scored again.
                run = Results.read(path)
                if run.model == "ms" and run.provenance.get("test_sha256") in tests:
                    found.setdefault(run.seed, []).append(run)
    return [
        min(tried, key=lambda run: bool(unlike_decodings([run, *own[:1]])))
        for _, tried in sorted(found.items())
    ]
