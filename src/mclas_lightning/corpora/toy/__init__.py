"""A toy corpus: short generated news stories in English, German and Chinese.

A story is an event without a language (``story``). Its facts are drawn from a lexicon (``lexicon``,
``*.toml``). It is told in each language (``render``, ``words``, ``german``, ``numerals``). Story
``i`` depends on the seed and ``i`` alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, permutations
from pathlib import Path
from random import Random
from typing import Any

from mclas_lightning.corpora.manifest import check_replaceable, whole_corpus
from mclas_lightning.corpora.toy.editions import TOY, Edition
from mclas_lightning.corpora.toy.phrases import phrase_pairs, write_lexicon
from mclas_lightning.corpora.toy.render import document, summary
from mclas_lightning.corpora.toy.story import Story, draw_story
from mclas_lightning.corpora.toy.words import TOY_LANGUAGES, Language
from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.example import Example, write_jsonl
from mclas_lightning.files import sha256, write_json

DIRECTIONS: tuple[tuple[Language, Language], ...] = tuple(permutations(TOY_LANGUAGES, 2))

# The stories of each split have a hundred thousand numbers of their own, so that the size of a
# split never changes another split. Of equal stories, the split that stands first here keeps one.
STORIES_A_SPLIT = 100_000

TOY_SPLITS = ("test", "valid", "train", "mono_test", "mono_valid", "mono_train")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldStory:
    """A story, with its document and summary in each language."""

    id: str
    story: Story
    documents: dict[Language, str]
    summaries: dict[Language, str]


def tell_story(seed: int, index: int, edition: Edition = TOY) -> ToldStory:
    """The story with the number ``index``, told in all languages."""
    story = draw_story(Random(f"{seed}:{index}"), edition.kinds)
    wording = {language: Random(f"{seed}:{index}:{language}") for language in TOY_LANGUAGES}
    return ToldStory(
        id=f"{edition.name}-{index:06}",
        story=story,
        documents={
            language: document(story, language, wording[language], edition.sentences)
            for language in TOY_LANGUAGES
        },
        summaries={
            language: summary(story, language, wording[language]) for language in TOY_LANGUAGES
        },
    )


def stories(
    seed: int, split: str, seen: set[object], edition: Edition = TOY
) -> Iterator[ToldStory]:
    """The stories of a split whose event and documents are new; they are added to ``seen``."""
    start = TOY_SPLITS.index(split) * STORIES_A_SPLIT
    for index in range(start, start + STORIES_A_SPLIT):
        told = tell_story(seed, index, edition)
        marks = {told.story.event, *told.documents.values()}
        if seen.isdisjoint(marks):
            seen |= marks
            yield told


def write_toy(
    out: Path,
    *,
    seed: int,
    sizes: Mapping[str, int],
    edition: Edition = TOY,
    progress: Callable[[int], object] = lambda done: None,
    finish: Callable[[Path], object] = lambda folder: None,
) -> dict[str, Any]:
    """Write the corpus below ``out``, whole or not at all; its manifest.

    Each direction has a folder (``en2de``, ...) with a bilingual ``lexicon.tsv``. Each language has
    a folder with other stories, without ``cross``. ``progress`` is called with 1 after each story,
    and ``finish`` may add files to the folder before it becomes ``out``. InputError for unknown
    splits, for sizes out of range, and where ``out`` holds something else.
    """
    _check(out, sizes, edition)
    seen: set[object] = set()
    with whole_corpus(out) as folder:
        for split in TOY_SPLITS:
            told = stories(seed, split, seen, edition)
            _write(folder, split, _take(told, split, sizes[split], progress))
        for source, target in DIRECTIONS:
            pairs = phrase_pairs(source, target)
            write_lexicon(folder / f"{source}2{target}" / "lexicon.tsv", pairs)
        files = {
            path.relative_to(folder).as_posix(): {
                "records": sizes[("mono_" if len(path.parent.name) == 2 else "") + path.stem],
                "sha256": sha256(path),
            }
            for path in sorted(folder.rglob("*.jsonl"))
        }
        manifest = {"corpus": edition.name, "seed": seed, "sizes": dict(sizes), "files": files}
        write_json(folder / "manifest.json", manifest)
        finish(folder)
    return manifest


def _take(
    told: Iterator[ToldStory], split: str, size: int, progress: Callable[[int], object]
) -> list[ToldStory]:
    taken = []
    for story in islice(told, size):
        taken.append(story)
        progress(1)
    if len(taken) < size:
        raise InputError(f"toy corpus: '{split}' has no {size:,} different stories; ask for fewer")
    return taken


def _write(folder: Path, split: str, told: list[ToldStory]) -> None:
    """Write a split for each direction or, if it is monolingual, for each language."""
    alone: list[tuple[Language, None]] = [(language, None) for language in TOY_LANGUAGES]
    for source, target in alone if split.startswith("mono_") else DIRECTIONS:
        name = f"{source}2{target}" if target else source
        path = folder / name / f"{split.removeprefix('mono_')}.jsonl"
        write_jsonl(path, (_example(story, source, target) for story in told))


def _example(told: ToldStory, source: Language, target: Language | None) -> Example:
    return Example(
        id=told.id,
        document=told.documents[source],
        mono=told.summaries[source],
        cross=told.summaries[target] if target else None,
    )


def _check(out: Path, sizes: Mapping[str, int], edition: Edition) -> None:
    for split in (*sizes, *TOY_SPLITS):
        if split not in TOY_SPLITS:
            raise unknown_choice("toy split", split, TOY_SPLITS)
        if not 0 <= sizes.get(split, -1) < STORIES_A_SPLIT:
            raise InputError(
                f"toy corpus: size of '{split}' must be from 0 to {STORIES_A_SPLIT - 1:,}, "
                f"found {sizes.get(split, 'none')}"
            )
    check_replaceable(out, edition.name)
