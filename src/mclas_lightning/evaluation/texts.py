"""Files of texts from any system: a text a line, or jsonl of ``{"id": ..., "text": ...}``,
whatever their names end in.

References may also be a split of a corpus, of which one summary and the documents are read.
"""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.errors import InputError, clear_when_unreadable
from mclas_lightning.example import Side, begins_json, json_record, text_record
from mclas_lightning.files import json_lines


@dataclass(frozen=True)
class SystemTexts:
    """The texts of a file in order, with their ids; None where the file has no ids."""

    path: Path
    texts: list[str]
    ids: list[str] | None


def read_texts(path: Path, field: str = "text") -> SystemTexts:
    """The texts of a file in UTF-8; InputError, with the line, where it cannot be read.

    ``field`` holds the text of a line of jsonl.
    """
    lines = _lines(path)
    if path.suffix != ".jsonl" and not begins_json("\n".join(lines).encode()):
        # The released code writes <q> for the line ends between a summary's sentences.
        return SystemTexts(path, [line.replace("<q>", "\n") for line in lines], None)
    numbered = json_lines(line.encode() for line in lines)
    records = [text_record(line, field, f"{path}:{number}") for number, line in numbered]
    if not records:
        raise InputError(f"{path}: is empty; expected a text a line")
    ids = [example_id for example_id, _ in records]
    if repeated := [example_id for example_id, times in Counter(ids).items() if times > 1]:
        raise InputError(f"{path}: id '{repeated[0]}' is used more than once; ids must be unique")
    return SystemTexts(path, [text for _, text in records], ids)


def read_references(path: Path, side: Side) -> tuple[SystemTexts, SystemTexts | None]:
    """The references in ``path``; of a corpus's split its summaries ``side``, and its documents."""
    record = {}
    with suppress(InputError):  # which read_texts raises with its line
        record = json_record(_lines(path)[0].encode(), str(path))
    if "document" not in record or "text" in record:
        return read_texts(path), None
    return read_texts(path, side), read_texts(path, "document")


def check_references(references: SystemTexts) -> None:
    """InputError where a reference is empty: nothing can be compared with it."""
    for number, text in enumerate(references.texts, start=1):
        if not text.strip():
            raise InputError(
                f"{references.path}:{number}: this reference is empty; leave its document out of "
                f"every file"
            )


def check_parallel(texts: SystemTexts, others: SystemTexts) -> None:
    """InputError where two files have not the same documents in the same order."""
    if len(texts.texts) != len(others.texts):
        raise InputError(
            f"{texts.path} has {len(texts.texts):,} texts, {others.path} {len(others.texts):,}; "
            f"give as many as each other, an empty line for a document without a summary"
        )
    if texts.ids is None or others.ids is None:
        return
    for number, (found, expected) in enumerate(zip(texts.ids, others.ids, strict=True), start=1):
        if found != expected:
            raise InputError(
                f"{texts.path}:{number}: is of document '{found}', line {number} of {others.path} "
                f"of '{expected}'; bring both to the same documents in the same order"
            )


def system_names(paths: Sequence[Path]) -> list[str]:
    """The files' names without endings, after as many of their folders as make them differ.

    A link is called as it is itself, not as its target, which may be named by a hash. Endings stay
    where files of one folder differ in nothing else.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("the same file is given more than once as hypotheses of a system")
    whole = [Path(os.path.abspath(path)) for path in paths]
    stems = [path.with_suffix("") for path in whole]
    different = stems if len(set(stems)) == len(stems) else whole
    depths = range(1, max(len(path.parts) for path in different) + 1)
    tried = (["/".join(path.parts[-depth:]) for path in different] for depth in depths)
    return next(names for names in tried if len(set(names)) == len(names))


def _lines(path: Path) -> list[str]:
    with clear_when_unreadable(path):
        raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: not in UTF-8; convert the file first") from None
    if not text:
        raise InputError(f"{path}: is empty; expected a text a line")
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
