"""Corpora that are built on the user's machine, each with a vocabulary trained on it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mclas_lightning.data import debian, toy
from mclas_lightning.data.example import read_jsonl
from mclas_lightning.data.tokenizer import train
from mclas_lightning.progress import progress_bar

# Entries, and whether case is kept: generated news has no rare words, package descriptions do.
TOY_VOCABULARY = {"size": 4000, "lowercase": False}
DEBIAN_VOCABULARY = {"size": 12000, "lowercase": True}


def build_toy(out: Path, seed: int) -> None:
    """The generated corpus."""
    total = sum(toy.TOY_SIZES.values())
    with progress_bar(total, "writing", "stories") as bar:
        manifest = toy.build(out, seed=seed, sizes=toy.TOY_SIZES, progress=bar.update)
    _finish(out, manifest, TOY_VOCABULARY)


def build_debian(out: Path, seed: int, suites: Sequence[str] | None) -> None:
    """The corpus of package descriptions."""
    manifest = debian.build(out, suites=suites or debian.SUITES, seed=seed)
    _finish(out, manifest, DEBIAN_VOCABULARY)


def _finish(out: Path, manifest: dict, vocabulary: dict) -> None:
    trained = [out / name for name in sorted(manifest["files"]) if name.endswith("train.jsonl")]
    print("training the tokenizer", flush=True)
    tokenizer = train(_texts(trained), **vocabulary)
    tokenizer.save(out / "tokenizer")
    records = sum(file["records"] for file in manifest["files"].values())
    print(
        f"{out}: {records:,} examples in {len(manifest['files'])} files; "
        f"tokenizer of {len(tokenizer):,} word pieces"
    )


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        for example in read_jsonl(path):
            yield from (t for t in (example.document, example.mono, example.cross) if t)
