"""Files in the formats of NCLS and LCSTS, as their public readers describe them."""

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.example import Example
from tests.conftest import read_lines

TRAIN = """<doc id=11>
<Article>
A storm hit Vienna .
Nobody was hurt .
</Article>
<EN-REF1>
storm hits Vienna
</EN-REF1>
<ZH-REF1>
风暴袭击维也纳
</ZH-REF1>
<EN-BACK1>
a storm strikes
</EN-BACK1>
<EN-REF2>
nobody hurt
</EN-REF2>
<ZH-REF2>
无人受伤
</ZH-REF2>
<EN-BACK2>
no one hurt
</EN-BACK2>
</doc>
<doc id=12>
<ZH-REF1>
科隆大火
</ZH-REF1>
<EN-REF1>
fire in Cologne
</EN-REF1>
<Article>
A fire <b>broke</b> out in Cologne .
</Article>
</doc>
"""


TEST = """<doc id=7>
<Article>
Rain in Bremen .
</Article>
<EN-REF1>
rain in Bremen
</EN-REF1>
<ZH-REF1>
雨在不来梅
</ZH-REF1>
<ZH-REF1-human-corrected>
不来梅下雨
</ZH-REF1-human-corrected>
<EN-BACK1>
rain at Bremen
</EN-BACK1>
</doc>
"""


EN2ZH = [
    Example(
        id="11", document="A storm hit Vienna . Nobody was hurt .",
        mono="storm hits Vienna\nnobody hurt", cross="风暴袭击维也纳\n无人受伤",
    ),
    Example(
        id="12", document="A fire <b>broke</b> out in Cologne .",
        mono="fire in Cologne", cross="科隆大火",
    ),
]  # fmt: skip


ZH2EN = "".join(
    f"<doc id={i}>\n<en-summary>\nsummary {i}\n</en-summary>\n"
    f"<back-translated-zh-summary>\n回译{i}\n</back-translated-zh-summary>\n</doc>\n"
    for i in (3, 1, 2)
)


ZH2EN_TEST = (
    "<doc id=4>\n<en-summary>\nsummary 4\n</en-summary>\n"
    "<en-summary-human-corrected>\nbetter summary 4\n</en-summary-human-corrected>\n"
    "<back-translated-zh-summary>\n回译4\n</back-translated-zh-summary>\n</doc>\n"
)


LCSTS = "".join(
    f"<doc id={i}>\n    <summary>\n        摘要{i}\n    </summary>\n"
    f"    <short_text>\n        一篇短文{i}。\n    </short_text>\n</doc>\n"
    for i in range(5)
)


def en2zh(tmp_path, train, test=TEST, encoding="utf-8"):
    """Import these files; the examples of train and the manifest."""
    folder = tmp_path / "NCLS Dätä" / "EN2ZHSUM"
    folder.mkdir(parents=True, exist_ok=True)
    raw = train if isinstance(train, bytes) else train.encode(encoding)
    (folder / "EN2ZHSUM_train.txt").write_bytes(raw)
    (folder / "EN2ZHSUM_test.txt").write_text(test, encoding="utf-8")
    manifest = import_corpus("ncls-en2zh", [folder], tmp_path / "out put")
    return [Example(**r) for r in read_lines(tmp_path / "out put" / "train.jsonl")], manifest


def zh2en(tmp_path, train=ZH2EN, lcsts: str | bytes = LCSTS, encoding="utf-8", test=ZH2EN_TEST):
    folder = tmp_path / "raw"
    folder.mkdir(exist_ok=True)
    (folder / "ZH2ENSUM_train.txt").write_text(train, encoding="utf-8")
    (folder / "ZH2ENSUM_test.txt").write_text(test, encoding="utf-8")
    (folder / "PART_I.txt").write_bytes(
        lcsts if isinstance(lcsts, bytes) else lcsts.encode(encoding)
    )
    manifest = import_corpus("ncls-zh2en", [folder], tmp_path / "out")
    return [Example(**r) for r in read_lines(tmp_path / "out" / "train.jsonl")], manifest
