"""What a build of the debian corpus reports: counts per filter, sizes and mean lengths."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from mclas_lightning.data.debian.index import length
from mclas_lightning.data.example import Example


def mean_lengths(
    splits: Mapping[Any, Sequence[Example]], source: str, target: str | None
) -> dict[str, float]:
    """Mean length of document and summaries, in words or (Chinese) characters."""
    rows = [row for split in splits.values() for row in split]
    texts = {
        "document": [length(row.document, source) for row in rows],
        "mono": [length(row.mono or "", source) for row in rows],
    }
    if target:
        texts["cross"] = [length(row.cross or "", target) for row in rows]
    return {name: round(fmean(lengths), 1) if lengths else 0.0 for name, lengths in texts.items()}


def table(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Lines: what became of the descriptions of each corpus, then the mean lengths."""
    counts, means = manifest["counts"], manifest["mean_lengths"]
    names = list(counts)
    yield _line("", names)
    for step in max(counts.values(), key=len):
        yield _line(step, (f"{counts[n][step]:,}" if step in counts[n] else "-" for n in names))
    for text in ("document", "mono", "cross"):
        cells = (f"{means[n][text]:.1f}" if text in means[n] else "-" for n in names)
        yield _line(f"mean {text}", cells)


def _line(label: str, cells: Iterable[str]) -> str:
    return f"{label:<14}" + "".join(f"{cell:>9}" for cell in cells)
