"""Stories: events with their facts, without a language; ``kinds/`` holds the kinds of event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from mclas_lightning.corpora.toy.lexicon import HERE, draw_fact, load_toml
from mclas_lightning.corpora.toy.words import Fact, Language, Person

Sentence = dict[Language, str]  # a template for each language


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of event: its facts, and the sentences that tell them.

    Each ``lead`` is two sentences with all facts of a ``summary``. A ``detail`` has further facts.
    A ``past`` tells of another event of the same kind; it is the distractor most similar to a lead.
    """

    facts: dict[str, str]
    lead: list[Sentence]
    detail: list[Sentence]
    past: list[Sentence]
    summary: list[Sentence]


@dataclass(frozen=True, kw_only=True, slots=True)
class Common:
    """Sentences on other things, for documents of every kind; an ``opening`` may come first."""

    facts: dict[str, str]
    opening: list[Sentence]
    aside: list[Sentence]


KINDS = {
    path.stem: Kind(**load_toml(f"kinds/{path.name}")) for path in sorted(HERE.glob("kinds/*.toml"))
}

COMMON = Common(**load_toml("common.toml"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """An event; ``angle`` is the number of its summary's template, the same in all languages."""

    kind: str
    angle: int
    facts: Mapping[str, Fact]

    @property
    def event(self) -> tuple[object, ...]:
        """Kind and facts, without those of asides: stories with the same event count as equal."""
        return self.kind, *(self.facts[name] for name in KINDS[self.kind].facts)


def draw_story(rng: Random, kinds: Sequence[str] = tuple(KINDS)) -> Story:
    """A story of one of these kinds, whose people, places and things all differ."""
    name = rng.choice(kinds)
    facts: dict[str, Fact] = {}
    for slot, declaration in (KINDS[name].facts | COMMON.facts).items():
        fact = draw_fact(declaration, rng)
        while _identity(fact) in map(_identity, facts.values()):
            fact = draw_fact(declaration, rng)
        facts[slot] = fact
    return Story(kind=name, angle=rng.randrange(len(KINDS[name].summary)), facts=facts)


def _identity(fact: Fact) -> object:
    """What has to differ between the facts of a story: the family name of a person, else all."""
    return fact.family if isinstance(fact, Person) else fact
