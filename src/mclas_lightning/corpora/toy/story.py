"""A story is an event with its facts, in no language; ``kinds/`` holds the kinds of event."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from mclas_lightning.corpora.toy.lexicon import HERE, draw_fact, load
from mclas_lightning.corpora.toy.words import Fact, Language, Person

Sentence = dict[Language, str]  # one template a language


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of event: the facts it has and the sentences that tell them.

    Every ``lead`` is two sentences with all that a ``summary`` needs. A ``detail`` adds to them; a
    ``past`` tells of another event of the same kind, so that it is the distractor most like a lead.
    """

    facts: dict[str, str]
    lead: list[Sentence]
    detail: list[Sentence]
    past: list[Sentence]
    summary: list[Sentence]


@dataclass(frozen=True, kw_only=True, slots=True)
class Common:
    """What every kind shares: sentences on something else, some of which may open a document."""

    facts: dict[str, str]
    opening: list[Sentence]
    aside: list[Sentence]


KINDS = {
    path.stem: Kind(**load(f"kinds/{path.name}")) for path in sorted(HERE.glob("kinds/*.toml"))
}

COMMON = Common(**load("common.toml"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """An event; ``angle`` is the number of the summary that fits it, the same in all languages."""

    kind: str
    angle: int
    facts: Mapping[str, Fact]

    @property
    def event(self) -> tuple[object, ...]:
        """What makes two stories the same: kind and facts, those of the asides left out."""
        return self.kind, *(self.facts[name] for name in KINDS[self.kind].facts)


def draw_story(rng: Random) -> Story:
    """A story whose people, places and things all differ."""
    name = rng.choice(list(KINDS))
    facts: dict[str, Fact] = {}
    for slot, declaration in (KINDS[name].facts | COMMON.facts).items():
        fact = draw_fact(declaration, rng)
        while _identity(fact) in map(_identity, facts.values()):
            fact = draw_fact(declaration, rng)
        facts[slot] = fact
    return Story(kind=name, angle=rng.randrange(len(KINDS[name].summary)), facts=facts)


def _identity(fact: Fact) -> object:
    """Two people of one story never share a family name."""
    return fact.family if isinstance(fact, Person) else fact
