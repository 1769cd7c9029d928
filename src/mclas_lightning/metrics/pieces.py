"""Word pieces of Chinese texts, which the released code computes ROUGE on.

The released code compares ids of mBERT's tokenizer: a CJK character is a piece, a word of Latin
letters or digits is one piece or several, and a punctuation mark is a piece.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from mclas_lightning.errors import InputError

NORMALIZER = normalizers.BertNormalizer(lowercase=True, strip_accents=True)


class WordPieces:
    """A WordPiece tokenizer that lower-cases texts and strips their accents."""

    def __init__(self, vocabulary: dict[str, int], prefix: str = "##") -> None:
        # An entry that equals no piece, for words that the vocabulary cannot write.
        self.unknown = "\n"
        entries = vocabulary | {self.unknown: max(vocabulary.values()) + 1}
        model = models.WordPiece(
            entries,  # pyright: ignore[reportArgumentType]
            unk_token=self.unknown,
            continuing_subword_prefix=prefix,
        )
        self.vocabulary = vocabulary
        self._tokenizer = Tokenizer(model)
        self._tokenizer.normalizer = NORMALIZER
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    @classmethod
    def find(cls, path: Path) -> "WordPieces | None":
        """The pieces of a tokenizer.json, or of its folder; None where it is not of WordPiece."""
        path = path / "tokenizer.json" if path.is_dir() else path
        try:
            found = Tokenizer.from_file(str(path))
        except Exception:  # The tokenizers library raises nothing more specific.
            return None
        if not isinstance(found.model, models.WordPiece):
            return None
        vocabulary = found.get_vocab(with_added_tokens=False)
        return cls(vocabulary, found.model.continuing_subword_prefix) if vocabulary else None

    @classmethod
    def read(cls, path: Path) -> "WordPieces":
        """As ``find``, but InputError instead of None."""
        found = cls.find(path)
        if found is None:
            raise InputError(
                f"{path}: expected a folder with the tokenizer.json of a WordPiece vocabulary, "
                f"such as a run's tokenizer/ or a copy of bert-base-multilingual-uncased"
            )
        return found

    @cached_property
    def hash(self) -> str:
        """12 hexadecimal digits of the vocabulary's SHA-256."""
        entries = json.dumps(sorted(self.vocabulary), ensure_ascii=False)
        return hashlib.sha256(entries.encode()).hexdigest()[:12]

    def tokenize(self, texts: Iterable[str]) -> list[list[str]]:
        """The pieces of each text."""
        texts = list(texts)
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        # Released code: all unknown words are equal, [UNK]. We: an unknown word equals itself only.
        return [
            [
                _plain(text[slice(*place)]) if piece == self.unknown else piece
                for piece, place in zip(encoding.tokens, encoding.offsets, strict=True)
            ]
            for text, encoding in zip(texts, encodings, strict=True)
        ]


def _plain(word: str) -> str:
    return NORMALIZER.normalize_str(word).strip()  # BertNormalizer puts spaces around CJK.
