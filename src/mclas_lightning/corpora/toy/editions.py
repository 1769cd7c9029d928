"""The corpora that toy stories make: long news, and brief news that a network learns in minutes."""

from collections.abc import Mapping
from dataclasses import dataclass

from mclas_lightning.corpora.toy.story import KINDS


@dataclass(frozen=True, kw_only=True)
class Edition:
    """The kinds of event, the fewest and most sentences of a document, and the stories of splits.

    ``vocabulary`` is the number of word pieces of the corpus's tokenizer.
    """

    name: str
    kinds: tuple[str, ...]
    sentences: tuple[int, int]
    sizes: Mapping[str, int]
    vocabulary: int


TOY = Edition(
    name="toy",
    kinds=tuple(KINDS),
    sentences=(4, 6),
    sizes={
        "train": 4000, "valid": 200, "test": 200,
        "mono_train": 12000, "mono_valid": 200, "mono_test": 200,
    },
    vocabulary=4000,
)  # fmt: skip

BRIEF = Edition(
    name="brief",
    kinds=("fire", "flood", "theft"),
    sentences=(3, 4),
    sizes={**TOY.sizes, "train": 2000, "mono_train": 8000},
    vocabulary=3000,
)

EDITIONS = {edition.name: edition for edition in (TOY, BRIEF)}
