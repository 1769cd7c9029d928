"""Build the debian corpus: fetch descriptions, join them, filter and split examples, write."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from mclas_lightning.corpora.debian.apt import SUITES, check_suites, fetch
from mclas_lightning.corpora.debian.index import TRANSLATION_CODES, Index, num_words, read_index
from mclas_lightning.corpora.debian.split import CORPORA, Splits, split_corpora
from mclas_lightning.corpora.manifest import check_replaceable, whole_corpus
from mclas_lightning.example import Example, write_jsonl
from mclas_lightning.files import make_folder, sha256, write_json


def mean_lengths(
    splits: Mapping[Any, Sequence[Example]], source: str, target: str | None
) -> dict[str, float]:
    """The mean length of documents and summaries in words, or of Chinese ones in characters."""
    rows = [row for split in splits.values() for row in split]
    texts = {
        "document": [num_words(row.document, source) for row in rows],
        "mono": [num_words(row.mono or "", source) for row in rows],
    }
    if target:
        texts["cross"] = [num_words(row.cross or "", target) for row in rows]
    return {name: round(fmean(lengths), 1) if lengths else 0.0 for name, lengths in texts.items()}


def report_lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a table: the counts of each corpus from joining to splits, and mean lengths."""
    counts, means = manifest["counts"], manifest["mean_lengths"]
    names = list(counts)
    yield _line("", names)
    for step in max(counts.values(), key=len):
        yield _line(step, (f"{counts[n][step]:,}" if step in counts[n] else "-" for n in names))
    for text in ("document", "mono", "cross"):
        cells = (f"{means[n][text]:.1f}" if text in means[n] else "-" for n in names)
        yield _line(f"mean {text}", cells)


def _line(label: str, cells: Iterable[str]) -> str:
    return f"{label:<14}" + "".join(f"{cell:>9}" for cell in cells)


LICENCE = (
    "A description is part of its Debian package and under that package's own free licence, a "
    "translation likewise. Build this corpus where it is used instead of passing it on."
)

Say = Callable[[str], None]


def write_debian(
    out: Path,
    *,
    suites: Sequence[str] = SUITES,
    seed: int = 0,
    say: Say = print,
    finish: Callable[[Path], object] = lambda folder: None,
) -> dict[str, Any]:
    """Write the triples of every direction and the monolingual English corpus; the manifest.

    ``finish`` may add files to the folder before it becomes ``out``. The same descriptions and seed
    give the same bytes. InputError as in ``fetch``, and where ``out`` holds something else.
    """
    out, suites = out.resolve(), tuple(dict.fromkeys(suites))
    check_suites(suites)
    make_folder(out.parent)
    check_replaceable(out, "debian")
    with tempfile.TemporaryDirectory(prefix="mclas-debian-") as folder:
        found = fetch(suites, Path(folder), say)
        index, malformed = _read(found, say)
        hashes = {
            f"{suite}/Translation-{TRANSLATION_CODES[language]}": sha256(path)
            for suite, paths in found.items()
            for language, path in paths.items()
        }
    corpora, counts = split_corpora(index, seed)
    manifest: dict[str, Any] = {
        "corpus": "debian",
        "suites": list(found),
        "seed": seed,
        "malformed": malformed,
        "counts": counts,
        "mean_lengths": {n: mean_lengths(corpora[n], *CORPORA[n]) for n in CORPORA},
        "index": hashes,
        "licence": LICENCE,
    }
    with whole_corpus(out) as part:
        manifest["files"] = _write(part, corpora)
        write_json(part / "manifest.json", manifest)
        finish(part)
    for line in (*report_lines(manifest), f"debian corpus written to {out}"):
        say(line)
    return manifest


def _read(found: dict[str, dict[str, Path]], say: Say) -> tuple[dict[str, Index], dict[str, int]]:
    index, malformed = {}, {}
    for language in TRANSLATION_CODES:
        paths = [paths[language] for paths in found.values() if language in paths]
        index[language], malformed[language] = read_index(paths, language)
        bad = malformed[language]
        say(f"{language}: {len(index[language]):,} descriptions read, {bad:,} malformed skipped")
    return index, malformed


def _write(folder: Path, corpora: dict[str, Splits]) -> dict[str, dict[str, Any]]:
    """Write every split; relative path -> number of records and SHA-256."""
    files = {}
    for name, splits in corpora.items():
        for split, rows in splits.items():
            path = folder / name / f"{split}.jsonl"
            files[f"{name}/{split}.jsonl"] = {
                "records": write_jsonl(path, rows),
                "sha256": sha256(path),
            }
    return files
