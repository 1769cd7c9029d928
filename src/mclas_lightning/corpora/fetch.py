"""``mclas data fetch``: the files of an open corpus, from a Hugging Face hub."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download

from mclas_lightning.config.overrides import command
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.importing import corpus_languages
from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.corpora.readers.pairs import name_of
from mclas_lightning.errors import InputError, first_line, unknown_choice
from mclas_lightning.files import make_folder, read_json, sha256, write_json

FETCHED = "fetched.json"  # in the folder: where its files came from


@dataclass(frozen=True)
class Repository:
    """A repository of datasets, and patterns of the names of a pair's files.

    ``{source}`` and ``{target}`` stand for languages: by name where ``named``, else by code.
    """

    name: str
    patterns: tuple[str, ...]
    revision: str = "main"
    named: bool = False


HUB = {
    "crosssum": Repository(
        "csebuetnlp/CrossSum", ("data/{source}-{target}_CrossSum*.tar.bz2",), named=True
    ),
    "xlsum": Repository("csebuetnlp/xlsum", ("data/{source}_XLSum_v*.tar.bz2",), named=True),
    "wikilingua": Repository(
        "GEM/wiki_lingua",
        ("{source}_{target}/*.parquet", "{target}_{source}/*.parquet"),
        revision="refs/convert/parquet",
    ),
    "xwikis": Repository("GEM/xwikis", ("*/{source}-{target}.jsonl",)),
    "xscitldr": Repository("umanlp/xscitldr", ("data/{target}/*.jsonl",)),
}


def fetch(corpus: str, source: str | None, target: str | None, out: Path) -> Iterator[str]:
    """Download a corpus's files of a pair into ``out``; lines on their size, place and import.

    The size is said before the first byte. Files that are here are not fetched again, and a broken
    connection is taken up where it was. InputError for a corpus or pair that is on no hub, and
    where no hub can be reached.
    """
    repository = _repository(corpus)
    languages = corpus_languages(FORMATS[corpus], source, target)
    names = _language_names(corpus, languages)
    patterns = [pattern.format(**names) for pattern in repository.patterns]
    files, revision = _listed(repository, patterns)
    size = sum(files.values())
    yield f"{repository.name}: {len(files)} files, {size / 1e6:,.1f} MB"
    make_folder(out)
    left = size - sum(path.stat().st_size for name in files if (path := out / name).exists())
    if left > shutil.disk_usage(out).free:
        raise InputError(f"{out}: needs {left / 1e6:,.0f} MB, more than is free; free some space")
    for name in files:
        try:
            hf_hub_download(
                repository.name, name, repo_type="dataset", revision=revision, local_dir=out
            )
        except Exception as error:  # The hub's client raises its own errors, OSErrors and httpx's.
            raise _unreachable(repository, patterns, error) from error
    _note(out, files, {"repository": repository.name, "revision": revision})
    yield f"{out}: {len(files)} files of revision {revision[:12]}, their hashes in {FETCHED}"
    words = [w for key, code in languages.items() if code for w in (f"--{key}", code)]
    yield f"import them with: {command('mclas data import', [corpus, str(out), *words])} --out ..."


def _note(out: Path, files: Iterable[str], origin: dict[str, str]) -> None:
    """Write origin and hash of ``files`` into ``FETCHED``, beside those of other pairs."""
    path = out / FETCHED
    known = read_json(path, dict).get("files", []) if path.exists() else []
    found = {file["file"]: file for file in known}
    for name in files:
        size, digest = (out / name).stat().st_size, sha256(out / name)
        found[name] = {"file": name, **origin, "bytes": size, "sha256": digest}
    write_json(path, {"files": [*found.values()]})


def _repository(corpus: str) -> Repository:
    if corpus in HUB:
        return HUB[corpus]
    if corpus in catalog.names():
        entry = catalog.named(corpus)
        place = Path("data", entry.path)  # the folder that dataset=CORPUS reads
        raise InputError(f"{corpus}: is on no hub; to get it: {entry.to_get(place)}")
    raise unknown_choice("corpus", corpus, HUB)


def _language_names(corpus: str, languages: dict[str, str | None]) -> dict[str, str]:
    """What stands for the languages in names of files."""
    named = HUB[corpus].named
    return {key: name_of(code) if named else code for key, code in languages.items() if code}


def _listed(repository: Repository, patterns: list[str]) -> tuple[dict[str, int], str]:
    """The sizes of the files by name, and the revision; InputError where there are none."""
    try:
        about: Any = HfApi().dataset_info(
            repository.name, revision=repository.revision, files_metadata=True
        )
    except Exception as error:  # The hub's client raises its own errors, OSErrors and httpx's.
        raise _unreachable(repository, patterns, error) from error
    files = {
        file.rfilename: file.size or 0
        for file in about.siblings
        if any(fnmatch(file.rfilename, pattern) for pattern in patterns)
    }
    if not files:
        raise InputError(f"{repository.name}: has no {' or '.join(patterns)}; name another pair")
    return files, about.sha


def _unreachable(repository: Repository, patterns: list[str], error: Exception) -> InputError:
    reason = first_line(error)
    return InputError(
        f"{repository.name}: no hub delivers it ({reason}); start the same command again, or get "
        f"{' or '.join(patterns)} from https://huggingface.co/datasets/{repository.name} by hand "
        f"(revision {repository.revision}) and name the files in mclas data import"
    )
