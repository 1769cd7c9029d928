"""The formats that can be imported, and how the files of each are found."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora.readers.pairs import BBC, WIKIHOW, Pair, of_pair
from mclas_lightning.errors import InputError
from mclas_lightning.files import found_below

_SPLIT = re.compile(r"(?i)(?<![a-z])(train(?:ing)?|valid(?:ation)?|test(?:ing)?|dev|val)(?![a-z])")

_OPEN = r".*\.(jsonl|parquet)"

XLSUM_NAME = r"(?P<source>[a-z_]+?)_(?:train|val|test|XLSum)"

XWIKIS = ("cs", "de", "en", "fr", "zh")

# The files by split; a file of no split, such as LCSTS, stands under None.
Files = Mapping[Split | None, list[Path]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: the names of its files, and the languages and the dataset that it implies."""

    help: str
    names: str  # of its files, in words for a user
    pattern: str  # of the names of its files, a regular expression
    source: str | None = None
    target: str | None = None
    dataset: str | None = None
    num_files: int | None = 1  # files of a split; None: any number
    needs_lcsts: bool = False
    monolingual: bool = False  # whether a corpus may have one language
    corrected: bool = False  # whether people corrected references of the test set
    open: bool = False  # whether ``open_corpora`` reads it, from archives and parquet, too
    sources: tuple[str, ...] = ()  # languages that the corpus has; () for any
    targets: tuple[str, ...] = ()
    pair: str | None = None  # finds source and target in folder/name, a regular expression
    either_order: bool = False  # whether a file named after a pair has both directions
    joined: str | None = None  # the corpus that has the mono summaries
    mono_pair: str | None = None  # as ``pair``, of the files of that corpus


FORMATS = {
    "ncls-en2zh": Format(
        help="EN2ZHSUM of NCLS",
        names="EN2ZHSUM_{train,valid,test}.txt",
        pattern=r"(?i:EN2ZHSUM_.*\.txt)",
        source="en",
        target="zh",
        dataset="en2zhsum",
        corrected=True,
    ),
    "ncls-zh2en": Format(
        help="ZH2ENSUM of NCLS, and PART_I.txt of LCSTS, which has its documents",
        names="ZH2ENSUM_{train,valid,test}.txt and PART_I.txt",
        pattern=r"(?i:ZH2ENSUM_.*\.txt|PART_I\.txt)",
        source="zh",
        target="en",
        dataset="zh2ensum",
        needs_lcsts=True,
        corrected=True,
    ),
    "released-shards": Format(
        help="the preprocessed shards of the paper's authors",
        names="*.{train,valid,test}.K.bert.pt",
        pattern=r".*\.pt",
        num_files=None,
    ),
    "en2desum": Format(
        help="En2DeSum's public download: text and German summary",
        names="{train,valid,test}.jsonl",
        pattern=r".*\.jsonl",
        source="en",
        target="de",
        dataset="en2desum",
    ),
    "jsonl": Format(
        help="your own, one object a line: id, document, mono, cross",
        names="{train,valid,test}.jsonl",
        pattern=r".*\.jsonl",
        monolingual=True,
    ),
    "lines": Format(
        help="parallel line files, as the NCLS code reads them",
        names="{train,valid,test}{.source,.target.ms,.target.cls}",
        pattern=r".*(\.source|\.target\.ms|\.target\.cls)",
        num_files=3,
    ),
    "crosssum": Format(
        help="CrossSum (BBC news), joined with XL-Sum by the articles' addresses",
        names="english-french_{train,val,test}.jsonl, english-french_CrossSum.tar.bz2",
        pattern=_OPEN,
        open=True,
        sources=BBC,
        targets=BBC,
        pair=r"(?P<source>[a-z_]+)-(?P<target>[a-z_]+?)(?:_(?:train|val|test|CrossSum)|/)",
        joined="XL-Sum in the documents' language",
        mono_pair=XLSUM_NAME,
    ),
    "xlsum": Format(
        help="XL-Sum (BBC news) in one language, for MS pretraining",
        names="english_{train,val,test}.jsonl, english_XLSum_v2.0.tar.bz2",
        pattern=_OPEN,
        open=True,
        monolingual=True,
        sources=BBC,
        pair=XLSUM_NAME,
    ),
    "wikilingua": Format(
        help="WikiLingua (how-to guides) in the forms of GEM",
        names="fr_de/wiki_lingua-{train,validation,test}.parquet, fr_de/train/0000.parquet",
        pattern=r"(?!.*sampled_)" + _OPEN,
        num_files=None,
        open=True,
        sources=WIKIHOW,
        targets=WIKIHOW,
        # GEM's folders of samples tell no pair, so that they are not read.
        pair=r"(?<![a-z])(?P<source>[a-z]{2})[-_](?P<target>[a-z]{2})(?![a-z]|/sampled_)",
        either_order=True,
        joined="GEM's records in one language",
    ),
    "xwikis": Format(
        help="XWikis (Wikipedia's articles and their leads), which has both summaries",
        names="{train,valid,test}/fr-en.jsonl",
        pattern=_OPEN,
        open=True,
        sources=XWIKIS,
        targets=XWIKIS,
        pair=r"(?<![a-z])(?P<source>[a-z]{2})[-_](?P<target>[a-z]{2})(?![a-z])",
        joined="XWikis's files in one language",
        mono_pair=r"/(?P<source>[a-z]{2})\.",
    ),
    "xscitldr": Format(
        help="X-SCITLDR (abstracts of papers), joined with SciTLDR by the abstracts",
        names="de/{train,dev,test}.jsonl",
        pattern=_OPEN,
        open=True,
        source="en",
        targets=("de", "it", "ja", "zh"),
        pair=r"(?<![a-z])(?P<target>de|it|ja|zh)(?:/|[._-])",
        joined="SciTLDR-A",
    ),
    "convsumx": Format(
        help="ConvSumX (DialogSumX or QMSumX, dialogs), which has both summaries",
        names="dialogsumx.{train400,dev,test}.jsonl",
        pattern=_OPEN,
        open=True,
        source="en",
        targets=("fr", "uk", "zh"),
    ),
}


