"""What ``conf/dataset/`` says of the corpora, read without Hydra: for checks and tables."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mclas_lightning.corpora.manifest import read_manifest
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.files import CONF

_LANGUAGE = re.compile(r"\$\{\.(source|target)\}")

_IN_DATA = "${data}/"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One dataset; ``path`` is its folder's place in the data folder."""

    name: str
    source: str
    target: str | None
    path: str
    sizes: dict[str, float]
    max_source: int
    shards: dict[str, Any] | None
    licence: str
    how_to_get: str


class Choice(NamedTuple):
    """A dataset as words for mclas-train, with those for its MS pretraining and its runs' place."""

    choice: str  # what dataset= selects
    words: tuple[str, ...]
    pretraining: tuple[str, ...]
    pretrained: str


def names() -> list[str]:
    """The datasets that have a place in the data folder."""
    files = sorted(path.stem for path in (CONF / "dataset").glob("[!_]*.yaml"))
    return [name for name in files if _words(name)["path"].startswith(_IN_DATA)]


def own_sizes() -> dict[str, float]:
    """The scenarios of a corpus that has no file of its own."""
    return _words("jsonl")["sizes"]


def own_max_source() -> int:
    """Word pieces that are read of a document of such a corpus."""
    return _words("jsonl")["max_source"]


def named(name: str) -> Entry:
    """The dataset that ``dataset=name`` selects."""
    if name not in names():
        raise one_of("dataset", name, names())
    return _entry(_words(name))


def at(folder: Path) -> Entry | None:
    """The dataset that the manifest names, else the one whose path ``folder`` ends with."""
    if (name := read_manifest(folder).dataset) in names():
        return named(str(name))
    for words in map(_words, names()):
        end = _LANGUAGE.sub(r"(?P<\1>[a-z]{2})", words["path"].removeprefix(_IN_DATA))
        if found := re.search(f"/{end}$", folder.resolve().as_posix()):
            return _entry(words | found.groupdict())
    return None


def of_run(name: str) -> Choice | None:
    """The words whose runs lie in the folder ``name``; None where no file here makes that name."""
    for choice in names():
        words = _words(choice)
        pattern = _LANGUAGE.sub(r"(?P<\1>[a-z]{2})", words["name"])
        if found := re.fullmatch(pattern, name):
            languages = {key: value for key, value in found.groupdict().items() if value}
            return _choice(choice, words, languages)
    return None


def languages_of(
    folder: Path, entry: Entry | None, source: str | None = None, target: str | None = None
) -> tuple[str, str | None]:
    """Source and target language: the given ones, the manifest's, or the entry's."""
    manifest = read_manifest(folder)
    source = source or manifest.languages.get("source") or (entry.source if entry else None)
    target = target or manifest.languages.get("target") or (entry.target if entry else None)
    if source is None:
        raise InputError(
            f"{folder}: nothing says what languages it is in; give --source (of documents and mono "
            f"summaries) and --target (of cross summaries), such as: --source en --target de"
        )
    return source, target


@cache
def _words(name: str) -> dict[str, Any]:
    """The keys of a file and of those it builds on, interpolations as they stand."""
    text = (CONF / "dataset" / f"{name}.yaml").read_text(encoding="utf-8")
    words = yaml.safe_load(text)
    bases = [base for base in words.get("defaults", ()) if isinstance(base, str)]
    inherited = [_words(base) for base in bases if base != "_self_"]
    return {key: value for one in (*inherited, words) for key, value in one.items()}


def _entry(words: dict[str, Any]) -> Entry:
    def filled(text: str) -> str:
        return _LANGUAGE.sub(lambda found: words[found[1]], text)

    return Entry(
        name=filled(words["name"]),
        source=words["source"],
        target=words["target"],
        path=filled(words["path"].removeprefix(_IN_DATA)),
        sizes=words["sizes"],
        max_source=words["max_source"],
        shards=words["shards"],
        licence=words["licence"],
        how_to_get=words["how_to_get"],
    )


def _choice(choice: str, words: dict[str, Any], languages: dict[str, str]) -> Choice:
    given = words | languages
    pretraining = tuple(
        re.sub(r"\$\{dataset\.(\w+)\}", lambda found: given[found[1]], word)
        for word in words["pretraining"]
    )
    chosen = dict(word.split("=", 1) for word in pretraining)
    base = _words(chosen["dataset"])
    own = base | {key.removeprefix("dataset."): value for key, value in chosen.items()}
    return Choice(
        choice,
        (f"dataset={choice}", *_unlike(words, languages)),
        (
            f"dataset={chosen['dataset']}",
            *_unlike(base, {k: own[k] for k in ("source", "target") if f"dataset.{k}" in chosen}),
        ),
        _LANGUAGE.sub(lambda found: own[found[1]], base["name"]),
    )


def _unlike(words: dict[str, Any], languages: dict[str, str]) -> list[str]:
    """Words for the languages that are not the file's own."""
    return [f"dataset.{key}={value}" for key, value in languages.items() if words[key] != value]
