"""The authors' preprocessed shards, ``*.{train,valid,test}.K.bert.pt``.

A shard is a list of dictionaries; ``tgt`` holds the ids ``[BOS] A [LSEP] [BOS]? B [EOS]`` or, for
NCLS, ``[BOS] B [EOS]``, ``tgt_eng`` those of A; ``src_txt``, ``tgt_txt`` and ``tgt_txt_eng`` are
the texts, with ``<q>`` between sentences. Only plain data is loaded; code is never executed.
"""

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mclas_lightning.data.example import Example
from mclas_lightning.data.readers.log import Log, Skip, Sources, one_line
from mclas_lightning.data.tokenizer import Tokenizer, detokenize
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.metrics.language import share_in_wrong_language

VOCABULARY = 105_879  # entries of bert-base-multilingual-uncased
BOS, EOS, SENTENCE, LSEP = 1, 2, 3, 5  # [unused1], [unused2], [unused3], [unused5]
SAMPLE = 200  # records whose languages are looked at
# As Stanford CoreNLP writes brackets and quotes.
_ESCAPED = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}",
    "``": '"', "''": '"',
}  # fmt: skip
_SEPARATOR = re.compile(r"<q>|\[unused[123]\]")

Shard = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ShardReader:
    """Reads shards of one corpus."""

    source: str
    target: str
    tokenizer: Tokenizer | None  # for texts that a shard has as ids alone
    swapped: bool = False  # tgt is the summary in the source language, as in En2De's files

    def read(self, path: Path, sources: Sources, log: Log) -> Iterator[Example]:
        """The examples of a shard."""
        for number, record in enumerate(load_shard(path)):
            where = f"{path}:{number}"
            try:
                yield self._example(f"{path.name}:{number}", record, where)
            except Skip as skip:
                log.skip(str(skip), where)
        sources.progress(path.stat().st_size)
        sources.add(path, sha256(path))

    def fields_are_swapped(self, path: Path) -> bool:
        """Whether tgt_txt is less often in the target language than tgt_txt_eng."""
        wrong = []
        for field in ("tgt_txt", "tgt_txt_eng"):
            texts = [record.get(field) or "" for record in load_shard(path)[:SAMPLE]]
            plain = [_SEPARATOR.sub(" ", text) for text in texts if isinstance(text, str) and text]
            others = {self.source}
            wrong.append(share_in_wrong_language(plain, self.target, others) if plain else 1.0)
        return wrong[1] < wrong[0]

    def _example(self, example_id: str, record: dict[str, Any], where: str) -> Example:
        sides = self._sides(record, where)
        texts = {"cross": record.get("tgt_txt"), "mono": record.get("tgt_txt_eng")}
        if self.swapped:
            texts = {"cross": texts["mono"], "mono": texts["cross"]}
        summaries = {
            side: self._text(texts[side], sides.get(side), self._language(side), where)
            for side in ("mono", "cross")
        }
        document = record.get("src_txt")
        if isinstance(document, list) and all(isinstance(text, str) for text in document):
            document = "<q>".join(document)
        document = self._text(document, record.get("src"), self.source, where)
        if not document:
            raise Skip("no document")
        if not any(summaries.values()):
            raise Skip("no summary")
        return Example(id=example_id, document=document, **summaries)

    def _sides(self, record: dict[str, Any], where: str) -> dict[str, list[int]]:
        """Ids of each summary; InputError where they are another vocabulary's."""
        for name in ("src", "tgt", "tgt_eng"):
            self._check_ids(record.get(name), name, where)
        target, mono = record.get("tgt") or [], record.get("tgt_eng") or []
        if target[:1] != [BOS] or target[-1:] != [EOS] or target.count(LSEP) > 1:
            raise Skip("tgt is not [BOS] ... [EOS], with one [LSEP] at most")
        if LSEP in target:
            at = target.index(LSEP)
            return {"mono": target[:at], "cross": target[at + 1 :]}
        return {"mono": mono, "cross": target} if mono else {"cross": target}

    def _check_ids(self, ids: Any, name: str, where: str) -> None:
        size = len(self.tokenizer) if self.tokenizer else VOCABULARY
        if ids is None:
            return
        if not isinstance(ids, list) or not all(type(i) is int for i in ids):
            raise InputError(f"{where}: {name}: expected a list of ids")
        if ids and not 0 <= min(ids) <= max(ids) < size:
            raise InputError(
                f"{where}: {name} has the id {max(ids):,}, the vocabulary {size:,} entries; these "
                f"are another tokenizer's ids, name it with --tokenizer"
            )

    def _text(self, text: Any, ids: Sequence[int] | None, language: str, where: str) -> str | None:
        """The text itself, or that of the ids where it is not there."""
        if isinstance(text, str) and text.strip():
            words = _SEPARATOR.sub(" ", text).split()
            joined = " ".join(_ESCAPED.get(word, word) for word in words)
            return _encodable(detokenize(joined, language), where)
        if not ids:
            return None
        if self.tokenizer is None:
            raise InputError(
                f"{where}: holds ids without their text; name their tokenizer with --tokenizer, "
                f"such as --tokenizer google-bert/bert-base-multilingual-uncased"
            )
        written = [i for i in ids if i not in (BOS, EOS, SENTENCE, LSEP)]
        return one_line(self.tokenizer.decode(written, language)) or None

    def _language(self, side: str) -> str:
        return self.source if side == "mono" else self.target


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
    except Exception:  # What torch raises on a damaged file depends on where the damage is.
        raise _no_shard(path) from None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise _no_shard(path)
    return records


def _no_shard(path: Path) -> InputError:
    return InputError(
        f"{path}: not a shard (a list of dictionaries saved by torch), or cut short; get it again"
    )


def _encodable(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Skip("a text holds half a character") from None
    return text
