"""The words of ``mclas-train`` that start runs of a dataset as its existing runs were started."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mclas_lightning.config.overrides import command, override, uninterpolated
from mclas_lightning.corpora import catalog
from mclas_lightning.report.comparable import PRETRAINING_MODELS
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import COMPARED_MODELS
from mclas_lightning.report.started import (
    diverged,
    fine_tuning_words,
    is_trained,
    ms_place,
    own_corpus_words,
    pretraining_words,
    run_named,
    train_words,
    usual,
)
from mclas_lightning.runs.identity import has_network
from mclas_lightning.runs.results import SCENARIOS, Results
from mclas_lightning.task import MODELS

# WMT19's translator, the paper's (section 5.3), knows no Chinese; other datasets train their own.
WMT19_DATASETS = ("en2desum",)


class SharedWords(NamedTuple):
    """What the runs of one command share: words before and after the axes, and missing seeds."""

    words: tuple[str, ...]
    more: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: Path | None = None  # in which the runs are made; None: that of the existing runs


RunsByWords = dict[SharedWords, list[tuple[str, str]]]  # scenarios and models by their shared words


def scenario_model_products(pairs: Iterable[tuple[str, str]]) -> list[tuple[list[str], list[str]]]:
    """Products of scenarios and models that together hold exactly ``pairs``; few products."""
    of_model: dict[str, list[str]] = {}
    for scenario, model in dict.fromkeys(pairs):
        of_model.setdefault(model, []).append(scenario)
    found: dict[tuple[str, ...], list[str]] = {}
    for model, scenarios in of_model.items():
        found.setdefault(tuple(sorted(scenarios, key=SCENARIOS.index)), []).append(model)
    return [
        (list(scenarios), sorted(models, key=list(MODELS).index))
        for scenarios, models in found.items()
    ]


class DatasetWords:
    """The words of mclas-train that start runs of a dataset as its existing runs were started."""

    def __init__(self, dataset: str, runs: Runs) -> None:
        self.dataset, self.runs = dataset, runs
        self.there = (*runs.of(dataset), *runs.unscored(dataset))  # with runs to score again
        choice = catalog.of_run(dataset)
        self.words = choice.words if choice else tuple(own_corpus_words(dataset, runs.of(dataset)))
        self.pretraining = choice.pretraining if choice else self.words
        self.pretrained = choice.pretrained if choice else dataset
        self.diverged: dict[Path, None] = {}  # runs that no command starts, as they were met
        self.own_mt = runs.folder / dataset / "full" / "mt"
        self.own_translator = override("model.translator", uninterpolated(str(self.own_mt)))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the dataset's compared systems; seed 0 where there are none."""
        compared = {run.seed for run in self.there if run.model in (*COMPARED_MODELS, "tltran")}
        return tuple(sorted(compared)) or (0,)

    def missing(self, scenario: str, model: str) -> list[int]:
        """The seeds that were not trained; runs to score again were."""
        own = {run.seed for run in self.there if (run.scenario, run.model) == (scenario, model)}
        return [seed for seed in self.seeds if seed not in own]

    @cached_property
    def translates(self) -> bool:
        """Whether the dataset's own translator is trained for every seed."""
        return all(is_trained(self.own_mt, seed) for seed in self.seeds)

    @cached_property
    def start(self) -> Path:
        """The ms run that the systems of tables 6 and 7 start from: MS-Pretrain."""
        return self.ms("maximum", "mclas") or self.runs.folder / self.pretrained / "full" / "ms"

    def jobs(
        self, pairs: Sequence[tuple[str, str]], starts: bool, more: Sequence[str] = ()
    ) -> RunsByWords:
        """Scenarios and models by the words that start them: those of the nearest existing run."""
        found: RunsByWords = {}
        for scenario, model in pairs:
            seeds = self.missing(scenario, model) or self.seeds
            place = self.ms(scenario, model) if starts else None
            init = [override("init_from", uninterpolated(str(place)))] if place else []
            parts = [place] if place else []
            parts += [self.own_mt] if self.own_translator in more else []
            parts.append(self.runs.folder / self.dataset / scenario / model)
            runnable = tuple(seed for seed in seeds if not self._diverged(parts, seed))
            if runnable:
                job = SharedWords(tuple(self.started(scenario, model)), (*init, *more), runnable)
                found.setdefault(job, []).append((scenario, model))
        return found

    def _diverged(self, parts: Iterable[Path], seed: int) -> bool:
        """Whether one of these runs has diverged, so that nothing starts it or starts from it."""
        found = [folder for place in parts for folder in diverged(place, seed)]
        self.diverged.update(dict.fromkeys(found))
        return bool(found)

    def own_jobs(self, scenario: str, model: str) -> RunsByWords:
        """The existing runs of a system, with the words that started the first of them."""
        pair, more = (scenario, model), ()
        if model == "tltran":
            place = self.ms(*pair)
            init = [override("init_from", uninterpolated(str(place)))] if place else []
            more = (*init, *self.translator(pair))
        seeds = tuple(run.seed for run in self._runs(*pair))
        return {SharedWords(tuple(self.started(*pair)), more, seeds): [pair]}

    def pretrainings(self, pairs: Sequence[tuple[str, str]], asked: bool) -> Iterator[str]:
        """Commands for missing ms runs, with the seeds of the systems that start from them."""
        needing: dict[Path, list[tuple[str, str]]] = {self.start: []} if asked else {}
        for pair in pairs:
            if place := self.ms(*pair):
                needing.setdefault(place, []).append(pair)
        for place, users in needing.items():
            # The words of an ms run under another name are not known.
            if place.parts[-3:] == (self.pretrained, "full", "ms"):
                also = self.seeds if asked and place == self.start else ()
                yield from self._pretraining(place, users, also)

    def _pretraining(
        self, place: Path, users: Sequence[tuple[str, str]], also: Sequence[int]
    ) -> Iterator[str]:
        seeds = {seed for job in self.jobs(users, False) for seed in job.seeds}.union(also)
        untrained = [seed for seed in sorted(seeds) if not is_trained(place, seed)]
        missing = tuple(seed for seed in untrained if not self._diverged([place], seed))
        if missing:
            root = place.parents[2]
            words = tuple(self._pretraining_words(root, users))
            job = SharedWords(words, (), missing, root)
            yield from self.lines("mclas-train", {job: [("full", "ms")]}, self.pretraining)

    def _pretraining_words(self, folder: Path, needing: Sequence[tuple[str, str]]) -> list[str]:
        """Words of the other ms runs, else words that match the first system that needs one."""
        runs = self.runs if folder == self.runs.folder else Runs(folder)
        for run in runs.of(self.pretrained):
            if run.model == "ms" and run.config:
                return train_words(run.config, self.pretraining)
        scenario, model = needing[0] if needing else ("full", "mclas")
        return pretraining_words(self.started(scenario, model))

    def started(self, scenario: str, model: str) -> list[str]:
        """The words that started the system's own run, else the usual ones of the nearest run."""
        for run, config in self._near(scenario, model):
            words = train_words(config, self.words)
            if run.model == "ms" != model:
                return fine_tuning_words(words)
            if (run.scenario, run.model) == (scenario, model):
                return words
            return usual(words, config, self._systems(scenario), (scenario, model))
        return []

    def _systems(self, scenario: str) -> list[Mapping[str, Any]]:
        """A configuration of each trained system in ``scenario``, or of all if it has none."""
        first: dict[tuple[str, str], Results] = {}
        for run in self.runs.of(self.dataset):
            if run.model not in PRETRAINING_MODELS and has_network(run.config or {}):
                first.setdefault((run.scenario, run.model), run)
        here = [run for run in first.values() if run.scenario == scenario]
        return [run.config for run in here or first.values() if run.config]

    def started_from_ms(self, scenario: str, model: str) -> bool:
        """Whether runs of the system are there that started from an ms run."""
        configs = [run.config or {} for run in self._runs(scenario, model)]
        return any(config.get("init_from") is not None for config in configs)

    def ms(self, scenario: str, model: str) -> Path | None:
        """The ms run that missing seeds start from, as the nearest run did; None from scratch."""
        configs = [run.config for run in self._runs(scenario, model) if run.config]
        if configs and all(config.get("init_from") is None for config in configs):
            return None
        near = self._near(scenario, model)
        places = (ms_place(config, run.seed, self.runs.folder) for run, config in near)
        return next(filter(None, places), self.runs.folder / self.pretrained / "full" / "ms")

    def translator(self, pair: tuple[str, str]) -> list[str]:
        """Words for TLTran's systems, those of its other seeds; none for WMT19's translator.

        The summarizer has a word where it is not the run of ``init_from``.
        """
        for run, config in self._near(*pair):
            if run.model == "tltran":
                parts = ["translator", *(["summarizer"] if not config.get("init_from") else [])]
                keys = [f"model.{part}" for part in parts]
                named = {key: run_named(config, key, self.runs.folder) for key in keys}
                return [override(key, uninterpolated(name)) for key, name in named.items() if name]
        return [] if self.dataset in WMT19_DATASETS else [self.own_translator]

    def _near(self, scenario: str, model: str) -> Iterator[tuple[Results, Mapping[str, Any]]]:
        """Runs of the dataset whose configuration can be read and is of use, most similar first."""

        def unlike(run: Results) -> tuple[bool, ...]:
            return (
                (run.scenario, run.model) != (scenario, model),
                (run.model == "ms") != (model == "ms"),
                run.scenario != scenario,
                run.model != model,
            )

        for run in sorted(self.runs.of(self.dataset), key=unlike):
            config = run.config
            if config is not None and (run.model == model or has_network(config)):
                yield run, config

    def _runs(self, scenario: str, model: str) -> list[Results]:
        runs = self.runs.of(self.dataset)
        return [run for run in runs if (run.scenario, run.model) == (scenario, model)]

    def lines(self, program: str, jobs: RunsByWords, corpus: Sequence[str] = ()) -> Iterator[str]:
        """A command for each product of scenarios and models, with all its seeds."""
        for job, pairs in jobs.items():
            for scenarios, models in scenario_model_products(pairs):
                yield self._line(program, corpus or self.words, job, scenarios, models)

    def _line(
        self, program: str, corpus: Sequence[str], job: SharedWords,
        scenarios: Sequence[str], models: Sequence[str],
    ) -> str:  # fmt: skip
        """A command; the full scenario and seed 0, defaults of mclas-train, stay unwritten."""
        folder = str(job.folder or self.runs.folder)
        words = [
            *(["-m"] if max(len(scenarios), len(models), len(job.seeds)) > 1 else []),
            *corpus,
            *job.words,
            *([] if scenarios == ["full"] else [f"scenario={','.join(scenarios)}"]),
            f"model={','.join(models)}",
            *([] if job.seeds == (0,) else [f"seed={','.join(map(str, job.seeds))}"]),
            *job.more,
            *([] if folder == "runs" else [override("runs", uninterpolated(folder))]),
        ]
        return command(program, words)
