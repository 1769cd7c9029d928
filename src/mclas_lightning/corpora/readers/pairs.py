"""The pair of languages of a corpus: by the names of its files, and by its texts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mclas_lightning.errors import InputError, first_few, unknown_choice
from mclas_lightning.example import Example
from mclas_lightning.metrics.language import share_in_wrong_language

SAMPLE_EXAMPLES = 100  # examples by whose languages swapped ones are recognized

SAMPLE_CHARACTERS = 1000  # the characters of a document that are looked at

# Names of languages in CrossSum and XL-Sum, and ISO 639 codes.
_NAMES = (
    "amharic am arabic ar azerbaijani az bengali bn burmese my chinese_simplified zh "
    "chinese_traditional zh english en french fr gujarati gu hausa ha hindi hi igbo ig indonesian "
    "id japanese ja korean ko kyrgyz ky marathi mr nepali ne oromo om pashto ps persian fa pidgin "
    "pcm portuguese pt punjabi pa russian ru serbian_cyrillic sr serbian_latin sr sinhala si "
    "somali so spanish es swahili sw tamil ta telugu te thai th turkish tr ukrainian uk urdu ur "
    "uzbek uz vietnamese vi welsh cy yoruba yo"
)

_WORDS = _NAMES.split()

NAMES: dict[str, str] = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))

BBC = tuple(dict.fromkeys(NAMES.values()))  # the languages of CrossSum and XL-Sum

# Languages of CrossSum and XL-Sum that no identifier here knows: their files are told from others.
_UNREAD = {"kirundi": "rn", "scottish_gaelic": "gd", "tigrinya": "ti"}

_WIKIHOW = "ar cs de en es fr hi id it ja ko nl pt ru th tr vi zh"

WIKIHOW = tuple(_WIKIHOW.split())  # the languages of WikiLingua

Pair = tuple[str | None, str | None]  # source and target, as far as a name tells them


def name_of(language: str) -> str:
    """The name of ``language`` in CrossSum and XL-Sum; of Chinese and Serbian, the first."""
    return next(name for name, code in NAMES.items() if code == language)


def check_pair(corpus: str, pair: Pair, sources: Sequence[str], targets: Sequence[str]) -> None:
    """InputError where the corpus has no such pair."""
    for what, found, known in zip(("source", "target"), pair, (sources, targets), strict=True):
        if found is not None and known and found not in known:
            raise unknown_choice(f"--{what}: language", found, known, state=f"is not in {corpus}")


def in_languages(
    examples: Iterator[Example], languages: Mapping[str, str | None]
) -> Iterator[Example]:
    """The examples; InputError where the first hundred are clearly not in ``languages``.

    Documents and cross summaries both have to be in other languages: identifying a language errs
    on short texts and on rare languages. A corpus in one language has no cross summaries.
    """
    sample: list[Example] = []
    for example in examples:
        yield example
        if languages["target"] and len(sample) < SAMPLE_EXAMPLES and example.cross is not None:
            sample.append(example)
            if len(sample) == SAMPLE_EXAMPLES:
                _check_languages(sample, languages)
    if 0 < len(sample) < SAMPLE_EXAMPLES:
        _check_languages(sample, languages)


def _check_languages(sample: Sequence[Example], languages: Mapping[str, str | None]) -> None:
    source, target = str(languages["source"]), str(languages["target"])
    documents = [example.document[:SAMPLE_CHARACTERS] for example in sample]
    wrong = (
        share_in_wrong_language(documents, source),
        share_in_wrong_language((example.cross or "" for example in sample), target),
    )
    if min(wrong) > 0.5:
        raise InputError(
            f"of the first {len(sample)} examples, {wrong[0]:.0%} of the documents are not "
            f"'{source}' and {wrong[1]:.0%} of the cross summaries are not '{target}'; swap "
            f"--source and --target, or name the files of this pair"
        )


def of_pair(
    files: Iterable[Path],
    pattern: str,
    known: Sequence[str],
    pair: Pair,
    either_order: bool,
    where: str,
) -> list[Path]:
    """The files whose names tell ``pair``; where none does, those whose names tell no pair.

    InputError, which names the place as ``where``, where all tell other pairs.
    """
    told = {file: _told(file, pattern, known) for file in files}
    wanted = {pair, (pair[1], pair[0])} if either_order else {pair}
    chosen = [file for file, found in told.items() if any(_agree(found, one) for one in wanted)]
    # A corpus may keep files in one language (XWikis's de.jsonl) beside those of its pairs.
    chosen = [file for file in chosen if any(told[file])] or chosen
    if told and not chosen:
        there = sorted({_shown(found) for found in told.values()})
        swapped = any(_agree(found, (pair[1], pair[0])) for found in told.values())
        advice = "swap --source and --target" if swapped else "name the files of this pair"
        raise InputError(f"{where}: has {first_few(there, 5)}, and no {_shown(pair)}; {advice}")
    return chosen


def _told(file: Path, pattern: str, known: Sequence[str]) -> Pair:
    # The innermost name tells; a folder of a split may lie between (fr_de/train/0000.parquet).
    for found in reversed([*re.finditer(pattern, "/".join(file.parts[-3:]))]):
        groups: Mapping[str, str | None] = found.groupdict()
        names = groups.get("source"), groups.get("target")
        source, target = ((NAMES | _UNREAD).get(name or "", name) for name in names)
        known_or_unread = {None, *known, *_UNREAD.values()}
        if {source, target} <= known_or_unread:
            return source, target
    return None, None


def _agree(found: Pair, pair: Pair) -> bool:
    return all(a is None or a == b for a, b in zip(found, pair, strict=True))


def _shown(pair: Pair) -> str:
    return " to ".join(filter(None, pair))
