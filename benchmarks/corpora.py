"""Synthetic corpora of any size in the formats of NCLS, LCSTS and CrossSum, from a seed.

Lengths are about those of the real corpora; words are random letters.
"""

import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

from pyarrow.json import read_json
from pyarrow.parquet import write_table

POOL = 2000  # different texts of a kind, which records combine at random


def write_zh2en(folder: Path, records: int) -> None:
    """ZH2ENSUM_{train,valid,test}.txt without documents, and LCSTS/PART_I.txt with them."""
    rng = random.Random(0)
    documents = [_chinese(rng, rng.randint(80, 125)) for _ in range(POOL)]
    chinese = [_chinese(rng, rng.randint(12, 22)) for _ in range(POOL)]
    english = [_english(rng, rng.randint(9, 20)) for _ in range(POOL)]
    (folder / "LCSTS").mkdir(parents=True)
    with (folder / "LCSTS" / "PART_I.txt").open("w", encoding="utf-8") as lcsts:
        for split, ids in _splits(records):
            with (folder / f"ZH2ENSUM_{split}.txt").open("w", encoding="utf-8") as file:
                for i in ids:
                    mono, cross = rng.choice(chinese), f"{rng.choice(english)} {i}"
                    file.write(
                        f"<doc id={i}>\n<en-summary>\n{cross}\n</en-summary>\n"
                        f"<back-translated-zh-summary>\n{mono}\n</back-translated-zh-summary>\n</doc>\n"
                    )
                    lcsts.write(
                        f"<doc id={i}>\n    <summary>\n        {mono}\n    </summary>\n"
                        f"    <short_text>\n        {rng.choice(documents)}{i}\n"
                        f"    </short_text>\n</doc>\n"
                    )


def write_en2zh(folder: Path, records: int) -> None:
    """EN2ZHSUM_{train,valid,test}.txt: an article and two to four sentences of summary."""
    rng = random.Random(0)
    articles = [_english(rng, rng.randint(100, 200)) for _ in range(POOL)]
    english = [_english(rng, rng.randint(10, 18)) for _ in range(POOL)]
    chinese = [_chinese(rng, rng.randint(15, 30)) for _ in range(POOL)]
    folder.mkdir(parents=True)
    for split, ids in _splits(records):
        with (folder / f"EN2ZHSUM_{split}.txt").open("w", encoding="utf-8") as file:
            for i in ids:
                file.write(f"<doc id={i}>\n<Article>\n{rng.choice(articles)} {i}\n</Article>\n")
                for n in range(1, rng.randint(2, 4) + 1):
                    texts = {f"EN-REF{n}": rng.choice(english), f"ZH-REF{n}": rng.choice(chinese)}
                    texts[f"EN-BACK{n}"] = texts[f"EN-REF{n}"]
                    for tag, text in texts.items():
                        file.write(f"<{tag}>\n{text}\n</{tag}>\n")
                file.write("</doc>\n")


def write_crosssum(folder: Path, records: int, kind: str) -> None:
    """CrossSum from English to Chinese, and XL-Sum with the same articles in ``folder/xlsum``.

    ``kind`` is that of the files: jsonl, parquet or tar.
    """
    rng = random.Random(0)
    articles = [_english(rng, rng.randint(300, 500)) for _ in range(POOL)]
    english = [_english(rng, rng.randint(15, 25)) for _ in range(POOL)]
    chinese = [_chinese(rng, rng.randint(30, 50)) for _ in range(POOL)]
    for split, ids in _splits(records):
        short = "val" if split == "valid" else split
        name, own = f"english-chinese_simplified_{short}", f"xlsum/english_{short}"
        _write_records(folder / name, kind, (
            {"source_url": f"https://bbc.com/{i}", "target_url": f"https://bbc.com/zh/{i}",
             "text": f"{rng.choice(articles)} {i}", "summary": rng.choice(chinese)}
            for i in ids
        ))  # fmt: skip
        _write_records(folder / own, kind, (
            {"id": str(i), "url": f"https://bbc.com/{i}", "title": "News",
             "text": f"{rng.choice(articles)} {i}", "summary": rng.choice(english)}
            for i in ids
        ))  # fmt: skip


def _write_records(path: Path, kind: str, records: Iterator[dict[str, str]]) -> None:
    """A jsonl file, which is packed or turned into parquet where that is the kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_name(f"{path.name}.jsonl")
    with plain.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    if kind == "tar":
        with tarfile.open(path.with_name(f"{path.name}.tar.bz2"), "w:bz2") as tar:
            tar.add(plain, plain.name)
    if kind == "parquet":
        write_table(read_json(plain), path.with_name(f"{path.name}.parquet"), row_group_size=10_000)
    if kind != "jsonl":
        plain.unlink()


def article(seed: int) -> str:
    """An article of 400 words, which no other has."""
    return _english(random.Random(seed), 400)


def _splits(records: int) -> Iterator[tuple[str, range]]:
    held_out = min(3000, records // 10)
    yield "train", range(records - 2 * held_out)
    yield "valid", range(records - 2 * held_out, records - held_out)
    yield "test", range(records - held_out, records)


def _english(rng: random.Random, words: int) -> str:
    letters = "etaoinshrdlcum"
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, 8))) for _ in range(words)) + " ."


def _chinese(rng: random.Random, characters: int) -> str:
    return "".join(chr(0x4E00 + int(rng.paretovariate(0.6)) % 3000) for _ in range(characters))