def find_files(
    format: Format,
    paths: Sequence[Path],
    pair: Pair = (None, None),
    unpacked: Mapping[Path, Path] | None = None,
) -> Files:
    """The files of each split among ``paths`` and below, sorted by name; and those ``unpacked``.

    Of a format whose names tell languages, those of ``pair``. Archives among ``paths`` are left
    out. ``unpacked`` has the name of each of its files for a user: its place in its archive.

    InputError for a path or split that is missing, for a file of another name or of no split, and
    for files of more than one corpus.
    """
    named = [*(unpacked or ()), *_named_files(format, paths)]
    where = ", ".join(map(str, paths))
    if format.pair:
        known = format.sources + format.targets
        named = of_pair(named, format.pair, known, pair, format.either_order, where)
    found: dict[Split | None, list[Path]] = {}
    for file in named:
        found.setdefault(split_of(file, by_folder=format.open), []).append(file)
    for files in found.values():
        files.sort(key=lambda path: path.name)  # the order of the released code's sorted glob
    _check_found(format, where, found, unpacked or {})
    return found


def _named_files(format: Format, paths: Sequence[Path]) -> Iterator[Path]:
    """The files with a name of the format, in the order of ``paths``."""
    for path in dict.fromkeys(paths):
        if not os.path.exists(path):  # Path.exists raises where a name is too long.
            raise InputError(f"{path}: no such file or folder")
        for file in found_below(path, "*") if path.is_dir() else [path]:
            if re.fullmatch(rf"(?!\.){format.pattern}", file.name):
                yield file
            elif file == path and not (format.open and is_archive(file)):
                raise InputError(f"{file}: expected a name like {format.names}")


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of a tar archive."""
    return re.search(r"\.(tar(\.(bz2|gz|xz))?|tgz|tbz2?)$", path.name) is not None


def _check_found(format: Format, where: str, found: Files, shown: Mapping[Path, Path]) -> None:
    lcsts = [path for path in found.get(None, []) if path.name.lower() == "part_i.txt"]
    if others := [path for path in found.get(None, []) if path not in lcsts]:
        raise InputError(
            f"{shown.get(others[0], others[0])}: its name does not tell train, valid or test"
        )
    if not found.keys() & set(SPLITS):
        raise InputError(f"{where}: no file of a split here; expected names like {format.names}")
    if format.needs_lcsts and len(lcsts) != 1:
        raise InputError(
            f"{where}: expected one PART_I.txt of LCSTS, which has the documents, found "
            f"{len(lcsts)}; name it too"
        )
    if format.num_files is None:
        paths = [path for files in found.values() for path in files]
        _check_one_corpus(where, [p.name if split_of(p) else "/".join(p.parts[-2:]) for p in paths])
    for split in SPLITS:
        files = found.get(split, [])
        if format.num_files and len(files) > format.num_files:
            names = " and ".join(str(shown.get(file, file)) for file in files[-2:])
            raise InputError(f"more than one file for '{split}': {names}; name the ones to import")


def _check_one_corpus(where: str, names: Sequence[str]) -> None:
    corpora = {_SPLIT.split(name)[0]: name for name in names}
    twice = [name for name in set(names) if names.count(name) > 1]
    if len(corpora) > 1 or twice:
        found = f"{twice[0]} twice" if twice else " and ".join(sorted(corpora.values()))
        raise InputError(
            f"{where}: expected the shards of one corpus, found {found}; name the folder of one"
        )


def split_of(path: Path, by_folder: bool = False) -> Split | None:
    """The split that the last word of a file's name tells, such as ``dev``; None without one.

    ``by_folder`` takes the name of its folder where its own tells none.
    """
    found = _SPLIT.findall(path.name)
    if not found and by_folder and _SPLIT.fullmatch(path.parent.name):
        found = [path.parent.name]
    if not found:
        return None
    names: dict[str, Split] = {"tr": "train", "te": "test"}
    return names.get(found[-1][:2].lower(), "valid")
