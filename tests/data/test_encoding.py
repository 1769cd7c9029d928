import subprocess
import sys

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from mclas_lightning.data.encoding import UNWRITTEN, backend_from, encode_texts, ranges
from mclas_lightning.example import write_jsonl
from mclas_lightning.metrics.normalization import normalize
from tests.conftest import examples


@pytest.fixture
def path(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", examples(61))
    return tmp_path / "train.jsonl"


@pytest.mark.parametrize("size", [10**6, 700, 1])
def test_ranges_are_whole_lines_and_all_of_them(path, size):
    cut = ranges(path, size)
    content = path.read_bytes()
    assert b"".join(content[lines.start : lines.stop] for lines in cut) == content
    assert all(content[lines.start : lines.stop].endswith(b"\n") for lines in cut)
    assert len(cut) == (1 if size == 10**6 else 61 if size == 1 else len(cut)) > 0


def test_encoding_a_range_loads_no_torch():
    code = (
        "import sys, mclas_lightning.data.encoding\n"
        "print({'torch', 'transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


CONTROL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

PIECES = ["\u2581", "\u2581storm", *"<>/[]abcdefghijklmnopqrstuvwxyzLSEP"]


def backend(kind: str) -> Backend:
    """A tokenizer with control tokens in its model, as pretrained ones have them."""
    if kind == "Unigram":  # XLM-R's control pieces have the score 0.
        scored = [*((c, 0.0) for c in CONTROL), *((p, -7.0 - len(p)) for p in PIECES)]
        made = Backend(models.Unigram(scored, 3, False))  # pyright: ignore[reportCallIssue]
        made.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        )
    elif kind == "WordPiece":  # Its punctuation is split off, so that no word is a control token.
        entries = [*CONTROL, *PIECES, *(f"##{piece}" for piece in PIECES)]
        vocabulary = {entry: i for i, entry in enumerate(entries)}
        made = Backend(models.WordPiece(vocabulary, unk_token="<unk>"))  # pyright: ignore
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    else:  # No merges make a control token.
        entries = [*CONTROL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
        made = Backend(models.BPE({entry: i for i, entry in enumerate(entries)}, []))
        made.pre_tokenizer = pre_tokenizers.ByteLevel()
    made.add_special_tokens([*CONTROL, "[LSEP]"])
    return made


@pytest.mark.parametrize("kind", ["Unigram", "WordPiece", "byte-level BPE"])
def test_control_tokens_in_a_text_are_text(kind):
    made = backend(kind)
    text = "price <s>old</s> <pad><mask> a <unk> [LSEP] b"
    (ids,) = encode_texts(backend_from(made.to_str()), [text], None)
    assert not {*ids} & {made.token_to_id(name) for name in (*CONTROL, "[LSEP]")}
    written = "".join(made.id_to_token(i) or "" for i in ids)
    assert written.translate(dict.fromkeys(map(ord, "\u2581\u0120#"))) == text.replace(" ", "")


def test_other_texts_get_the_ids_that_the_model_gives_them():
    made = backend("Unigram")
    guarded = backend_from(made.to_str())
    # The digits and the umlaut are no pieces: what an unknown letter costs stays, too.
    texts = ["storm hits storms", "7 storm\u00e4s 77 a", "a\ue000b"]
    plain = made.encode_batch([normalize(text) for text in texts], add_special_tokens=False)
    assert encode_texts(guarded, texts, None) == [one.ids for one in plain]
    assert guarded.get_vocab_size() == made.get_vocab_size()
    assert normalize(f"a{UNWRITTEN}b") == "a b"
