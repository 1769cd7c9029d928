"""Small things that many tests need; nothing here reaches a hub."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["WANDB_MODE"] = "offline"
os.environ["COLUMNS"] = "120"
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from transformers import BertConfig, BertModel, BertTokenizer

from mclas_lightning.config.compose import compose
from mclas_lightning.data.batch import EncodedExamples, Limits
from mclas_lightning.data.store import open_store
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Example, Side, write_jsonl
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.runs.results import Results
from mclas_lightning.task import Task
from mclas_lightning.train import train

# A busy machine must not fail a property.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
torch.set_num_threads(1)  # The tests run in as many processes as there are cores.

PLACES = {
    "en": ["Munich", "Vienna", "Cologne", "Geneva", "Zurich", "Berlin", "Bremen"],
    "de": ["München", "Wien", "Köln", "Genf", "Zürich", "Berlin", "Bremen"],
}

ENCODER_WORDS = (
    *("storm", "hits", "the", "city", "police", "found", "two", "men", "a", "street", "in"),
    *("rain", "flood", ",", ".", "##s"),
)
ENCODER_LAYERS, ENCODER_POSITIONS = 3, 23


def examples(num: int, start: int = 0) -> list[Example]:
    """English stories with English and German summaries, all different."""
    stories = []
    for i in range(start, start + num):
        en, de = (PLACES[language][i % 7] for language in ("en", "de"))
        stories.append(
            Example(
                id=f"story-{i}",
                document=f"On day {i} there was a storm in {en}. "
                + "People stayed inside. " * (i % 5),
                mono=f"storm {i} hits {en}",
                cross=f"Sturm {i} trifft {de}",
            )
        )
    return stories


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """A vocabulary trained on the stories."""
    texts = [t for e in examples(60) for t in (e.document, e.mono, e.cross) if t]
    return train_tokenizer(texts, size=300, lowercase=False)


@pytest.fixture(scope="session")
def encode(tmp_path_factory, tokenizer) -> Callable[[list[Example], Task], EncodedExamples]:
    """Stories as a training sees them: through a store."""

    def encode(stories: list[Example], task: Task) -> EncodedExamples:
        folder = tmp_path_factory.mktemp("encoded")
        write_jsonl(folder / "train.jsonl", stories)
        store = open_store(folder / "train.jsonl", tokenizer, 41, folder)
        limits = Limits(max_source=41, max_summary=20)
        return EncodedExamples(store, np.arange(len(store)), task, tokenizer.special, limits)

    return encode


def write_corpus(folder: Path, tokenizer: Tokenizer) -> None:
    """A folder with ``en2de`` (train, valid, test), ``en`` and the tokenizer."""
    for split, num, start in (("train", 40, 0), ("valid", 11, 40), ("test", 7, 51)):
        write_jsonl(folder / "en2de" / f"{split}.jsonl", examples(num, start))
    tokenizer.save(folder / "tokenizer")


def small_words(place: Path) -> list[str]:
    """Words for mclas-train that make a run of seconds on the corpus in ``place``."""
    return [
        "dataset=toy",
        "dataset.name=small",
        f"dataset.path={place}/corpus/en2de",
        f"dataset.tokenizer={place}/corpus/tokenizer",
        "dataset.sizes={minimum: 20, medium: 30, full: 1.0}",
        "scenario=minimum",
        "network.encoder.width=16",
        "network.encoder.feed_forward=32",
        "network.decoder.feed_forward=32",
        "network.encoder.layers=1",
        "network.decoder.layers=1",
        "optim.updates={minimum: 6, medium: 6, full: 6}",
        "optim.validations=3",
        "optim.max_tokens=256",
        "decoding.beam=2",
        "decoding.max_length=8",
        "trainer.log_every_n_steps=1",
        "trainer.accelerator=cpu",
        f"runs={place}/runs",
        f"store={place}/store",
    ]


@pytest.fixture
def corpus(tmp_path: Path, tokenizer: Tokenizer) -> Path:
    """What ``write_corpus`` writes."""
    write_corpus(tmp_path / "corpus", tokenizer)
    return tmp_path / "corpus"


@pytest.fixture
def words(corpus: Path, tmp_path: Path) -> list[str]:
    """Words for mclas-train that make a run of seconds on the small corpus."""
    return small_words(tmp_path)


@pytest.fixture(scope="session")
def all_workers(tmp_path_factory) -> Path:
    """A folder that all processes of these tests share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def trained(words, tmp_path, all_workers, tokenizer) -> Callable[..., Path]:
    """A finished run of ``words`` and more, as if trained here: a copy of one that all tests share.

    A test of what a training prints or does trains by itself.
    """

    def trained(*more: str) -> Path:
        place = all_workers / f"trained-{hashlib.sha256(repr(more).encode()).hexdigest()[:16]}"
        with FileLock(f"{place}.lock"):
            if not (place / "folder").exists():
                write_corpus(place / "corpus", tokenizer)
                with redirect_stdout(StringIO()):
                    results = train(compose("train", [*small_words(place), *more]))
                assert results is not None
                assert results.folder is not None
                (place / "folder").write_text(str(results.folder.relative_to(place)))
        for name in ("runs", "store"):
            shutil.copytree(place / name, tmp_path / name, dirs_exist_ok=True)
        folder = tmp_path / (place / "folder").read_text()
        config = (folder / "config.yaml").read_text()
        (folder / "config.yaml").write_text(config.replace(str(place), str(tmp_path)))
        return folder

    return trained


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, tokenizer: Tokenizer) -> Path:
    """The folder of an mclas run on the small corpus, which tests only read."""
    place = tmp_path_factory.mktemp("finished")
    write_corpus(place / "corpus", tokenizer)
    results = train(compose("train", [*small_words(place), "model=mclas"]))
    assert results is not None
    assert results.folder is not None
    return results.folder


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory) -> Path:
    """A BERT of three layers in a folder whose name bert-score's table does not know."""
    folder = tmp_path_factory.mktemp("encoders") / "small"
    folder.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ENCODER_WORDS]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=24,
        num_hidden_layers=ENCODER_LAYERS,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=ENCODER_POSITIONS,
        initializer_range=0.3,  # Of the usual one, all states are alike.
    )
    BertModel(config).save_pretrained(folder)
    return folder


