"""The commands that write, each as short as it can be, on one small corpus.

A command works in the current folder, by relative paths, so that its files are equal to the last
bit in every copy of the folder. It is forked from a process that has imported all modules before.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning import evaluate, train
from mclas_lightning.cli.main import main as mclas
from mclas_lightning.corpora.roundtrip.build import RoundTrip, build_roundtrip
from mclas_lightning.data.store import open_store
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.errors import exits_cleanly
from tests.conftest import examples, small_words, write_corpus

MODEL = "runs/small/minimum/mclas/seed=0"

TRAINING = [*small_words(Path(".")), "decoding.beam=1", "decoding.max_length=4", "seed=0"]

SWEEP = "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {model: 'ncls,ms'}}}\n"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command, and the files before it that a fault may damage."""

    run: Callable[[], None]
    damaged: Sequence[str] = ()
    needs_run: bool = False


@dataclass(frozen=True)
class Words:
    """A translator that changes the case of a text."""

    identity: str

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Swap small and capital letters."""
        return [text.swapcase() for text in texts]


def words(main: Callable[[], None], *line: str) -> Callable[[], None]:
    """``main`` with the words of a command line."""

    def run() -> None:
        sys.argv = ["mclas", *line]
        main()

    return run


@exits_cleanly
def tokenize() -> None:
    """Make the stores of all splits."""
    tokenizer = Tokenizer.load("corpus/tokenizer")
    for split in ("train", "valid", "test"):
        opened = open_store(Path(f"corpus/en2de/{split}.jsonl"), tokenizer, 64, Path("store"))
        Path(f"{split}.ids.json").write_text(json.dumps([*map(opened.written, ("mono", "cross"))]))


@exits_cleanly
def round_trip() -> None:
    """Build a corpus from the pairs, by two translators that copy."""
    there, back = Words("there"), Words("back")
    job = RoundTrip(
        source="en", target="de", forward=there, backward=back, batch=4, rouge1=0.5, rouge2=0.2
    )
    build_roundtrip(Path("corpus/en2de"), Path("built"), job)


COMMANDS = {
    "import": Command(
        run=words(
            mclas, *("data", "import", "jsonl", "corpus/en2de", "--out", "imported"),
            *("--source", "en", "--target", "de", "--apart"),
        )
    ),
    "tokenizing": Command(run=tokenize),
    "vocabulary": Command(
        run=words(
            mclas, *("data", "vocab", "corpus/en2de", "--tokenizer", "corpus/tokenizer"),
            *("--source", "en", "--target", "de", "--store", "store"),
        )
    ),
    "training": Command(
        needs_run=True,
        run=words(train.main, *TRAINING, "model=ncls"),
        damaged=("store/*/*",),
    ),
    "evaluation": Command(
        needs_run=True,
        run=words(evaluate.main, MODEL, "decoding.max_length=6"),
        damaged=(f"{MODEL}/checkpoints/best.ckpt", f"{MODEL}/results.json", f"{MODEL}/p*.jsonl"),
    ),
    "rescoring": Command(
        needs_run=True,
        run=words(mclas, "rescore", MODEL),
        damaged=(f"{MODEL}/results.json", f"{MODEL}/predictions.jsonl", f"{MODEL}/scores.npz"),
    ),
    "sweep": Command(
        needs_run=True,
        run=words(mclas, "sweep", "run", "sweep.yaml", *TRAINING, "--launcher", "processes"),
    ),
    "round trip": Command(run=round_trip),
    "tables": Command(
        needs_run=True,
        run=words(
            mclas, *("report", "--out", "report/report.html", "--files", "report/files"),
            *("--runs", "runs", "--data", "data", "--dataset", "small"),
        ),
        damaged=(f"{MODEL}/results.json", f"{MODEL}/predictions.jsonl", f"{MODEL}/scores.npz"),
    ),
    "export": Command(
        needs_run=True,
        run=words(mclas, "export", MODEL, "exported"),
        damaged=(f"{MODEL}/checkpoints/best.ckpt",),
    ),
}  # fmt: skip


def prepare(place: Path) -> None:
    """Write a corpus and a sweep file into ``place``."""
    texts = [text for e in examples(60) for text in (e.document, e.mono, e.cross) if text]
    write_corpus(place / "corpus", train_tokenizer(texts, size=300, lowercase=False))
    (place / "sweep.yaml").write_text(SWEEP)


# Makes what other commands start from: a store and a finished run.
FIRST = words(train.main, *TRAINING, "model=mclas")
