"""Word pieces: a Hugging Face tokenizer, pretrained or trained on the spot.

The control tokens of the target sequence have names of their own in a vocabulary trained here; in
mBERT's they are unused entries, as in the released code: [BOS] = [unused1], [EOS] = [unused2],
[LSEP] = [unused5]. A pretrained vocabulary without unused entries, such as XLM-R's, is given them.

A newline in a summary is a border between its sentences. It has no id of its own: the tokenizer
reads it as a space. The released code writes [unused3] there, which is decoded as a newline.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import regex
import tokenizers
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from mclas_lightning.config.overrides import command
from mclas_lightning.data.encoding import Sentences, backend_from, encode_documents, encode_texts
from mclas_lightning.errors import InputError
from mclas_lightning.files import whole_folder
from mclas_lightning.metrics import normalization
from mclas_lightning.metrics.language import CHINESE_LANGUAGES
from mclas_lightning.task import Special

CONTROL_NAMES = {
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "cls": ("[CLS]", "<s>"),
    "sep": ("[SEP]", "</s>"),
    "bos": ("[BOS]", "[unused1]"),
    "eos": ("[EOS]", "[unused2]"),
    "lsep": ("[LSEP]", "[unused5]"),
}

BORDER = "[unused3]"  # between the sentences of a summary (released code)

# No text, though they may be written.
SILENT = re.compile(r"\[unused\d+\]|\[MASK\]|<mask>")

INSIDE = "##"  # opens the word pieces that open no word

OPENING = "\u2581\u0120"  # open SentencePiece's and byte-level pieces that open a word

TARGET = ("bos", "eos", "lsep")  # added where a vocabulary lacks them


class Tokenizer:
    """Texts to ids and back."""

    def __init__(self, backend: PreTrainedTokenizerFast) -> None:
        self.backend = backend
        vocabulary = backend.get_vocab()
        lacking = [
            CONTROL_NAMES[f][0]
            for f in TARGET
            if not any(n in vocabulary for n in CONTROL_NAMES[f])
        ]
        self.added = backend.add_tokens(lacking, special_tokens=True)
        vocabulary = backend.get_vocab() if lacking else vocabulary
        found = {
            field: next((vocabulary[name] for name in names if name in vocabulary), None)
            for field, names in CONTROL_NAMES.items()
        }
        missing = [" or ".join(CONTROL_NAMES[f]) for f, index in found.items() if index is None]
        if missing:
            raise InputError(
                f"tokenizer '{backend.name_or_path}': its vocabulary lacks {', '.join(missing)}"
            )
        self._encoder = backend_from(self.rules)
        # Word pieces do not say whether a space was before punctuation; SentencePiece's do.
        self._says_spaces = json.loads(self.rules)["model"]["type"] != "WordPiece"
        self.special = Special(**found)  # pyright: ignore[reportArgumentType]  # none is missing
        self.border: int | None = vocabulary.get(BORDER)
        silent = {index for name, index in vocabulary.items() if SILENT.fullmatch(name)}
        self.silent = {*self.special, *silent}

    @classmethod
    def load(cls, name: str) -> "Tokenizer":
        """From a folder or, where a hub can be reached, by its name there."""
        try:
            backend = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        except Exception as error:  # The tokenizers library raises nothing more specific.
            raise InputError(
                f"tokenizer '{name}': neither a folder with a tokenizer nor a model that a hub "
                f"could deliver{_made_by(Path(name))}"
            ) from error
        if not isinstance(backend, PreTrainedTokenizerFast):
            raise InputError(f"tokenizer '{name}': is not fast, but of Python alone; take another")
        return cls(backend)

    def __len__(self) -> int:
        return len(self.backend)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the vocabulary; two networks with the same one share their rows."""
        entries = json.dumps(sorted(self.backend.get_vocab().items()), ensure_ascii=False)
        return hashlib.sha256(entries.encode()).hexdigest()

    @cached_property
    def rules(self) -> str:
        """All of the tokenizer as JSON: vocabulary, normalization, splitting."""
        return self.backend.backend_tokenizer.to_str()

    @cached_property
    def content_hash(self) -> str:
        """Hash of all that decides which ids a text gets."""
        versions = f"{tokenizers.__version__}:{normalization.NORMALIZATION_VERSION}"
        return hashlib.sha256(f"{versions}:{self._encoder.to_str()}".encode()).hexdigest()

    def encode(self, texts: Sequence[str], max_length: int) -> list[list[int]]:
        """Ids of each text, at most ``max_length``, without control tokens."""
        return encode_texts(self._encoder, texts, max_length)

    def encode_sources(
        self, texts: Sequence[str], max_length: int, sentences: str | None = None
    ) -> list[list[int]]:
        """``[CLS] text [SEP]``, at most ``max_length`` ids.

        With the texts' language in ``sentences``: ``[CLS] sentence [SEP] [CLS] sentence [SEP] ...``
        """
        apart = self.sentences(sentences)
        encoded = encode_documents(self._encoder, texts, max_length - 2, apart)
        return [[self.special.cls, *ids, self.special.sep] for ids in encoded]

    def sentences(self, language: str | None) -> Sentences | None:
        """How sentences of this language are set apart, if they are."""
        between = (self.special.sep, self.special.cls)
        return Sentences(language=language, between=between) if language else None

    def decode(self, ids: Sequence[int], language: str) -> str:
        """The text of word pieces, spaced as ``language`` writes it; a line for each sentence."""
        texts = map(self.spaced, split_at(ids, self.border))
        if not self._says_spaces:
            texts = (detokenize(text, language) for text in texts)
        return "\n".join(filter(None, map(str.strip, texts)))

    def spaced(self, ids: Sequence[int]) -> str:
        """The text of one sentence's word pieces, with a space around each punctuation mark."""
        written = [i for i in ids if i not in self.silent]
        return self.backend.convert_tokens_to_string([*self.backend.convert_ids_to_tokens(written)])

    def word_piece(self, piece: str) -> tuple[str, bool]:
        """The letters of a piece of the vocabulary, and whether it opens a word."""
        if self._says_spaces:
            return piece.lstrip(OPENING), piece[:1] in OPENING
        return piece.removeprefix(INSIDE), not piece.startswith(INSIDE)

    def save(self, folder: Path) -> None:
        """Write the files ``load`` reads."""
        with whole_folder(folder) as part:
            self.backend.save_pretrained(part)


