"""Phrases of two languages that name the same thing: the toy corpus's bilingual lexicon."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mclas_lightning.corpora.toy import numerals
from mclas_lightning.corpora.toy.german import CASES
from mclas_lightning.corpora.toy.lexicon import ADJECTIVES, NOUNS, PEOPLE, PROPER_NAMES
from mclas_lightning.corpora.toy.words import Language, Name, Thing
from mclas_lightning.files import whole_file

Forms = dict[Language, set[str]]

NUMERALS = range(1, 13)  # that news writes in words


def phrase_pairs(source: Language, target: Language) -> list[tuple[str, str]]:
    """All pairs of forms of the same name, noun, adjective or numeral, sorted."""
    return sorted({(a, b) for forms in _forms() for a in forms[source] for b in forms[target]})


def write_lexicon(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write a line ``phrase <tab> phrase`` for each pair."""
    with whole_file(path) as file:
        file.writelines(f"{a}\t{b}\n" for a, b in pairs)


def _forms() -> Iterator[Forms]:
    for n in NUMERALS:
        en, de, zh = numerals.english(n), numerals.german(n), numerals.chinese(n)
        yield {"en": {en}, "de": {de}, "zh": {zh}}
    names = [*PROPER_NAMES.values(), *PEOPLE.values(), *ADJECTIVES.values()]
    yield from map(_of_name, (name for table in names for name in table))
    yield from map(_of_noun, (noun for table in NOUNS.values() for noun in table))


def _of_name(name: Name) -> Forms:
    german = {name.german, *([name.adjective] if name.adjective else [])}
    return {"en": {name.english}, "de": german, "zh": {name.chinese}}


def _of_noun(noun: Thing) -> Forms:
    german = {
        noun.german.inflect(case, plural=plural) for case in CASES for plural in (False, True)
    }
    return {"en": {noun.singular, noun.plural}, "de": german, "zh": {noun.chinese}}
