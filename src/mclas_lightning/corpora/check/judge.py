"""What is well with a corpus, and what needs a look.

A judge looks at one topic and yields pairs: whether it is well, and a sentence. A judge that yields
nothing has found nothing wrong.
"""

from collections.abc import Callable, Iterator

import numpy as np

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.corpora.check.corpus import FIELD_NAMES, Corpus, Finding
from mclas_lightning.corpora.check.measure import SplitStatistics
from mclas_lightning.example import SIDES

REPEATED = 0.01  # of a split's documents, that need no look

SHARED = 0.05  # of a split's summaries, likewise: two stories can have one headline

Verdicts = Iterator[tuple[bool, str]]


def ids(corpus: Corpus) -> Verdicts:
    """Ids that an earlier example of the split has; training refuses them."""
    for split, measured in corpus.splits.items():
        if len(rows := repeats(measured.ids)):
            first = corpus.example_id(split, rows[0])
            yield False, f"{split}: {len(rows):,} were used before, first {first}"


def documents(corpus: Corpus) -> Verdicts:
    """Documents that an earlier example of the split has."""
    for split, measured in corpus.splits.items():
        if len(rows := repeats(measured.hashes("document"))):
            first, few = corpus.example_id(split, rows[0]), len(rows) <= REPEATED * len(measured)
            yield (
                few,
                f"{split}: {_of(rows, measured)} documents repeat an earlier one, first {first}",
            )


def shared(corpus: Corpus) -> Verdicts:
    """Documents and summaries of valid and test that train has too."""
    for split in ("valid", "test"):
        if not {"train", split} <= corpus.splits.keys():
            yield False, f"{split} and train were not compared: a file is missing"
            continue
        train, measured = corpus.splits["train"], corpus.splits[split]
        for field, name in FIELD_NAMES.items():
            seen, hashes = train.hashes(field), measured.hashes(field)
            if len(rows := np.flatnonzero(np.isin(hashes, seen) & (hashes != 0))):
                first = corpus.example_id(split, rows[0])
                there = corpus.example_id("train", np.flatnonzero(seen == hashes[rows[0]])[0])
                where = f"first {first}, there {there}"
                few = field != "document" and len(rows) <= SHARED * len(measured)
                yield few, f"{split}: {_of(rows, measured)} {name} are in train too, {where}"


def _of(rows: np.ndarray, measured: SplitStatistics) -> str:
    return f"{len(rows):,} of {len(measured):,}"


def repeats(hashes: np.ndarray) -> np.ndarray:
    """Rows whose text is in an earlier row; 0 is no text."""
    later = np.ones(len(hashes), dtype=bool)
    later[np.unique(hashes, return_index=True)[1]] = False
    return np.flatnonzero(later & (hashes != 0))


SKIPPED = 0.01  # of the imported records, that need no look

KEPT = 0.5  # of the documents' text, at least, that needs no look

WRONG_LANGUAGE = 0.1  # of the texts; some short ones, full of names, are taken for another language


def judge(corpus: Corpus) -> list[Finding]:
    """All findings, topic by topic."""
    findings = []
    for topic, judged, well in JUDGES if corpus.splits else JUDGES[:1]:
        said = list(judged(corpus)) or [(True, well)]
        findings += [Finding(ok, topic, text) for ok, text in said]
    return findings


def _files(corpus: Corpus) -> Verdicts:
    missing = [f"{split}.jsonl" for split in SPLITS if split not in corpus.splits]
    if missing:
        yield False, f"not here: {', '.join(missing)}"
    for split, measured in corpus.splits.items():
        if len(measured) == 0:
            yield False, f"{split}.jsonl holds no examples"


def _changes(corpus: Corpus) -> Verdicts:
    if not corpus.manifest.files:
        yield True, "no manifest to compare with"
    for split, measured in corpus.splits.items():
        written = corpus.manifest.files.get(f"{split}.jsonl")
        if written and written["records"] != len(measured):
            now, then = len(measured), written["records"]
            yield False, f"{split}.jsonl has {now:,} examples, and had {then:,} when it was made"
        elif written and written["sha256"] != measured.sha256:
            yield False, f"{split}.jsonl was changed after it was made: its SHA-256 is another"


def _import(corpus: Corpus) -> Verdicts:
    if not corpus.manifest.counts:
        yield True, "nothing is written of one"
    for split, counts in corpus.manifest.counts.items():
        kept, reasons = counts["kept"], counts["skipped"]
        skipped = sum(reason["records"] for reason in reasons.values())
        if skipped:
            why = (f"{name}: {r['records']:,}, first {r['first']}" for name, r in reasons.items())
            few = skipped <= SKIPPED * (kept + skipped)
            yield few, f"{split}: {kept:,} records kept, {skipped:,} skipped ({'; '.join(why)})"
    for tag, seen in corpus.manifest.unknown_tags.items():
        yield True, f"not read: {tag}, {seen['times']:,} times, first {seen['first']}"


def _paper(corpus: Corpus) -> Verdicts:
    if corpus.paper is None:
        yield True, "not one of the paper's corpora"
        return
    for split, measured in corpus.splits.items():
        here, there = len(measured), getattr(corpus.paper, split)
        if here != there:
            more = "more" if here > there else "fewer"
            yield False, f"{split}: {here:,} examples, {abs(here - there):,} {more} than {there:,}"


def _summaries(corpus: Corpus) -> Verdicts:
    for split, measured in corpus.splits.items():
        for side in SIDES:
            texts, num = measured.texts[side], len(measured)
            if corpus.languages[side] is None:
                if len(texts):
                    yield False, f"{split}: {len(texts):,} cross summaries; name their language"
            elif texts.missing:
                yield (
                    False,
                    f"{split}: {texts.missing:,} of {num:,} {FIELD_NAMES[side]} are missing",
                )


def _languages(corpus: Corpus) -> Verdicts:
    for split, measured in corpus.splits.items():
        for field, texts in measured.texts.items():
            share = texts.wrong
            if share is not None and share > WRONG_LANGUAGE:
                yield (
                    False,
                    f"{split}: {share:.0%} of the {FIELD_NAMES[field]} are not {texts.language}",
                )


def _long(corpus: Corpus) -> Verdicts:
    """Documents that are cut whatever the tokenizer: a word is one word piece or more."""
    limit = corpus.max_source - 2  # [CLS] and [SEP] are read, too.
    for split, measured in corpus.splits.items():
        longer, kept = measured.texts["document"].longer_than(limit)
        if longer:
            yield (
                kept >= KEPT,
                f"{split}: {longer:,} of {len(measured):,} documents are longer than "
                f"dataset.max_source={corpus.max_source} word pieces and are cut: at most "
                f"{kept:.0%} of the text is read",
            )


# What each looks at, and what is said where it finds nothing.
JUDGES: tuple[tuple[str, Callable[[Corpus], Verdicts], str], ...] = (
    ("files", _files, "train, valid and test.jsonl are here"),
    ("changes", _changes, "the files are as they were made"),
    ("import", _import, "no record was skipped"),
    ("paper", _paper, "as many examples as in section 5.1 and Table 1"),
    ("summaries", _summaries, "none is missing"),
    ("length", _long, "no document has more words than a training reads word pieces"),
    ("languages", _languages, "each text is in its language, but for a few"),
    ("ids", ids, "each is used once in its split"),
    ("repeats", documents, "no document is twice in its split"),
    ("overlap", shared, "training shares no document and no summary with valid and test"),
)
