"""Build the toy and debian corpora, and the tokenizer and target vocabularies of any corpus."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.config.overrides import command, override, uninterpolated
from mclas_lightning.corpora import debian, toy
from mclas_lightning.corpora.manifest import training_files
from mclas_lightning.corpora.toy.editions import Edition
from mclas_lightning.data.store import open_store
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.data.vocabulary import read_ids, target_vocabulary
from mclas_lightning.errors import unknown_choice
from mclas_lightning.example import Side, read_jsonl
from mclas_lightning.files import num_records, write_json
from mclas_lightning.progress import progress_bar

DEBIAN_VOCABULARY = (12000, True)  # entries of the tokenizer, and whether it lower-cases

BAR_FROM = 500_000  # examples; fewer are read without a progress bar

MAX_SUMMARY_PIECES = 512  # word pieces of a summary that count for a target vocabulary


def build_toy(out: Path, seed: int, edition: Edition) -> None:
    """Write a corpus of toy stories and its tokenizer to ``out``, and print its size."""
    with progress_bar(sum(edition.sizes.values()), "writing", "stories") as bar:
        manifest = toy.write_toy(
            out,
            seed=seed,
            sizes=edition.sizes,
            edition=edition,
            progress=bar.update,
            finish=lambda folder: build_tokenizer(folder, edition.vocabulary, lowercase=False),
        )
    _print_summary(out, manifest)


def build_debian(out: Path, seed: int, suites: Sequence[str] | None) -> None:
    """Write the debian corpus and its tokenizer to ``out``, and print the number of examples."""
    manifest = debian.write_debian(
        out,
        suites=suites or debian.SUITES,
        seed=seed,
        finish=lambda folder: build_tokenizer(folder, *DEBIAN_VOCABULARY),
    )
    _print_summary(out, manifest)


def build_tokenizer(folder: Path, size: int, lowercase: bool) -> None:
    """Train ``folder/tokenizer`` on each train.jsonl in ``folder`` and below; InputError for none.

    ``size`` is the number of entries.
    """
    paths = training_files(folder)
    total = 2 * sum(map(num_records, paths))
    with progress_bar(total, "learning word pieces", "examples", disable=total < BAR_FROM) as bar:
        tokenizer = train_tokenizer(CorpusTexts(paths, bar.update), size=size, lowercase=lowercase)
    tokenizer.save(folder / "tokenizer")
    print(f"tokenizer: {len(tokenizer):,} word pieces from {len(paths)} files", flush=True)


@dataclass(frozen=True)
class CorpusTexts:
    """All texts of jsonl files, read anew by each iteration.

    ``progress`` is called with 1 after each example.
    """

    paths: Sequence[Path]
    progress: Callable[[int], object]

    def __iter__(self) -> Iterator[str]:
        for path in self.paths:
            for example in read_jsonl(path, unique=False):
                yield from filter(None, (example.document, example.mono, example.cross))
                self.progress(1)


def _print_summary(out: Path, manifest: dict) -> None:
    records = sum(file["records"] for file in manifest["files"].values())
    print(f"{out}: {records:,} examples in {len(manifest['files'])} files", flush=True)


def build_vocabulary(
    corpus: Path,
    out: Path,
    tokenizer: Tokenizer,
    source: str,
    target: str | None,
    *,
    released: Mapping[str, Path],
    store: Path,
) -> None:
    """Write ``out/<language>.json`` for each side: the token ids of its training summaries.

    A language in ``released`` gets the ids of a file instead, such as a released dictionary.
    InputError for a released language that the corpus lacks, and for ids beyond the tokenizer.
    """
    languages: dict[Side, str] = {"mono": source}
    if target:
        languages["cross"] = target
    for language in released:
        if language not in languages.values():
            raise unknown_choice("--released: language", language, languages.values())
    # Every list is read before the first is written: one that does not fit leaves all as it was.
    lists = {language: read_ids(path, len(tokenizer)) for language, path in released.items()}
    tokens = open_store(corpus / "train.jsonl", tokenizer, MAX_SUMMARY_PIECES, store)
    tokens.require(languages)
    for side, language in languages.items():
        found = target_vocabulary(tokens.written(side), tokenizer.special)
        kept, origin = found, f"{side} summaries of {tokens.path}"
        if language in released:
            origin = str(released[language])
            kept = target_vocabulary(lists[language], tokenizer.special)
        write_json(out / f"{language}.json", kept)
        print(
            f"{out / language}.json: {len(kept):,} of {len(tokenizer):,} word pieces, from {origin}"
        )
        if language in released:
            share = len(set(kept) & set(found)) / len(found)
            print(
                f"  it holds {share:.1%} of the {len(found):,} in {side} summaries of {tokens.path}"
            )
    word = override("dataset.vocabulary", uninterpolated(str(out)))
    print(f"use it with: {command('mclas-train ...', [word])}")
