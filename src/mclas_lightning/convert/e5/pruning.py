"""XLM-R's tokenizer, with all of its pieces or only those of a corpus's texts."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from mclas_lightning.data.encoding import ENCODED_TOGETHER, backend_from, encode_texts
from mclas_lightning.example import read_jsonl
from mclas_lightning.files import num_records
from mclas_lightning.progress import progress_bar

CONTROL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

UNREACHABLE = -100.0  # a score far below that of spelling a control token letter by letter


def xlmr_tokenizer(pieces: Iterable[tuple[str, float]]) -> PreTrainedTokenizerFast:
    """XLM-R's tokenizer with these pieces and their log probabilities."""
    # Unigram scores an unknown letter 10 below its worst piece. UNREACHABLE is the worst piece of
    # every choice of pieces, so the score of an unknown letter never changes.
    scored = [(piece, UNREACHABLE if piece in CONTROL else score) for piece, score in pieces]
    ids = {piece: i for i, (piece, _) in enumerate(scored) if piece in CONTROL}
    backend = Backend(models.Unigram(scored, ids["<unk>"], False))
    # These are XLM-R's rules, except that XLM-R leaves the full-width tilde as it is.
    backend.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])  # pyright: ignore
    backend.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    backend.decoder = decoders.Metaspace()  # pyright: ignore
    backend.post_processor = processors.TemplateProcessing(  # pyright: ignore
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, ids[token]) for token in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def needed_pieces(tokenizer: PreTrainedTokenizerFast, paths: Sequence[Path]) -> list[int]:
    """The ids of the pieces in the texts of ``paths``, of their letters and of control tokens."""
    used: set[int] = set()
    whole = tokenizer.backend_tokenizer
    backend = backend_from(whole.to_str())
    with progress_bar(sum(map(num_records, paths)), "reading word pieces", "examples") as bar:
        for path in paths:
            rest = read_jsonl(path, unique=False)
            while examples := list(islice(rest, ENCODED_TOGETHER)):
                texts = [t for e in examples for t in (e.document, e.mono, e.cross) if t]
                used.update(*encode_texts(backend, texts, None))
                bar.update(len(examples))
    # Letters of the kept pieces stay, so that words of other texts can be spelled by letters.
    letters = {letter for i in used for letter in whole.id_to_token(i) or ""}
    ids = map(whole.token_to_id, (*CONTROL, *letters))
    return sorted(used.union(i for i in ids if i is not None))
