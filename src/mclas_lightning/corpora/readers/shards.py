"""The authors' preprocessed shards, ``*.{train,valid,test}.K.bert.pt``.

A shard is a list of dictionaries. ``tgt`` holds the ids ``[BOS] A [LSEP] [BOS]? B [EOS]`` or, for
NCLS, ``[BOS] B [EOS]``; ``tgt_eng`` holds the ids of A. ``src_txt``, ``tgt_txt`` and
``tgt_txt_eng`` are the texts. ``<q>`` stands between the sentences of a text, [unused3] between
those of ids. The sentences of a summary become lines of its text. Only plain data is loaded, so
that no code of a shard is executed.
"""

import pickle
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mclas_lightning.corpora.readers.log import Log, Skip, Sources, one_line, printable
from mclas_lightning.data.tokenizer import Tokenizer, detokenize, split_at
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from mclas_lightning.files import sha256
from mclas_lightning.metrics.language import share_in_wrong_language

MBERT_ENTRIES = 105_879  # entries of bert-base-multilingual-uncased

BOS, EOS, SENTENCE, LSEP = 1, 2, 3, 5  # [unused1], [unused2], [unused3], [unused5]

SAMPLE_RECORDS = 200  # records by whose languages swapped fields are recognized

# Stanford CoreNLP writes a bracket as -LRB- and a quote as ``. mBERT's tokenizer lower-cases them
# and cuts them into pieces: "- lrb -" and "` `".
_ESCAPED = re.compile(r"(?<!\S)(?:- ?([lr][rsc]b) ?-|` ?`|' ?')(?!\S)", re.IGNORECASE)

_BRACKETS = {"lrb": "(", "rrb": ")", "lsb": "[", "rsb": "]", "lcb": "{", "rcb": "}"}

_BORDER = re.compile(r"<q>|\[unused3\]")

_CONTROL = re.compile(r"\[unused[1245]\]")

