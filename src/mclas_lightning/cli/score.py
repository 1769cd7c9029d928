"""``mclas score``: the outputs of any systems against references; ``mclas rescore``: finished runs.

Torch is loaded only where an encoder is named.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mclas_lightning.cli.arguments import positive, seed
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES
from mclas_lightning.metrics.language import KNOWN_LANGUAGES

if TYPE_CHECKING:
    from mclas_lightning.evaluation.texts import SystemTexts
    from mclas_lightning.metrics.neural.scores import NeuralScores
    from mclas_lightning.metrics.score import SystemScores

SOME_SKIPPED, ALL_SKIPPED = 1, 2  # exit codes of ``mclas rescore``


def add_score(commands: argparse._SubParsersAction) -> None:
    """Add ``score``."""
    score = commands.add_parser(
        "score", help="score any system's outputs against references",
        epilog=f"languages (ISO 639-1): {' '.join(KNOWN_LANGUAGES)}",
    )  # fmt: skip
    score.add_argument(
        "--hypotheses", type=Path, nargs="+", required=True, metavar="FILE",
        help='a system each: a summary a line, or jsonl of {"id": ..., "text": ...}',
    )  # fmt: skip
    score.add_argument(
        "--references", type=Path, required=True, metavar="FILE",
        help="the right summaries, or a split of a corpus, such as data/toy/en2de/test.jsonl",
    )  # fmt: skip
    score.add_argument(
        "--side", choices=SIDES, default="cross",
        help="of a corpus: which summaries are the references (default: cross)",
    )  # fmt: skip
    score.add_argument("--lang", required=True, help="their language: zh, de, en, ...")
    score.add_argument(
        "--profile", default="standard",
        help="standard: characters or words; folded: without accents, as where a system has "
        "none; paper: as the paper's numbers (default: standard)",
    )  # fmt: skip
    score.add_argument(
        "--vocabulary", type=Path, metavar="FOLDER",
        help="tokenizer with the word pieces that the profile paper scores Chinese by",
    )  # fmt: skip
    add_encoder_options(score)
    score.add_argument(
        "--documents", type=Path, metavar="FILE",
        help="what was summarized, for --similarity (default: the documents of the corpus)",
    )  # fmt: skip
    score.add_argument("--resamples", type=positive, default=10_000, help="of tests (10,000)")
    score.add_argument("--seed", type=seed, default=0, help="of resampling (0)")
    score.add_argument("--json", action="store_true", help="everything, as JSON")
    score.set_defaults(run=_score)


def _score(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.evaluation.systems import (
        pairwise_comparisons,
        systems_json,
        systems_table,
        with_intervals,
    )
    from mclas_lightning.evaluation.texts import (
        check_parallel,
        check_references,
        read_references,
        read_texts,
        system_names,
    )
    from mclas_lightning.metrics.accents import lacks_accents
    from mclas_lightning.metrics.language import check_language
    from mclas_lightning.metrics.rouge import folded_profile, named_profile
    from mclas_lightning.metrics.score import system_scores
    from mclas_lightning.metrics.self_test import self_test
    from mclas_lightning.metrics.tokens import length_unit

    check_language(arguments.lang)
    _check_documents(arguments)
    way = named_profile(arguments.profile, arguments.lang, arguments.vocabulary)
    ways = [way, folded_profile(arguments.lang)] if way.name == "standard" else [way]
    for each in ways:
        self_test(each)
    names = system_names(arguments.hypotheses)
    references, documents = read_references(arguments.references, arguments.side)
    check_references(references)
    outputs = list(map(read_texts, arguments.hypotheses))
    for output in outputs:
        check_parallel(output, references)
    scores = {
        name: system_scores(output.texts, references.texts, ways)
        for name, output in zip(names, outputs, strict=True)
    }
    bare = [
        name
        for name, output in zip(names, outputs, strict=True)
        if len(ways) > 1 and lacks_accents(output.texts, references.texts)
    ]
    if bare:
        way = ways[-1]
    neural = load_encoders(arguments)
    if neural is not None:
        scores = _with_neural(neural, arguments, scores, outputs, references, documents)
    how = {"resamples": arguments.resamples, "seed": arguments.seed}
    systems = with_intervals(scores, **how)
    more = ["bertscore_f"] if arguments.bertscore else []
    pairs = pairwise_comparisons(systems, [*way.headline, *more], **how)
    if arguments.json:
        # json.dumps escapes non-ASCII characters, which not every encoding of stdout has.
        print(json.dumps(systems_json(systems, pairs), indent=2))
    else:
        Console().print(
            systems_table(systems, pairs, length_unit(arguments.lang), way.family, bare)
        )


def _check_documents(arguments: argparse.Namespace) -> None:
    if arguments.documents is not None and not arguments.similarity:
        raise InputError("--documents: is for --similarity alone; give that, too, or leave it out")


def _with_neural(
    neural: "NeuralScores",
    arguments: argparse.Namespace,
    scores: Mapping[str, "SystemScores"],
    outputs: Sequence["SystemTexts"],
    references: "SystemTexts",
    documents: "SystemTexts | None",
) -> dict[str, "SystemScores"]:
    from mclas_lightning.evaluation.texts import check_parallel, read_texts

    texts = [""] * len(references.texts)
    if arguments.similarity:
        if arguments.documents is not None:
            documents = read_texts(arguments.documents)
        if documents is None:
            raise InputError(
                "--similarity compares summaries with documents; give --documents FILE"
            )
        check_parallel(documents, references)
        texts = documents.texts
    found = neural.add(
        [*scores.values()], [o.texts for o in outputs], references.texts, texts, arguments.lang
    )
    return dict(zip(scores, found, strict=True))


def add_rescore(commands: argparse._SubParsersAction) -> None:
    """Add ``rescore``."""
    again = commands.add_parser(
        "rescore", help="score finished runs again from their predictions, with BERTScore, too"
    )
    again.add_argument(
        "words", nargs="+", metavar="RUN", help="a run's folder, or one with several"
    )
    add_encoder_options(again)
    again.set_defaults(run=_rescore)


def add_encoder_options(command: argparse.ArgumentParser) -> None:
    """Add the options that ``load_encoders`` reads."""
    command.add_argument(
        "--bertscore", metavar="MODEL", help="an encoder's name on a hub, or its folder"
    )
    command.add_argument(
        "--layer", type=positive, help="of that encoder (bert-score's, else three quarters of all)"
    )
    command.add_argument(
        "--rescale", action="store_true", help="BERTScore with bert-score's baseline"
    )
    command.add_argument(
        "--similarity", metavar="FOLDER", help="an e5 encoder: summaries against documents"
    )


def load_encoders(arguments: argparse.Namespace) -> "NeuralScores | None":
    """The named encoders, on a GPU where there is one; None, without loading torch, for no name."""
    if not any((arguments.bertscore, arguments.layer, arguments.rescale, arguments.similarity)):
        return None
    from mclas_lightning.config.groups import ScoringConfig
    from mclas_lightning.distributed import device_of
    from mclas_lightning.metrics.neural.scores import NeuralScores

    config = ScoringConfig(
        bertscore=arguments.bertscore,
        layer=arguments.layer,
        rescale=arguments.rescale,
        similarity=arguments.similarity,
    )
    return NeuralScores.load(config, device_of("auto", 1))


def _rescore(arguments: argparse.Namespace) -> None:
    from mclas_lightning.evaluation.scores import lost_families, rescore
    from mclas_lightning.metrics.neural.scores import NeuralScores
    from mclas_lightning.runs.results import Results
    from mclas_lightning.runs.run import finished_folders
    from mclas_lightning.runs.suspicion import with_suspicions

    runs = finished_folders([Path(word) for word in arguments.words])
    neural = load_encoders(arguments) or NeuralScores(bertscore=None, similarity=None)
    skipped = 0
    for run in runs:
        try:
            old = Results.read(run / "results.json")
            new = rescore(run, neural)
        except InputError as error:
            if len(runs) == 1:
                raise
            skipped += 1
            print(f"{run}\n  skipped: {error}", file=sys.stderr)
            continue
        print(f"{run}\n  {with_suspicions(new)}")
        if gone := lost_families(old, new):
            print(f"  could not be counted again, and is gone: {', '.join(gone)}")
    if skipped:
        print(f"{skipped} of {len(runs)} runs were skipped, see above", file=sys.stderr)
        sys.exit(ALL_SKIPPED if skipped == len(runs) else SOME_SKIPPED)
