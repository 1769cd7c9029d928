import csv
import json
from html import escape
from pathlib import Path

import pytest

from mclas_lightning.cli.main import parsed
from mclas_lightning.config.compose import compose
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check import check_corpus
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.train import train
from tests.corpora.stories import reports

QUICK = [
    "network.encoder.width=16", "network.encoder.feed_forward=32", "trainer.accelerator=cpu",
    "network.decoder.feed_forward=32", "network.encoder.layers=1", "network.decoder.layers=1",
    "optim.updates={minimum: 4, full: 4}", "optim.validations=2",
    "decoding.beam=2", "decoding.max_length=12",
]  # fmt: skip


def mclas(*words: str) -> None:
    arguments = parsed([*words])
    arguments.run(arguments)


def write_jsonl_renamed(folder: Path, source: str, target: str) -> list[str]:
    """One file with names of its own for the fields, and no id."""
    names = {"document": "dialogue", "mono": "summary", "cross": "summary.other"}
    lines = [
        json.dumps({"dialogue": r["document"], "summary": r["mono"], "summary.other": r["cross"]})
        for r in reports(source, target, 40)
    ]
    (folder / "reports.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["reports.jsonl", "--fields", ",".join(f"{f}={name}" for f, name in names.items())]


def write_csv(folder: Path, source: str, target: str) -> list[str]:
    """One file of cells with quotes, delimiters and newlines."""
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "document", "mono", "cross"])
        writer.writeheader()
        for report in reports(source, target, 40):
            writer.writerow({**report, "document": f'"1, 2"\n{report["document"]}'})
    return ["reports.csv"]


def write_parallel(folder: Path, source: str, target: str) -> list[str]:
    """Three parallel files for each split."""
    ends = {"document": ".source", "mono": ".target.ms", "cross": ".target.cls"}
    for split, num, start in (("train", 30, 0), ("valid", 5, 30), ("test", 5, 35)):
        for field, end in ends.items():
            lines = [report[field] for report in reports(source, target, num, start)]
            (folder / f"{split}{end}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(path.name for path in folder.glob("*.*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "target", "write"),
    [("fr", "uk", write_jsonl_renamed), ("ja", "en", write_csv), ("ar", "en", write_parallel)],
)
def test_files_of_ones_own_become_runs_tables_and_pages(
    source, target, write, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    pair = ["--source", source, "--target", target]
    mclas("new-dataset", "mine", *pair, *write(tmp_path, source, target))
    commands = capsys.readouterr().out.split("next:\n")[1].splitlines()
    assert check_corpus(Path("data/mine")).ok
    for program, *words in map(str.split, commands):
        if program == "mclas-train":
            train(compose("train", [*words, *QUICK]))
        else:
            mclas(*words)
    assert "mine, minimum" in capsys.readouterr().out
    mclas("report", "--dataset", "mine")
    page = Path("report.html").read_text(encoding="utf-8")
    shown = [report for report in reports(source, target, 40) if escape(report["cross"]) in page]
    assert shown
    assert all(f'dir="auto">{escape(report["cross"])}' in page for report in shown)
    planned = plan_runs(["low_resource"], ["dataset=mine", "seed=0"])
    assert {run.dataset for run in planned} == {"mine"}
    words = catalog.of_run("mine")
    assert words is not None
    assert words.words == words.pretraining == ("dataset=mine",)