Shard = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ShardReader:
    """Reads the shards of a corpus."""

    source: str
    target: str
    tokenizer: Tokenizer | None  # for shards with ids instead of texts
    swapped: bool = False  # whether tgt is in the source language, as in En2De's files

    def read(self, path: Path, sources: Sources, log: Log) -> Iterator[Example]:
        """The examples of a shard; InputError for a file or ids that are no shard of the corpus."""
        for number, record in enumerate(load_shard(path)):
            log.place = path, number
            try:
                document, mono, cross = self._texts(record, f"{path}:{number}")
                if not document:
                    raise Skip("no document")
                if not mono and not cross:
                    raise Skip("no summary")
                if LSEP in (record.get("tgt") or ()) and not (mono and cross):
                    raise Skip("one of the two summaries is empty")
            except Skip as skip:
                log.skip(str(skip))
                continue
            example_id = f"{printable(path.name)}:{number}"
            yield Example(id=example_id, document=document, mono=mono or None, cross=cross or None)
        sources.progress(path.stat().st_size)
        sources.add(path, sha256(path))

    def fields_are_swapped(self, path: Path) -> bool:
        """Whether fewer texts of tgt than of tgt_eng are in the target language."""
        rows: list[tuple[str, ...]] = []
        for number, record in enumerate(load_shard(path)[:SAMPLE_RECORDS]):
            with suppress(Skip):
                rows.append(self._texts(record, f"{path}:{number}"))
        wrong = []
        for side in (1, 2):  # tgt_eng, tgt
            texts = [text for row in rows if (text := row[side])]
            wrong.append(share_in_wrong_language(texts, self.target) if texts else 1.0)
        return wrong[0] < wrong[1]

    def _texts(self, record: dict[str, Any], where: str) -> tuple[str, ...]:
        """Document, mono and cross summary of a record; a missing text is empty."""
        document = record.get("src_txt")
        if isinstance(document, list) and all(isinstance(text, str) for text in document):
            document = "<q>".join(document)
        eng_ids, tgt_ids = self._summary_ids(record, where)
        eng, tgt = (record.get("tgt_txt_eng"), eng_ids), (record.get("tgt_txt"), tgt_ids)
        mono, cross = (tgt, eng) if self.swapped else (eng, tgt)
        return (
            _clean(" ".join(self._sentences(document, record.get("src"), where)), self.source),
            *(
                "\n".join(_clean(sentence, language) for sentence in self._sentences(*side, where))
                for side, language in ((mono, self.source), (cross, self.target))
            ),
        )

    def _summary_ids(self, record: dict[str, Any], where: str) -> tuple[list[int], list[int]]:
        """The ids of tgt_txt_eng and of tgt_txt.

        InputError for ids beyond the vocabulary. Skip for a target without the usual control ids.
        """
        for name in ("src", "tgt", "tgt_eng"):
            self._check_ids(record.get(name), name, where)
        target = record.get("tgt") or []
        # A target that was cut at the longest length does not end with [EOS].
        if target[:1] != [BOS] or EOS in target[:-1] or target.count(LSEP) > 1:
            raise Skip("tgt is not [BOS] ... [EOS], with one [LSEP] at most")
        if target[-1] != EOS and not record.get("tgt_txt"):
            raise Skip("tgt is cut short, and its text is not there")
        at = target.index(LSEP) if LSEP in target else -1
        eng = record.get("tgt_eng") or target[: max(at, 0)]
        return eng, target[at + 1 :]

    def _check_ids(self, ids: Any, name: str, where: str) -> None:
        size = len(self.tokenizer) if self.tokenizer else MBERT_ENTRIES
        if ids is None:
            return
        if not isinstance(ids, list) or not all(type(i) is int for i in ids):
            raise InputError(f"{where}: {name}: expected a list of ids")
        if ids and not 0 <= min(ids) <= max(ids) < size:
            wrong = min(ids) if min(ids) < 0 else max(ids)
            raise InputError(
                f"{where}: {name} has the id {wrong:,}, the vocabulary {size:,} entries; these "
                f"are another tokenizer's ids, name it with --tokenizer"
            )

    def _sentences(self, text: Any, ids: Sequence[int] | None, where: str) -> list[str]:
        """The sentences of a text or, without a text, of its ids; none without both."""
        written = [i for i in ids or () if i not in (BOS, EOS, LSEP)]
        if isinstance(text, str) and text.strip():
            found = _BORDER.split(_CONTROL.sub(" ", text))
        elif not written:
            return []
        elif self.tokenizer is None:
            raise InputError(
                f"{where}: holds ids without their text; name their tokenizer with --tokenizer, "
                f"such as --tokenizer google-bert/bert-base-multilingual-uncased"
            )
        else:
            found = map(self.tokenizer.spaced, split_at(written, SENTENCE))
        return [_encodable(one_line(sentence)) for sentence in found if sentence.strip()]


def _clean(sentence: str, language: str) -> str:
    """``sentence`` without the escapes of CoreNLP, and with the spaces of its language."""
    unescaped = _ESCAPED.sub(
        lambda found: _BRACKETS[found[1].lower()] if found[1] else '"', sentence
    )
    return detokenize(unescaped, language)


def load_shard(path: Path) -> Shard:
    """The records of a shard; InputError for any other file."""
    try:
        records = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "GLOBAL" in str(error):
            raise InputError(
                f"{path}: needs code to be loaded, which could do anything, and is refused; a "
                f"shard is a list of plain dictionaries"
            ) from None
        raise _no_shard(path) from None
    except Exception:  # torch raises many kinds of errors for damaged files.
        raise _no_shard(path) from None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise _no_shard(path)
    return records


def _no_shard(path: Path) -> InputError:
    return InputError(
        f"{path}: not a shard (a list of dictionaries saved by torch), or cut short; get it again"
    )


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Skip("a text holds half a character") from None
    return text
