"""Build the debian corpus: fetch, join, filter, split, write."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mclas_lightning.data.debian.apt import SUITES, check_suites, fetch
from mclas_lightning.data.debian.index import LANGUAGES, Index, read_index
from mclas_lightning.data.debian.report import mean_lengths, table
from mclas_lightning.data.debian.split import CORPORA, Splits, split_corpora
from mclas_lightning.data.example import write_jsonl
from mclas_lightning.data.manifest import check_replaceable, whole_corpus
from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder, sha256, write_json

LICENCE = (
    "A description is part of its Debian package and under that package's own free licence, a "
    "translation likewise. Build this corpus where it is used instead of passing it on."
)

Say = Callable[[str], None]


def build(
    out: Path,
    *,
    suites: Sequence[str] = SUITES,
    seed: int = 0,
    cache: Path | None = None,
    say: Say = print,
    finish: Callable[[Path], object] = lambda folder: None,
) -> dict[str, Any]:
    """Write the triples of every direction and the monolingual English corpus to ``out``.

    ``cache`` keeps what apt fetched for the next time; ``finish`` may add to the folder before it
    appears. Returns the manifest, also written to ``out``. The same descriptions and seed give the
    same bytes.
    """
    out, suites = out.resolve(), tuple(dict.fromkeys(suites))
    check_suites(suites)
    make_folder(out.parent)
    check_replaceable(out, "debian")
    with _folder_for(cache, out) as folder:
        found = fetch(suites, folder, say)
        index, malformed = _read(found, say)
        hashes = {
            f"{suite}/Translation-{LANGUAGES[language]}": sha256(path)
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
    for line in (*table(manifest), f"debian corpus written to {out}"):
        say(line)
    return manifest


@contextmanager
def _folder_for(cache: Path | None, out: Path) -> Iterator[Path]:
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="mclas-debian-") as folder:
            yield Path(folder)
    elif cache.resolve().is_relative_to(out):
        raise InputError(f"{cache}: the cache cannot lie inside {out}, which every build replaces")
    else:
        yield cache


def _read(found: dict[str, dict[str, Path]], say: Say) -> tuple[dict[str, Index], dict[str, int]]:
    index, malformed = {}, {}
    for language in LANGUAGES:
        paths = [paths[language] for paths in found.values() if language in paths]
        index[language], malformed[language] = read_index(paths, language)
        bad = malformed[language]
        say(f"{language}: {len(index[language]):,} descriptions read, {bad:,} malformed skipped")
    return index, malformed


def _write(folder: Path, corpora: dict[str, Splits]) -> dict[str, dict[str, Any]]:
    """Write every split; relative path -> number of records and hash."""
    files = {}
    for name, splits in corpora.items():
        for split, rows in splits.items():
            path = folder / name / f"{split}.jsonl"
            files[f"{name}/{split}.jsonl"] = {
                "records": write_jsonl(path, rows),
                "sha256": sha256(path),
            }
    return files
