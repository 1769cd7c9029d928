"""Percent of human texts that a block of repetitions forbids a decoder to write.

    python -m benchmarks.blocking --corpus data/debian --tokenizer FOLDER

The texts are summaries and documents of a corpus by ``mclas data debian``, grouped by their length
in word pieces. The blocks are of three pieces, of three words, and of 3 to 12 characters.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.decoding.processors import repeated_shares
from mclas_lightning.decoding.repetition import (
    REPETITION_SHARES,
    REPETITION_WORDS,
    repetition_shares,
)
from mclas_lightning.example import read_jsonl

PAD = 0  # the id of mBERT and of vocabularies that are trained here; in no text
LENGTHS = ((1, 40), (41, 80), (81, 140), (141, 300))  # word pieces
CHARACTERS = (3, 4, 5, 6, 7, 8, 9, 10, 12)


def texts(corpus: Path) -> dict[tuple[str, str], list[str]]:
    """The texts of each language and kind (summaries, documents)."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for folder in sorted(path for path in corpus.iterdir() if "2" in path.name):
        source, _, target = folder.name.partition("2")
        for example in (e for path in sorted(folder.glob("*.jsonl")) for e in read_jsonl(path)):
            found[source, "documents"].add(example.document)
            found[source, "summaries"].add(example.mono or "")
            found[target, "summaries"].add(example.cross or "")
    return {kind: sorted(written - {""}) for kind, written in found.items()}


def unwritable(ids: Sequence[int], share_V: torch.Tensor, limit: int) -> bool:
    """Whether a piece of the text is blocked."""
    if len(ids) < 3:
        return False
    # All prefixes, padded with [PAD] on the left, and the piece that follows each.
    padded = torch.tensor([*[PAD] * (len(ids) - 2), *ids[:-1]])
    prefixes_TT, next_T1 = padded.unfold(0, len(ids) - 1, 1), torch.tensor(ids[1:])[:, None]
    share_T1 = share_V[next_T1]
    again_TT = (repeated_shares(prefixes_TT, share_V) + share_T1 >= limit) & (
        prefixes_TT == next_T1
    )
    return bool((again_TT & (share_T1 > 0)).any())


def percent(some: Iterable[Sequence[int]], share_V: torch.Tensor, limit: int) -> float:
    """Percent of texts that are blocked."""
    found = [unwritable(ids, share_V, limit) for ids in some]
    return 100 * sum(found) / len(found)


def main() -> None:
    """Print a line for each language, kind of text and length."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/debian"))
    parser.add_argument("--tokenizer", default="data/debian/tokenizer")
    parser.add_argument("--texts", type=int, default=500, help="of each line, at most")
    asked = parser.parse_args()
    tokenizer = Tokenizer.load(asked.tokenizer)
    ours_V = repetition_shares(tokenizer)
    for (language, kind), written in sorted(texts(asked.corpus).items()):
        random.Random(0).shuffle(written)
        encoded = tokenizer.encode(written, LENGTHS[-1][1] + 1)
        for least, most in LENGTHS:
            some = [ids for ids in encoded if least <= len(ids) <= most][: asked.texts]
            if len(some) < 30:
                continue
            pieces = percent(some, (torch.arange(len(ours_V)) != PAD).long(), 3)
            line = f"{language} {kind} of {least}-{most}: {len(some)} texts, 3 pieces {pieces:.1f}"
            if language == "zh":
                # A word's share is the number of characters of a repetition; a character's share is
                # REPETITION_WORDS.
                for number in CHARACTERS:
                    share_V = torch.where(ours_V % REPETITION_WORDS == 0, ours_V, number)
                    line += f", {number}: {percent(some, share_V, REPETITION_WORDS * number):.1f}"
            else:
                line += f", 3 words {percent(some, ours_V, REPETITION_SHARES):.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
