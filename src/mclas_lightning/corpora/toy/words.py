"""Facts that fill the slots of templates; each can be written in all three languages.

A slot of a template is ``{name}`` or ``{name:form}``. A form with slashes, ``{dead:was/were}``,
chooses the word that agrees with the fact. Any other form is a list of words for the fact in the
language of the template:

- English: ``a`` before the noun, as ``a`` or ``an``.
- German: a preposition, an article (``der`` or ``ein``) and a case (``nom`` where none is named).
- Chinese: ``one`` before the noun (numeral one and measure word) or ``measure`` alone.
- All: ``+`` adds the adjective, ``noun`` a count's noun without its number, ``n`` its number alone.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from mclas_lightning.corpora.toy import german, numerals

Language = Literal["en", "de", "zh"]

TOY_LANGUAGES: tuple[Language, ...] = get_args(Language)


class Fact(Protocol):
    """The value of a slot: ``en``, ``de`` and ``zh`` write it in a form of its slot."""

    def en(self, form: set[str]) -> str: ...
    def de(self, form: set[str]) -> str: ...
    def zh(self, form: set[str]) -> str: ...

    @property
    def agreement(self) -> int:
        """The number of the word between slashes that agrees with the fact."""
        ...


@dataclass(frozen=True, slots=True)
class Name:
    """A name or fixed phrase; the form ``adj`` is the German adjective of a place."""

    english: str
    german: str
    chinese: str
    adjective: str = ""
    agreement = 0

    def en(self, form: set[str]) -> str:
        return self.english

    def de(self, form: set[str]) -> str:
        return self.adjective if "adj" in form else self.german

    def zh(self, form: set[str]) -> str:
        return self.chinese


@dataclass(frozen=True, slots=True)
class Person:
    """A person; the form ``last`` is the family name. Words agree as male/female."""

    given: Name
    family: Name
    female: bool
    chinese: bool

    @property
    def agreement(self) -> int:
        return int(self.female)

    def en(self, form: set[str]) -> str:
        given, family = self.given.english, self.family.english
        full = f"{family} {given}" if self.chinese else f"{given} {family}"
        return family if "last" in form else full

    def de(self, form: set[str]) -> str:
        return self.en(form)

    def zh(self, form: set[str]) -> str:
        given, family = self.given.chinese, self.family.chinese
        if self.chinese:
            return family + given
        return family if "last" in form else f"{given}·{family}"


@dataclass(frozen=True, slots=True)
class Thing:
    """A noun with an adjective that may go before it. Words agree with its German gender."""

    singular: str
    plural: str
    german: german.Noun
    measure: str
    chinese: str
    adjective: Name = Name("", "", "")

    @property
    def agreement(self) -> int:
        return german.COLUMNS.index(self.german.gender)

    def en(self, form: set[str], *, plural: bool = False) -> str:
        adjective = self.adjective.english if "+" in form else ""
        phrase = f"{adjective} {self.plural if plural else self.singular}".strip()
        return with_article(phrase) if "a" in form else phrase

    def de(self, form: set[str], *, plural: bool = False) -> str:
        cases: list[german.Case] = [case for case in german.CASES if case in form]
        article = next((article for article in german.ARTICLES if article in form), "")
        adjective = self.adjective.german if "+" in form else ""
        case = cases[0] if cases else "nom"
        phrase = self.german.phrase(case, article=article, adjective=adjective, plural=plural)
        fused = {preposition for preposition, _ in german.CONTRACTIONS} & form
        return german.contract(fused.pop(), phrase) if fused else phrase

    def zh(self, form: set[str]) -> str:
        before = "一" + self.measure if "one" in form else ""
        adjective = self.adjective.chinese if "+" in form else ""
        return self.measure if "measure" in form else before + adjective + self.chinese


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things. Words agree as singular/plural."""

    number: int
    thing: Thing

    @property
    def agreement(self) -> int:
        return int(self.number != 1)

    def en(self, form: set[str]) -> str:
        noun = self.thing.en(form, plural=self.number != 1 or "noun" in form)
        return _assemble(form, numerals.english(self.number) + " ", noun)

    def de(self, form: set[str]) -> str:
        if self.number == 1 and not form & {"n", "noun"}:
            return self.thing.de(form | {"ein"})
        noun = self.thing.de(form, plural=True)
        return _assemble(form, numerals.german(self.number) + " ", noun)

    def zh(self, form: set[str]) -> str:
        number = numerals.chinese(self.number)
        return _assemble(form, number + self.thing.measure * ("n" not in form), self.thing.zh(form))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A decimal number with its unit."""

    value: float
    unit: str
    agreement = 1

    def en(self, form: set[str]) -> str:
        return numerals.UNIT_PHRASES[self.unit][0].format(f"{self.value:g}")

    def de(self, form: set[str]) -> str:
        return numerals.UNIT_PHRASES[self.unit][1].format(numerals.german_decimal(self.value))

    def zh(self, form: set[str]) -> str:
        return numerals.UNIT_PHRASES[self.unit][2].format(f"{self.value:g}")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of euros."""

    euros: int
    agreement = 1

    def en(self, form: set[str]) -> str:
        return numerals.english_euros(self.euros)

    def de(self, form: set[str]) -> str:
        return numerals.german_euros(self.euros)

    def zh(self, form: set[str]) -> str:
        return numerals.chinese_myriads(self.euros) + "欧元"


@dataclass(frozen=True, slots=True)
class Score:
    """Goals of the winner and of the loser; the form ``lost`` has those of the loser first."""

    won: int
    lost: int
    agreement = 1

    def en(self, form: set[str]) -> str:
        return f"{self.won}-{self.lost}"  # English has the higher number first, even of the loser.

    def de(self, form: set[str]) -> str:
        return ":".join(map(str, self._sides(form)))

    def zh(self, form: set[str]) -> str:
        return "比".join(map(str, self._sides(form)))

    def _sides(self, form: set[str]) -> tuple[int, int]:
        return (self.lost, self.won) if "lost" in form else (self.won, self.lost)


def with_article(phrase: str) -> str:
    """The English indefinite article, by sound: ``an old hotel``, ``a university``."""
    silent, consonant = ("hour", "honest", "8", "11-", "18-"), ("uni", "euro", "one", "use")
    vowel = phrase.startswith(silent) or (phrase[0] in "aeiou" and not phrase.startswith(consonant))
    return f"{'an' if vowel else 'a'} {phrase}"


def _assemble(form: set[str], number: str, noun: str) -> str:
    return number.strip() if "n" in form else noun if "noun" in form else number + noun
