"""Every reader of a file by others: the file, a valid content, and the function that reads it."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora.manifest import read_manifest
from mclas_lightning.data.vocabulary import read_ids
from mclas_lightning.evaluation.texts import read_texts
from mclas_lightning.example import read_jsonl
from mclas_lightning.heads.alignment import Lexicon
from mclas_lightning.human.exchange import import_answers
from mclas_lightning.human.judgements import complete_sheets
from mclas_lightning.human.results import HumanResults
from mclas_lightning.human.sheet import SheetKey, SheetTexts
from mclas_lightning.inference.translation_file import TranslationFile
from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.paper import read_paper
from mclas_lightning.runs.documents import read_document_scores
from mclas_lightning.runs.exported import ExportedRun
from mclas_lightning.runs.heads import HeadsResults
from mclas_lightning.runs.identity import read_config, resolved_config
from mclas_lightning.runs.predictions import read_predictions
from mclas_lightning.runs.recipe import recipe
from mclas_lightning.runs.results import Results
from mclas_lightning.verification.verify import verify
from tests.conftest import small_network
from tests.fuzz.corpora import Reader, corpus_readers, lines

ROOT = Path(__file__).parents[2]


STORY = {"id": "1", "document": "Größe, 你好.", "mono": "a\tb", "cross": "c"}
PREDICTION = {
    "id": "1", "document": "d", "hypotheses": {"cross": "h"}, "references": {"cross": "r"},
}  # fmt: skip
SCORES = {
    **{"rouge1_f": 0.5, "rouge2_f": 0.25, "rougeL_f": 0.5, "length": 1.0, "reference_length": 1.0},
    **{"wrong_language": 0.0, "reference_wrong_language": 0.0, "num": 1},
}
MANIFEST = {"files": {"train.jsonl": {"records": 1, "sha256": "0"}}}
TRANSLATION = {"text": "a", "translation": "b"}
RESULTS = {
    "format": 2, "dataset": "d", "scenario": "full", "model": "m", "seed": 0,
    "languages": {"source": "en", "target": "de"}, "scores": {"cross": SCORES},
    "signatures": {"cross": {"rouge": "rouge|lang:de"}}, "decoding": {"beam": 5},
    "provenance": {"split": "test", "recipe": {"optim.lr": 1}, "training": {"seen": {}}},
}  # fmt: skip
KNOWN = {
    "config_sha256": "0", "subset_sha256": "0", "test_sha256": "0", "test_file": "test.jsonl",
    "files_sha256": {"network.json": "0"}, "training": {"updates": 1}, "git_commit": "0",
    "git_changes": True, "git_diff": "a.diff", "git_diff_sha256": "0", "summarizer": "ms 0",
    "outputs": {"cross": "outputs.txt 0"}, "checkpoint": "a.pt", "checkpoint_sha256": "0",
}  # fmt: skip
HEADS = {
    "format": 2, "run": {"dataset": "d", "scenario": "full", "model": "m", "seed": 0},
    "thresholds": {"self": {"diagonal": 0.2}, "cross": {}},
    "decoders": {"decoder": {"gold": {"self": {"diagonal": {
        "num": 1, "mean": [[0.5]], "low": [[0.4]], "high": [[0.6]], "share": [[1.0]]}}}}},
    "shown": [{"id": "1", "decoder": "decoder", "target": ["a"], "source": ["b"], "links": []}],
}  # fmt: skip
KEY = {
    "format": 1, "dataset": "d", "scenario": "full", "seed": 0, "systems": ["ncls", "gold"],
    "items": {
        f"i{n}": {"annotator": n, "document": "1", "order": ["gold", "ncls"]} for n in (1, 2)
    },
    "provenance": {},
}  # fmt: skip
HUMAN = {
    "format": 1, "dataset": "d", "scenario": "full", "documents": 1, "annotators": 2,
    "preferences": {"ncls": {"informativeness": 0.1, "fluency": 0.1, "conciseness": 0.0}},
    "agreement": {"kappa": 0.1, "overall": 0.5}, "by_perspective": None, "analysis": None,
    "provenance": {},
}  # fmt: skip


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def config() -> bytes:
    return yaml.safe_dump(resolved_config(compose("train", ["dataset=toy"]))).encode()


def read_heads(path: Path) -> None:
    found = HeadsResults.read(path.parent)
    assert isinstance(found.name, str)
    found.drawn  # noqa: B018
    found.kinds("self")


def verified(path: Path) -> None:
    verify(path.parent)


def read_sheets(path: Path) -> None:
    complete_sheets(path.parent, SheetKey.read(path.parent))


def read_key(path: Path) -> None:
    key = SheetKey.read(path.parent)
    SheetTexts.read(path.parent, key)


def sheet(item: str) -> bytes:
    text = io.StringIO()
    names = ["item", "document", "A", "B"]
    names += [f"{p}_{end}" for p in ("informativeness", "conciseness", "fluency") for end in
              ("best", "worst")]  # fmt: skip
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerow([item, "d", "g", "n", *"ABABAB"])
    return text.getvalue().encode()


def beside_sheet(folder: Path) -> None:
    (folder / "annotator2.csv").write_bytes(sheet("i2"))
    (folder / "key.json").write_bytes(json.dumps(KEY).encode())
    texts = {"format": 1, "languages": {"document": "en", "summaries": "de"}, "documents": {
        "1": {"document": "d", "ncls": "n", "gold": "g"}}}  # fmt: skip
    (folder / "texts.json").write_bytes(json.dumps(texts).encode())


def result_beside(folder: Path) -> None:
    (folder / "results.json").write_bytes(json.dumps(RESULTS).encode())


def predictions(path: Path) -> None:
    run = SimpleNamespace(folder=path.parent, provenance={}, scores={"cross": SCORES}, name="m")
    read_predictions(cast(Results, run))


def config_used(path: Path) -> None:
    recipe(read_config(path.parent))


def exported(path: Path) -> None:
    from mclas_lightning.inference.trained import dataset_of, decoding_of, network_of, task_of

    run = ExportedRun(path.parent)
    for read in (task_of, dataset_of, decoding_of, network_of):
        read(run)


def export() -> bytes:
    found = resolved_config(compose("train", ["dataset=toy"]))
    network = asdict(small_network().config) | {"vocabulary": "0"}
    network["encoder"] = {"model_type": "bert", **small_network().config.encoder}
    about = {"format": 1, "model_type": "mclas", "files": {"a": [1, "b"]}, "network": network}
    return lines(about | {name: found[name] for name in ("model", "dataset", "decoding")})


def empty_config(folder: Path) -> None:
    (folder / "config.yaml").write_bytes(b"{}")


def answers(path: Path) -> None:
    import_answers(path.parent, path)


def scores(path: Path) -> None:
    read_document_scores(path, {"cross": SCORES})


LABEL_STUDIO = [{"data": {"item": "i1"}, "annotations": [{"lead_time": 1.5, "result": [
    {"from_name": "fluency_best", "value": {"choices": ["A"]}}]}]}]  # fmt: skip

POTATO = {"instance_id_to_label_to_value": {"i1": {"fluency_best": {"A": True}}}}


def readers() -> dict[str, Reader]:
    """All readers by name."""
    one = {"ids": np.array(["1"]), "cross/length": np.array([1.0])}
    paper = (ROOT / "experiments" / "paper.yaml").read_bytes()
    run, known = config(), lines(RESULTS | {"provenance": KNOWN})
    return {
        "jsonl": Reader("train.jsonl", lines(STORY), lambda path: list(read_jsonl(path, ["mono"]))),
        "predictions": Reader("predictions.jsonl", lines(PREDICTION), predictions),
        "results": Reader("results.json", lines(RESULTS), lambda path: Results.read(path)),
        "verify": Reader("results.json", known, verified, empty_config),
        "scores.npz": Reader("scores.npz", archive(**one), scores),
        "config.yaml": Reader("config.yaml", run, config_used),
        "verify config": Reader("config.yaml", run, verified, result_beside),
        "paper.yaml": Reader("paper.yaml", paper, read_paper),
        "heads.json": Reader("heads.json", lines(HEADS), read_heads),
        "human.json": Reader("human.json", lines(HUMAN), HumanResults.read),
        "key.json": Reader("key.json", lines(KEY), read_key, beside_sheet),
        "sheets": Reader("annotator1.csv", sheet("i1"), read_sheets, beside_sheet),
        "label studio": Reader("export.json", lines(LABEL_STUDIO), answers, beside_sheet),
        "potato": Reader("user_state.json", lines(POTATO), answers, beside_sheet),
        "manifest": Reader("manifest.json", lines(MANIFEST), lambda p: read_manifest(p.parent)),
        "texts": Reader("a.txt", "Größe\n你好\n".encode(), read_texts),
        "texts.jsonl": Reader("a.jsonl", lines({"id": "1", "text": "a"}), read_texts),
        "translations": Reader("t.jsonl", lines(TRANSLATION), TranslationFile.read),
        "vocabulary": Reader("de.json", b"[1, 2, 3]", lambda path: read_ids(path, 10)),
        "lexicon": Reader("lexicon.tsv", b"storm\tSturm\n", Lexicon.read),
        "word pieces": Reader("tokenizer.json", lines({"model": {}}), WordPieces.find),
        "exported": Reader("config.json", export(), exported),
        **corpus_readers(),
    }