def _made_by(folder: Path) -> str:
    """The command that makes ``folder``, where it is one that a command makes."""
    if folder.name == "e5-small":
        line = command("mclas data e5-small", ["--out", str(folder)])
    elif folder.name == "tokenizer" and next(folder.parent.rglob("train.jsonl"), None):
        line = command("mclas data tokenizer", [str(folder.parent)])
    else:
        return ""
    return f"; make it with: {line}"


def split_at(ids: Iterable[int], border: int | None) -> list[list[int]]:
    """``ids`` cut at every ``border``, which is in no part."""
    parts: list[list[int]] = [[]]
    for i in ids:
        if i == border:
            parts.append([])
        else:
            parts[-1].append(i)
    return parts


def train_tokenizer(texts: Iterable[str], *, size: int, lowercase: bool) -> Tokenizer:
    """A WordPiece vocabulary of at most ``size`` entries; Chinese characters stand alone.

    ``texts`` are gone through twice, and need not fit into memory.
    """
    assert iter(texts) is not texts, "an iterator would be used up by the first time"
    normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=False)
    spelled = map(normalizer.normalize_str, map(normalization.normalize, texts))
    letters = sorted({c for text in spelled for c in text if c.strip()})
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        # Letters inside a word get their ids here. Left to the trainer, they get them in the order
        # of a randomly seeded hash table, and ties between pairs are broken by id.
        special_tokens=[names[0] for names in CONTROL_NAMES.values()] + [f"##{c}" for c in letters],
        show_progress=False,
    )
    first = _backend({}, normalizer)
    first.train_from_iterator(map(normalization.normalize, texts), trainer)
    return Tokenizer(
        PreTrainedTokenizerFast(
            tokenizer_object=_backend(first.get_vocab(), normalizer),
            pad_token="[PAD]",
            unk_token="[UNK]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            bos_token="[BOS]",
            eos_token="[EOS]",
            additional_special_tokens=["[LSEP]"],
        )
    )


def _backend(vocabulary: dict[str, int], normalizer: normalizers.Normalizer) -> Backend:
    # A sentence of Thai is one word; of the usual 100 letters, a longer one would be unknown.
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=1000)
    backend = Backend(model)  # pyright: ignore
    backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(cleanup=False)
    return backend


_QUOTES = {"de": ("\u201e", "\u201c"), "en": ("\u201c", "\u201d")}

# Languages that write Han characters and no spaces, kana and wide punctuation included.
_WIDE_LANGUAGES = CHINESE_LANGUAGES | {"ja"}
# Fullwidth letters and digits are not among them: a space before or after these divides words.
_WIDE = r"[\u3000-\u30ff\u3400-\u9fff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff9f]"

_SPACING = [
    (re.compile(r"\s+([.,;:!?%)\]}\u2019\u2026])"), r"\1"),
    (re.compile(r"([(\[{])\s+"), r"\1"),
    (re.compile(r"(\d)([.,:]) (?=\d)"), r"\1\2"),
    (regex.compile(r"([\w\p{M}]) ([-/']) (?=\w)"), r"\1\2"),
]

_SPACE = re.compile(rf"(?<={_WIDE})\s+|\s+(?={_WIDE})")


def detokenize(text: str, language: str) -> str:
    """Undo the spaces that word pieces put around punctuation and between Han characters."""
    for pattern, replacement in _SPACING:
        text = pattern.sub(replacement, text)
    if language in _QUOTES:
        opening, closing = _QUOTES[language]
        text = text.replace(f"{opening} ", opening).replace(f" {closing}", closing)
    return _SPACE.sub("", text).strip() if language in _WIDE_LANGUAGES else text.strip()