HOLD = """
import sys
from pathlib import Path
from mclas_lightning.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held():
    """Folders held by another process until the test ends."""
    holding = []

    def hold(folder: Path) -> subprocess.Popen:
        command = [sys.executable, "-c", HOLD, str(folder)]
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        holding.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in holding:
        process.kill()
        process.communicate()


def small_network(*decoders: str, vocab_size: int = 53, seed: int = 0) -> Seq2Seq:
    """A random network without dropout."""
    torch.manual_seed(seed)
    encoder = {
        "vocab_size": vocab_size,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 37,
        "max_position_embeddings": 41,
        "pad_token_id": 0,
    }
    config = NetworkConfig(
        encoder=encoder,
        decoder=DecoderConfig(layers=2, heads=2, feed_forward=31, dropout=0.1),
        decoders=decoders or ("decoder",),
    )
    network = Seq2Seq(config).eval()
    with torch.no_grad():  # Spread the logits: near-uniform ones hide mistakes.
        for parameter in network.parameters():
            if parameter.requires_grad and parameter.dim() > 1:
                parameter.mul_(4)
    return network


def read_lines(path: Path) -> list[dict]:
    """The objects of a jsonl file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def outcome(call: Callable[[], Any]) -> Any:
    """What ``call`` returns, or the InputError that it raises, which is one line."""
    try:
        return call()
    except InputError as error:
        return error if "\n" not in str(error) else AssertionError(str(error))


SCORES = {
    **{"rouge1_f": 0.4, "rouge2_f": 0.2, "rougeL_f": 0.3, "length": 11.0, "reference_length": 13.0},
    **{"wrong_language": 0.05, "reference_wrong_language": 0.02, "num": 17},
}
LANGUAGES: dict[Side, str] = {"mono": "en", "cross": "de"}
WRITES: dict[str, tuple[Side, ...]] = {"ms": ("mono",), "ncls": ("cross",)}


@pytest.fixture
def made_up() -> Callable[..., Results]:
    """Results of a made-up run: ``made_up("mclas", seed=1, rouge1_f=0.5)``."""

    def make(model: str, seed: int = 0, tok: str = "words", **changes: Any) -> Results:
        sides = WRITES.get(model, SIDES)
        return Results(
            dataset=changes.pop("dataset", "toy_en2de"),
            scenario=changes.pop("scenario", "minimum"),
            model=model,
            seed=seed,
            languages={"source": "en", "target": "de"},
            scores=dict.fromkeys(sides, SCORES | changes),
            signatures={
                side: {"rouge": f"rouge|lang:{LANGUAGES[side]}|tok:{tok}"} for side in sides
            },
            decoding={"beam": 5},
            provenance={"version": "0.1.0"},
        )

    return make
