"""Findings on a corpus: which topics are well, and which need a look.

A judge is a function for one topic. It yields pairs: whether all is well, and a sentence. A judge
that finds nothing wrong yields nothing.
"""

from collections.abc import Callable, Iterator

import numpy as np

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.corpora.check.corpus import FIELD_NAMES, Corpus, Finding
from mclas_lightning.corpora.check.measure import SplitStatistics
from mclas_lightning.corpora.readers.log import skipped_unasked
from mclas_lightning.example import SIDES

# Shares of a split that need no look: of its documents, and of its summaries (two stories can have
# the same headline).
MAX_REPEATED = 0.01

MAX_SHARED = 0.05

MAX_NEAR = 0.01  # the share of a split's documents that may be near those of a held-out set

MAX_SKIPPED = 0.01  # the share of a split's records that an import may skip without a look

MIN_READ = 0.5  # the share of the documents' text that has to be read for no look

# The share of texts without a look: short texts full of names are taken for another language.
MAX_WRONG_LANGUAGE = 0.1

Verdicts = Iterator[tuple[bool, str]]


def _ids(corpus: Corpus) -> Verdicts:
    """Ids that an earlier example of the split has; a training refuses them."""
    for split, measured in corpus.splits.items():
        if len(rows := repeated_rows(measured.ids)):
            first = corpus.example_id(split, rows[0])
            yield False, f"{split}: {len(rows):,} were used before, first {first}"


def _repeated_documents(corpus: Corpus) -> Verdicts:
    """Documents that an earlier example of the split has."""
    for split, measured in corpus.splits.items():
        if len(rows := repeated_rows(measured.hashes("document"))):
            few = len(rows) <= MAX_REPEATED * len(measured)
            where = f"documents repeat an earlier one, first {corpus.example_id(split, rows[0])}"
            yield few, f"{split}: {_of(rows, measured)} {where}"


def _shared_texts(corpus: Corpus) -> Verdicts:
    """Documents and summaries of valid and test that are in train, too."""
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
                few = field != "document" and len(rows) <= MAX_SHARED * len(measured)
                yield few, f"{split}: {_of(rows, measured)} {name} are in train too, {where}"


def _near(corpus: Corpus) -> Verdicts:
    """Documents that are near those of a held-out set, though not equal to them."""
    for (split, held_out), count in corpus.near.items():
        here = len(corpus.splits[split])
        total = len(corpus.splits[held_out]) if held_out in SPLITS else None
        few = total is not None and len(count.held_out) <= MAX_NEAR * total
        of = "" if total is None else f" of {total:,}"
        leave = "mclas data import --apart and mclas new-dataset --clean leave them out"
        if total is None:  # --clean compares the splits of one corpus alone.
            leave = "mclas data import --apart with that folder leaves them out of train and valid"
        pairs = ", ".join(
            f"{near.there} by {near.id} ({near.similarity:.2f})" for near in count.first
        )
        yield (
            few,
            f"{held_out}: {len(count.held_out):,}{of} documents have a near-duplicate in {split} "
            f"({len(count.documents):,} of {here:,} there), first {pairs}; {leave}",
        )


def _of(rows: np.ndarray, measured: SplitStatistics) -> str:
    return f"{len(rows):,} of {len(measured):,}"


def repeated_rows(hashes: np.ndarray) -> np.ndarray:
    """The rows whose hash an earlier row has, without rows of 0, which have no text."""
    later = np.ones(len(hashes), dtype=bool)
    later[np.unique(hashes, return_index=True)[1]] = False
    return np.flatnonzero(later & (hashes != 0))


def judge(corpus: Corpus) -> list[Finding]:
    """All findings, in the order of ``JUDGES``; a folder without files is only judged by files."""
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
            few = skipped_unasked(reasons) <= MAX_SKIPPED * (kept + skipped)
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
            if share is not None and share > MAX_WRONG_LANGUAGE:
                yield (
                    False,
                    f"{split}: {share:.0%} of the {FIELD_NAMES[field]} are not {texts.language}",
                )


def _long(corpus: Corpus) -> Verdicts:
    """Documents that any tokenizer cuts: they have more words than a training reads word pieces."""
    limit = corpus.max_source - 2  # without [CLS] and [SEP]
    for split, measured in corpus.splits.items():
        longer, kept = measured.texts["document"].longer_than(limit)
        if longer:
            yield (
                kept >= MIN_READ,
                f"{split}: {longer:,} of {len(measured):,} documents are longer than "
                f"dataset.max_source={corpus.max_source} word pieces and are cut: at most "
                f"{kept:.0%} of the text is read",
            )


# The topic of each judge, and the sentence where it finds nothing wrong.
JUDGES: tuple[tuple[str, Callable[[Corpus], Verdicts], str], ...] = (
    ("files", _files, "train, valid and test.jsonl are here"),
    ("changes", _changes, "the files are as they were made"),
    ("import", _import, "no record was skipped"),
    ("paper", _paper, "as many examples as in section 5.1 and Table 1"),
    ("summaries", _summaries, "none is missing"),
    ("length", _long, "no document has more words than a training reads word pieces"),
    ("languages", _languages, "each text is in its language, but for a few"),
    ("ids", _ids, "each is used once in its split"),
    ("repeats", _repeated_documents, "no document is twice in its split"),
    ("overlap", _shared_texts, "training shares no document and no summary with valid and test"),
    ("near", _near, "no document is nearly one of valid or test"),
)
