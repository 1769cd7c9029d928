"""Speed and memory from a downloaded corpus to a training's batch.

``make bench-data`` writes synthetic corpora in the NCLS format (100,000 and 1,700,000 records),
imports, tokenizes and opens them, and prints a JSON report. Every step (``data_steps.py``)
runs in a process of its own, so that the peak memory (VmHWM) is that of the step.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data_steps import STEPS
from mclas_lightning.progress import cores

FORMATS = ("ncls-zh2en", "ncls-en2zh")
SMALL, LARGE = 100_000, 1_700_000

CROSSSUM = {"crosssum-jsonl": 300_000, "crosssum-parquet": 30_000, "crosssum-tar": 30_000}


def main() -> None:
    """Run all steps and print the report; with ``--step``, run one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs=2, default=(SMALL, LARGE))
    parser.add_argument("--folder", type=Path, help="keeps the corpora (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=Path("build/bench/data.json"))
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        name, *rest = arguments.step
        print(json.dumps(STEPS[name](*rest)))
        return
    with tempfile.TemporaryDirectory(prefix="mclas-bench-") as temporary:
        report = bench(arguments.folder or Path(temporary), *arguments.records)
    text = json.dumps(report, indent=2)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def bench(folder: Path, small: int, large: int) -> dict[str, Any]:
    """The report of all steps, for corpora of two sizes."""
    report: dict[str, Any] = {"cores": cores(), "import": {}}
    for name in FORMATS:
        sizes = {}
        for records in (small, large):
            raw, out = folder / f"{name}-{records}-raw", folder / f"{name}-{records}"
            if not raw.exists():
                step("write", name, raw, records)
            sizes[records] = step("import", name, raw, out)
        first, last = sizes[small], sizes[large]
        grown = round(last["peak_mb"] - first["peak_mb"], 1)
        report["import"][name] = {"of": sizes, "peak_mb_grown": grown}
    for name, records in CROSSSUM.items():
        raw = folder / f"{name}-raw"
        step("write", name, raw, min(records, large))
        report["import"][name] = step("import", name, raw, folder / name)
    report["near"] = step("near", 3000, 3000)
    corpus, store = folder / f"ncls-zh2en-{large}", folder / "store"
    step("tokenizer", folder / f"ncls-zh2en-{small}", folder / "tokenizer")
    bare = step("encode_batch", folder / f"ncls-zh2en-{small}", folder / "tokenizer")
    made = step("tokenize", corpus, folder / "tokenizer", store)
    ratio = round(made["records_per_s"] / bare["records_per_s"], 2)
    report["tokenize"] = {"encode_batch_alone": bare, "store": made, "ratio": ratio}
    report["first_batch"] = {
        scenario: step("first_batch", corpus, folder / "tokenizer", store, scenario)
        for scenario in ("minimum", "full")
    }
    loader = step("loader", corpus, folder / "tokenizer", store)
    training = step("training")
    ratio = round(loader["documents_per_s"] / training["documents_per_s"], 1)
    report["loader"] = {"loader": loader, "paper_size_training": training, "ratio": ratio}
    return report


def step(name: str, *words: object) -> dict[str, Any]:
    """Run one step in a new process and read what it prints."""
    command = [sys.executable, "-m", "benchmarks.data", "--step", name, *map(str, words)]
    print(" ".join(command[2:]), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"  {found}", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
