"""Commands that fill a table's missing cells: as few as Hydra's multiruns allow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mclas_lightning.config.overrides import command, exactly, override
from mclas_lightning.corpora import catalog
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import COMPARED_MODELS
from mclas_lightning.report.started import (
    config_of,
    is_trained,
    ms_place,
    of_fine_tuning,
    of_pretraining,
    own_corpus,
    words_of,
)
from mclas_lightning.runs.results import MODELS, SCENARIOS, Results

# Datasets of the paper's translator, that of WMT19 (section 5.3). It knows no Chinese; all other
# datasets have a trained translator.
WMT19 = ("en2desum",)

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


class SharedWords(NamedTuple):
    """What the runs of one command share: words before and after the axes, and missing seeds."""

    words: tuple[str, ...]
    more: tuple[str, ...]
    seeds: tuple[int, ...]


RunsByWords = dict[SharedWords, list[tuple[str, str]]]  # scenarios and models by their shared words


def gap_commands(dataset: str, gaps: Sequence[Gap], runs: Runs) -> list[str]:
    """Commands in the order to run them: MS pretraining first, where it is missing and needed.

    Empty for a dataset that has neither a file in ``conf/dataset/`` nor readable runs.
    """
    if not gaps or not (catalog.of_run(dataset) or runs.of(dataset)):
        return []
    words = _DatasetWords(dataset, runs)
    absent = [(gap.scenario, gap.model) for gap in gaps if gap.family is None]
    again = [gap for gap in gaps if gap.family is not None]
    return [*dict.fromkeys([*_trainings(absent, words), *_scorings(again, words)])]


def _trainings(absent: Sequence[tuple[str, str]], words: "_DatasetWords") -> Iterator[str]:
    tuned = [(s, m) for s, m in absent if m in COMPARED_MODELS and s != "full"]
    pipelines = [(s, m) for s, m in absent if m == "tltran"]
    yield from words.pretrainings([*tuned, *pipelines], asked=("full", "ms") in absent)
    alone = [(s, m) for s, m in absent if m not in ("ms", "tltran") and (s, m) not in tuned]
    for pairs, starts in ((tuned, True), (alone, False)):
        yield from words.lines("mclas-train", words.jobs(pairs, starts))
    for pair in pipelines:
        more = words.translator(pair)
        if more == [words.own_translator] and not words.translates:
            yield from words.lines("mclas-train", words.jobs([("full", "mt")], False))
        yield from words.lines("mclas-train", words.jobs([pair], True, more))


def _scorings(again: Sequence[Gap], words: "_DatasetWords") -> Iterator[str]:
    """Commands that score existing predictions again, or write them anew on another test set."""
    for gap in again:
        if gap.family == OTHER_TEST_SET:
            yield from words.lines("mclas-evaluate", words.own_jobs(gap.scenario, gap.model))
    families = {gap.family for gap in again} - {OTHER_TEST_SET, OTHER_TRAINING}
    if families:
        encoder = ["--bertscore", words.encoder] if "bertscore" in families else []
        yield command("mclas rescore", [str(words.runs.folder / words.dataset), *encoder])


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


class _DatasetWords:
    """The words of mclas-train that start runs of a dataset as its existing runs were started."""

    def __init__(self, dataset: str, runs: Runs) -> None:
        self.dataset, self.runs = dataset, runs
        choice = catalog.of_run(dataset)
        self.words = choice.words if choice else tuple(own_corpus(dataset, runs.of(dataset)))
        self.pretraining = choice.pretraining if choice else self.words
        self.pretrained = choice.pretrained if choice else dataset
        self.own_mt = runs.folder / dataset / "full" / "mt"
        self.own_translator = override("model.translator", exactly(str(self.own_mt)))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the dataset's compared systems; seed 0 where there are none."""
        compared = (
            r for r in self.runs.of(self.dataset) if r.model in (*COMPARED_MODELS, "tltran")
        )
        return tuple(sorted({run.seed for run in compared})) or (0,)

    @cached_property
    def translates(self) -> bool:
        """Whether the dataset's own translator is trained for every seed."""
        return all(is_trained(self.own_mt, seed) for seed in self.seeds)

    @cached_property
    def encoder(self) -> str:
        """The BERTScore encoder of the dataset's runs, else multilingual BERT."""
        configs = filter(None, map(config_of, self.runs.of(self.dataset)))
        named = (config.get("scoring", {}).get("bertscore") for config in configs)
        return next(filter(None, named), BERTSCORE_ENCODER)

    def jobs(
        self, pairs: Sequence[tuple[str, str]], starts: bool, more: Sequence[str] = ()
    ) -> RunsByWords:
        """Scenarios and models by the words that start them: those of the nearest existing run."""
        found: RunsByWords = {}
        for scenario, model in pairs:
            there = {r.seed for r in self._runs(scenario, model)}
            seeds = tuple(seed for seed in self.seeds if seed not in there) or self.seeds
            place = self.ms(scenario, model) if starts else None
            init = [override("init_from", exactly(str(place)))] if place else []
            job = SharedWords(tuple(self.started(scenario, model)), (*init, *more), seeds)
            found.setdefault(job, []).append((scenario, model))
        return found

    def own_jobs(self, scenario: str, model: str) -> RunsByWords:
        """The existing runs of a system, with the words that started the first of them."""
        pair, more = (scenario, model), ()
        if model == "tltran":
            init = override("init_from", exactly(str(self.ms(*pair))))
            more = (init, *self.translator(pair))
        seeds = tuple(run.seed for run in self._runs(*pair))
        return {SharedWords(tuple(self.started(*pair)), more, seeds): [pair]}

    def pretrainings(self, pairs: Sequence[tuple[str, str]], asked: bool) -> Iterator[str]:
        """Commands for missing ms runs, with the seeds of the systems that start from them."""
        own = self.runs.folder / self.pretrained / "full" / "ms"
        places = [(pair, self.ms(*pair)) for pair in pairs]
        needing = [pair for pair, place in places if place == own]
        seeds = {seed for job in self.jobs(needing, False) for seed in job.seeds}
        seeds |= set(self.seeds) if asked else set()
        missing = tuple(sorted(seed for seed in seeds if not is_trained(own, seed)))
        if missing:
            words = self._pretraining_words(needing)
            job = SharedWords(tuple(words), (), missing)
            yield from self.lines("mclas-train", {job: [("full", "ms")]}, self.pretraining)

    def _pretraining_words(self, needing: Sequence[tuple[str, str]]) -> list[str]:
        """Words of the other ms runs, else words that match the first system that needs one."""
        there = [run for run in self.runs.of(self.pretrained) if run.model == "ms"]
        for config in filter(None, map(config_of, there)):
            return words_of(config, self.pretraining)
        scenario, model = needing[0] if needing else ("full", "mclas")
        return of_pretraining(self.started(scenario, model))

    def started(self, scenario: str, model: str) -> list[str]:
        """The words that started the dataset's nearest run."""
        for run, config in self._near(scenario, model):
            words = words_of(config, self.words)
            return of_fine_tuning(words) if run.model == "ms" != model else words
        return []

    def ms(self, scenario: str, model: str) -> Path | None:
        """The ms run that missing seeds start from, as the nearest run did; None from scratch."""
        configs = [config for run in self._runs(scenario, model) if (config := config_of(run))]
        if configs and all(config.get("init_from") is None for config in configs):
            return None
        places = (ms_place(config, run.seed) for run, config in self._near(scenario, model))
        return next(filter(None, places), self.runs.folder / self.pretrained / "full" / "ms")

    def translator(self, pair: tuple[str, str]) -> list[str]:
        """The word for TLTran's translator: that of its other seeds; no word for WMT19's."""
        for run, config in self._near(*pair):
            if run.model == "tltran":
                named = config.get("model", {}).get("translator")
                return [override("model.translator", exactly(named))] if named else []
        return [] if self.dataset in WMT19 else [self.own_translator]

    def _near(self, scenario: str, model: str) -> Iterator[tuple[Results, Mapping[str, Any]]]:
        """Runs of the dataset with a readable configuration, the most similar first."""

        def unlike(run: Results) -> tuple[bool, ...]:
            return (
                (run.scenario, run.model) != (scenario, model),
                (run.model == "ms") != (model == "ms"),
                run.scenario != scenario,
                run.model != model,
            )

        for run in sorted(self.runs.of(self.dataset), key=unlike):
            if (config := config_of(run)) is not None:
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
        self,
        program: str,
        corpus: Sequence[str],
        job: SharedWords,
        scenarios: Sequence[str],
        models: Sequence[str],
    ) -> str:
        """A command; the full scenario and seed 0, defaults of mclas-train, stay unwritten."""
        folder = str(self.runs.folder)
        words = [
            *(["-m"] if max(len(scenarios), len(models), len(job.seeds)) > 1 else []),
            *corpus,
            *job.words,
            *([] if scenarios == ["full"] else [f"scenario={','.join(scenarios)}"]),
            f"model={','.join(models)}",
            *([] if job.seeds == (0,) else [f"seed={','.join(map(str, job.seeds))}"]),
            *job.more,
            *([] if folder == "runs" else [override("runs", exactly(folder))]),
        ]
        return command(program, words)
