"""German inflection: articles, adjective endings, nouns and the contractions of prepositions."""

from dataclasses import dataclass
from typing import Literal, get_args

Case = Literal["nom", "acc", "dat", "gen"]

Column = Literal["m", "f", "n", "pl"]

CASES: tuple[Case, ...] = get_args(Case)

COLUMNS: tuple[Column, ...] = get_args(Column)  # the three genders, then the plural

# A text for each case, with a word for each column.
ARTICLES = {
    "der": ("der die das die", "den die das die", "dem der dem den", "des der des der"),
    "ein": ("ein eine ein -", "einen eine ein -", "einem einer einem -", "eines einer eines -"),
}

# Adjective endings: weak after "der", mixed after "ein", strong without an article.
ENDINGS = {
    "der": ("e e e en", "en e e en", "en en en en", "en en en en"),
    "ein": ("er e es en", "en e es en", "en en en en", "en en en en"),
    "": ("er e es e", "en e es e", "em er em en", "en er en er"),
}

CONTRACTIONS = {
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("an", "das"): "ans",
    ("bei", "dem"): "beim",
    ("von", "dem"): "vom",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
}


@dataclass(frozen=True, slots=True)
class Noun:
    """A German noun by gender, nominative and genitive singular, and plural."""

    gender: Column
    singular: str
    genitive: str
    plural: str

    def inflect(self, case: Case, *, plural: bool = False) -> str:
        """The noun in a case; a weak masculine has its genitive in all but the nominative."""
        if plural:
            return self.plural + ("n" if case == "dat" and self.plural[-1] not in "ns" else "")
        weak = self.gender == "m" and self.genitive.endswith("en")
        return self.genitive if case == "gen" or (weak and case != "nom") else self.singular

    def phrase(
        self, case: Case, *, article: str = "", adjective: str = "", plural: bool = False
    ) -> str:
        """``[article] [adjective] noun``, all agreeing."""
        column: Column = "pl" if plural else self.gender
        ending = table_cell(ENDINGS[article], case, column) if adjective else ""
        words = (
            table_cell(ARTICLES[article], case, column) if article else "",
            adjective.removesuffix("e") + ending,
            self.inflect(case, plural=plural),
        )
        return " ".join(word for word in words if word)


def parse_noun(text: str) -> Noun:
    """The noun of a row of the lexicon, such as ``der Turm, Turmes, Türme``."""
    singular, genitive, plural = text.split(", ")
    article, _, singular = singular.partition(" ")
    return Noun(COLUMNS[["der", "die", "das"].index(article)], singular, genitive, plural)


def table_cell(table: tuple[str, ...], case: Case, column: Column) -> str:
    """The word in a table at a case (row) and a gender or plural (column); "" for a dash."""
    return table[CASES.index(case)].split()[COLUMNS.index(column)].strip("-")


def contract(preposition: str, phrase: str) -> str:
    """A preposition with a phrase, contracted: ``in`` and ``dem Haus`` become ``im Haus``."""
    article, _, rest = phrase.partition(" ")
    fused = CONTRACTIONS.get((preposition, article))
    return f"{fused} {rest}" if fused else f"{preposition} {phrase}"
