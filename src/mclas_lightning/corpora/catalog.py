"""The datasets of ``conf/dataset/`` for checks and tables, resolved by OmegaConf without Hydra.

Hydra composes a whole configuration; a check or table needs a dataset alone: its file, merged into
the files that its ``defaults`` name.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.folders import conf_folders
from mclas_lightning.corpora.manifest import read_manifest
from mclas_lightning.errors import InputError, first_line, unknown_choice
from mclas_lightning.files import read_yaml
from mclas_lightning.schema import typed

# In place of languages; ``_pattern`` makes groups of a regular expression of them.
_ANY_LANGUAGES = {key: f"@{key}@" for key in ("source", "target")}

_DATA = "./"  # begins a path that is relative to the data folder


class DatasetChoice(NamedTuple):
    """A dataset as words for mclas-train, and the dataset of its MS pretraining."""

    choice: str  # the value of dataset=
    words: tuple[str, ...]  # for mclas-train
    pretraining: tuple[str, ...]  # words for the dataset of the MS pretraining
    pretrained: str  # the name of this dataset, which the folder of its runs has


def names() -> list[str]:
    """The files of ``conf/dataset/`` with a path; ``dataset=jsonl`` gets its path by words.

    A folder ``conf`` where the command was started may be another program's, with other files.
    """
    return [name for name in _files() if _is_sound(_file(name))]


def _files() -> list[str]:
    folders = [folder / "dataset" for folder in conf_folders()]
    return sorted({path.stem for folder in folders for path in folder.glob("[!_]*.yaml")})


@cache
def _is_sound(file: Path) -> bool:
    try:
        return _is_dataset(file.stem)
    except InputError:
        return False


def _is_dataset(name: str) -> bool:
    """Whether a file names its dataset and path; InputError for one that does and is no dataset."""
    section = _unresolved(name)
    # OmegaConf counts a ??? as missing.
    return all(key in section for key in ("name", "source", "path")) and bool(_typed(name))


def own_sizes() -> dict[str, float]:
    """The ``dataset.sizes`` of a corpus without a file in ``conf/dataset/``."""
    return dict(_unresolved("jsonl").sizes)


def own_max_source() -> int:
    """The ``dataset.max_source`` (word pieces) of a corpus without a file in ``conf/dataset/``."""
    return _unresolved("jsonl").max_source


def named(name: str) -> DatasetConfig:
    """The dataset that ``dataset=name`` selects, with paths relative to the data folder.

    InputError for an unknown name, and for a file that is no dataset.
    """
    if name not in names():
        if name in _files():
            _is_dataset(name)  # An InputError of its own says what is wrong with a file.
        raise unknown_choice("dataset", name, names())
    return _typed(name)


def at(folder: Path) -> DatasetConfig | None:
    """The dataset that the manifest names, else the one whose path ``folder`` ends with, if any."""
    if (name := read_manifest(folder).dataset) in _files():
        return named(str(name))
    for name in names():
        if found := re.search(f"(?:^|/){_patterns(_file(name))[1]}$", folder.resolve().as_posix()):
            return _typed(name, found.groupdict())
    return None


def of_run(name: str) -> DatasetChoice | None:
    """The words of the runs in the folder ``name``; None where no file of conf/ makes this name."""
    for choice in names():
        if found := re.fullmatch(_patterns(_file(choice))[0], name):
            languages = found.groupdict()
            chosen = dict(w.split("=", 1) for w in _resolved(choice, languages).pretraining)
            base = chosen.pop("dataset", choice)
            own = {key.removeprefix("dataset."): value for key, value in chosen.items()}
            return DatasetChoice(
                choice, _words(choice, languages), _words(base, own), _resolved(base, own).name
            )
    return None


def languages_of(
    folder: Path, entry: DatasetConfig | None, source: str | None, target: str | None
) -> tuple[str, str | None]:
    """Source and target language: the given one, else the manifest's, else that of ``entry``.

    InputError where none of them has a source language. The target may be None.
    """
    manifest = read_manifest(folder)
    source = source or manifest.languages.get("source") or (entry.source if entry else None)
    target = target or manifest.languages.get("target") or (entry.target if entry else None)
    if source is None:
        raise InputError(
            f"{folder}: nothing says what languages it is in; give --source (of documents and mono "
            f"summaries) and --target (of cross summaries), such as: --source en --target de"
        )
    return source, target


def _unresolved(name: str) -> DictConfig:
    """A file of ``conf/dataset/``, merged into the files that its ``defaults`` name."""
    return _read(_file(name))


def _file(name: str) -> Path:
    paths = [folder / "dataset" / f"{name}.yaml" for folder in conf_folders()]
    for path in paths:
        if path.exists():
            return path
    raise InputError(f"{paths[-1]}: does not exist; a file of conf/dataset/ names it")


@cache
def _read(path: Path) -> DictConfig:
    try:
        own = DictConfig(read_yaml(path))
        every = own.pop("defaults", ())
        bases = [base for base in every if isinstance(base, str) and base != "_self_"]
        return OmegaConf.merge(*map(_unresolved, bases), own)  # pyright: ignore[reportReturnType]
    except RecursionError as error:
        raise InputError(f"{path}: is no dataset in YAML: its defaults name it again") from error
    except (OmegaConfBaseException, AttributeError, TypeError) as error:
        raise InputError(f"{path}: is no dataset in YAML ({first_line(error)})") from error


@cache
def _patterns(file: Path) -> tuple[str, str]:
    """Regular expressions for the names and the paths of a dataset in all its languages."""
    dataset = _with_languages(_read(file), _ANY_LANGUAGES)
    return _pattern(dataset.name), _pattern(dataset.path.removeprefix(_DATA))


def _pattern(text: str) -> str:
    """A regular expression for ``text`` in any languages, which are its named groups."""
    found = re.escape(text)
    for key, mark in _ANY_LANGUAGES.items():
        found = found.replace(mark, f"(?P<{key}>[a-z]{{2,3}})", 1).replace(mark, f"(?P={key})")
    return found


def _resolved(name: str, languages: dict[str, str]) -> Any:
    return _with_languages(_unresolved(name), languages)


def _with_languages(section: DictConfig, languages: dict[str, str]) -> Any:
    """The dataset with ``languages`` in place of its own, and with ``.`` for ``${data}``."""
    dataset = OmegaConf.merge(section, languages)
    return OmegaConf.create({"data": ".", "dataset": dataset}).dataset


def _typed(name: str, languages: dict[str, str] | None = None) -> DatasetConfig:
    try:
        section = OmegaConf.to_container(_resolved(name, languages or {}), resolve=True)
    except OmegaConfBaseException as error:
        raise InputError(f"{_file(name)}: is no dataset in YAML ({first_line(error)})") from error
    return typed("dataset", DatasetConfig, section)


def _words(name: str, languages: dict[str, str]) -> tuple[str, ...]:
    """``dataset=name``, and a word for each language that differs from the file's."""
    own = _unresolved(name)
    others = {key: value for key, value in languages.items() if own[key] != value}
    return (f"dataset={name}", *(f"dataset.{key}={value}" for key, value in others.items()))
