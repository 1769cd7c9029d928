"""Tell a story in one language, by filling templates.

A template holds slots, ``{name:form}`` (see ``words``), and alternatives, ``[struck|shook]``. An
alternative may hold slots and further alternatives.
"""

import re
from collections.abc import Sequence
from random import Random

from mclas_lightning.corpora.toy.story import COMMON, KINDS, Sentence, Story
from mclas_lightning.corpora.toy.words import Language

INNERMOST = re.compile(r"\[([^\[\]]*)\]")

SLOT = re.compile(r"\{(\w+)(?::([^{}]*))?\}")

SENTENCE_START = re.compile(r"(^|[.!?] )([a-zäöü])")


def summary(story: Story, language: Language, rng: Random) -> str:
    """The headline: the same facts in every language, with the language's own choice of words."""
    return fill(KINDS[story.kind].summary[story.angle][language], story, language, rng)


def document(story: Story, language: Language, rng: Random, sentences: tuple[int, int]) -> str:
    """The fewest to the most ``sentences``; the lead is the first in half of the documents."""
    kind, length = KINDS[story.kind], rng.randint(*sentences)
    opening = rng.sample(kind.past + COMMON.opening, k=rng.randint(0, 1))
    rest = length - 2 - len(opening)  # A lead has two sentences.
    details = rng.sample(kind.detail, k=min(rng.randint(1, 2), rest))
    distractors = [s for s in kind.past + COMMON.opening + COMMON.aside if s not in opening]
    body = details + rng.sample(distractors, k=rest - len(details))
    rng.shuffle(body)
    return _join([*opening, rng.choice(kind.lead), *body], story, language, rng)


def fill(template: str, story: Story, language: Language, rng: Random) -> str:
    """The text of a template: alternatives are chosen, slots filled, and sentences capitalized."""
    while "[" in template:
        template = INNERMOST.sub(lambda match: rng.choice(match[1].split("|")), template)
    text = SLOT.sub(lambda match: _slot(match[1], match[2] or "", story, language), template)
    return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def _slot(name: str, form: str, story: Story, language: Language) -> str:
    fact = story.facts[name]
    if "/" in form:
        return form.split("/")[fact.agreement]
    return getattr(fact, language)(set(form.split()))


def _join(sentences: Sequence[Sentence], story: Story, language: Language, rng: Random) -> str:
    separator = "" if language == "zh" else " "
    return separator.join(fill(s[language], story, language, rng) for s in sentences)
