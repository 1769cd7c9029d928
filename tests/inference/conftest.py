import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer


@pytest.fixture
def pieces(tmp_path):
    """A SentencePiece model, and what it writes."""
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(f"a b{i} c d" for i in range(50)))
    SentencePieceTrainer.Train(
        input=str(texts), model_prefix=str(tmp_path / "pieces"), vocab_size=30,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = SentencePieceProcessor()
    model.Load(str(tmp_path / "pieces.model"))
    return tmp_path / "pieces.model", [model.IdToPiece(i) for i in range(3, len(model))]
