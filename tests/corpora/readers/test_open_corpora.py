import json
import sqlite3
from typing import Any

import pytest

from mclas_lightning.corpora.importing import describe_import, import_corpus
from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.corpora.readers.open_corpora import OpenCorpus
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import read_lines
from tests.corpora.readers import open_files as files

EN_DE: dict[str, Any] = {"source": "en", "target": "de"}


@pytest.fixture
def stories():
    return files.stories()


def found(out, split="train"):
    return [Example(**record) for record in read_lines(out / f"{split}.jsonl")]


def by_hand(stories, split, ids):
    """The examples of a join that was made by hand."""
    return [
        Example(id=name, document=e.document, mono=e.mono, cross=e.cross)
        for name, e in zip(ids, stories[split], strict=True)
    ]


def crosssum(folder, stories):
    """CrossSum's archive of a pair, as the hub has it; the language is not one of BBC's."""
    return files.archive(
        folder / "english-french_CrossSum.tar.bz2",
        {f"english-french_{split}.jsonl": map(files.crosssum, stories[split]) for split in stories},
    )


def xlsum(folder, stories, name="english"):
    return files.archive(
        folder / f"{name}_XLSum_v2.0.tar.bz2",
        {f"./{name}_{split}.jsonl": map(files.xlsum, stories[split]) for split in stories},
    )


EN_FR: dict[str, Any] = {"source": "en", "target": "fr"}


def test_crosssum_is_joined_with_xlsum_by_the_articles_addresses(tmp_path, stories):
    raw, mono = crosssum(tmp_path, stories), xlsum(tmp_path / "xlsum", stories)
    manifest = import_corpus("crosssum", [raw], tmp_path / "out", **EN_FR, mono=[mono])
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        ids = [f"https://bbc.com/news/{e.id}" for e in stories[split]]
        assert found(tmp_path / "out", name) == by_hand(stories, split, ids)
        assert manifest["counts"][name]["alone"] == 0
    assert [source["file"] for source in manifest["sources"]] == [raw.name, mono.name]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.json", "test.jsonl", "train.jsonl", "valid.jsonl",
    ]  # fmt: skip


def test_an_article_without_a_partner_has_no_mono_summary(tmp_path, stories):
    raw = crosssum(tmp_path, stories)
    half = {"train": stories["train"][:7], "val": stories["val"], "test": stories["test"]}
    manifest = import_corpus(
        "crosssum", [raw], tmp_path / "out", **EN_FR, mono=[xlsum(tmp_path / "x", half)]
    )
    assert [e.mono is None for e in found(tmp_path / "out")] == [False] * 7 + [True] * 10
    said = "\n".join(describe_import(tmp_path / "out", manifest))
    assert "train: mono summaries of 7 of 17 (41%); few: is it of another language" in said
    assert "; ncls alone can learn from the others, --triples leaves them out" in said
    bare = import_corpus("crosssum", [raw], tmp_path / "bare", **EN_FR)
    assert all(example.mono is None for example in found(tmp_path / "bare"))
    said = "\n".join(describe_import(tmp_path / "bare", bare))
    assert "train: mono summaries of 0 of 17 (0%); name the files that have them" in said


def test_triples_alone_are_imported_where_they_are_asked_for(tmp_path, stories):
    raw = crosssum(tmp_path, stories)
    some = {split: told[:7] for split, told in stories.items()}
    mono = [xlsum(tmp_path / "x", some)]
    out = tmp_path / "out"
    manifest = import_corpus("crosssum", [raw], out, **EN_FR, mono=mono, triples_only=True)
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        ids = [f"https://bbc.com/news/{e.id}" for e in some[split]]
        assert found(out, name) == by_hand(some, split, ids)
    counts = manifest["counts"]["train"]
    assert counts["skipped"]["it has no mono summary"]["records"] == 10  # more than are kept
    assert "train: mono summaries of 7 of 7 (100%)" in "\n".join(describe_import(out, manifest))
    with pytest.raises(InputError, match=r"17 of 17 records cannot be used, .*no mono summary"):
        import_corpus("crosssum", [raw], out, **EN_FR, triples_only=True)


def test_an_xlsum_with_no_partner_is_refused(tmp_path, stories):
    raw = crosssum(tmp_path, stories)
    other = [files.xlsum(e, url=f"https://elsewhere/{e.id}") for e in stories["train"]]
    mono = files.jsonl(tmp_path / "x" / "english_train.jsonl", other)
    with pytest.raises(InputError, match="none of 17 documents is in english_train"):
        import_corpus("crosssum", [raw], tmp_path / "out", **EN_FR, mono=[mono])
    german = xlsum(tmp_path / "y", stories, name="french")
    with pytest.raises(InputError, match=r"y/french_XLSum_v2.0.tar.bz2: has fr, and no en; name"):
        import_corpus("crosssum", [raw], tmp_path / "out", **EN_FR, mono=[german])
    assert not (tmp_path / "out").exists()


def test_an_address_that_is_there_twice_is_counted(tmp_path, stories):
    records = [files.crosssum(e) for e in stories["train"]]
    files.jsonl(tmp_path / "raw" / "english-french_train.jsonl", [*records, records[3]])
    twice = [files.xlsum(stories["train"][2], summary="Another.")]
    mono = [*map(files.xlsum, stories["train"]), *twice]
    files.jsonl(tmp_path / "x" / "english_train.jsonl", mono)
    manifest = import_corpus(
        "crosssum", [tmp_path / "raw"], tmp_path / "out", **EN_FR, mono=[tmp_path / "x"]
    )
    place = f"{tmp_path}/raw/english-french_train.jsonl:18"
    assert manifest["counts"]["train"]["skipped"] == {
        "the id was used before": {"records": 1, "first": place}
    }
    reasons = manifest["counts"]["XL-Sum in the documents' language"]["skipped"]
    assert reasons["the document was there before"]["records"] == 1
    assert found(tmp_path / "out")[2].mono == stories["train"][2].mono


def test_xlsum_alone_is_a_corpus_for_pretraining(tmp_path, stories):
    raw = xlsum(tmp_path, stories)
    manifest = import_corpus("xlsum", [raw], tmp_path / "out", source="en")
    ids = [f"https://bbc.com/news/{e.id}" for e in stories["train"]]
    assert [(e.id, e.mono, e.cross) for e in found(tmp_path / "out")] == [
        (name, e.mono, None) for name, e in zip(ids, stories["train"], strict=True)
    ]
    assert manifest["languages"] == {"source": "en", "target": None}
    with pytest.raises(InputError, match="--target de: this format is in one language"):
        import_corpus("xlsum", [raw], tmp_path / "out", **EN_DE)


def test_wikilingua_is_read_in_gems_aligned_form(tmp_path, stories):
    for split in stories:
        files.parquet(
            tmp_path / "raw" / f"wiki_lingua-{'validation' if split == 'val' else split}.parquet",
            [
                {
                    "gem_id": f"gem-{e.id}",
                    "source_aligned": {"en": e.document, "de": "Ein Schritt."},
                    "target_aligned": {"en": e.mono, "de": e.cross},
                    "source": e.document,
                    "target": e.cross,
                }
                for e in stories[split]
            ],
        )
    import_corpus("wikilingua", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    for split, name in (("train", "train"), ("val", "valid")):
        ids = [f"gem-{e.id}" for e in stories[split]]
        assert found(tmp_path / "out", name) == by_hand(stories, split, ids)
    with pytest.raises(InputError, match=r"train\.parquet:1: is in de and en, not in .fr"):
        import_corpus("wikilingua", [tmp_path / "raw"], tmp_path / "no", source="en", target="fr")


def gem(story, pair, **changed):
    texts = {"source": story.document, "target": story.mono if pair[1] == "en" else story.cross}
    languages = {"source_language": pair[0], "target_language": pair[1]}
    return {"gem_id": f"{pair}-{story.id}", **languages, **texts} | changed


def test_wikilingua_is_read_in_gems_form_of_one_summary_a_record(tmp_path, stories):
    train = stories["train"]
    cross = [gem(e, ("en", "de")) for e in train]
    other = [gem(e, ("de", "en"), source="Ein Text.") for e in train]
    mono = [gem(e, ("en", "en")) for e in train[:11]]
    rows = [row for triple in zip(cross, other, strict=True) for row in triple]
    files.parquet(tmp_path / "de_en" / "wiki_lingua-train-00000-of-00002.parquet", rows)
    files.parquet(tmp_path / "de_en" / "wiki_lingua-train-00001-of-00002.parquet", mono)
    files.parquet(tmp_path / "de_en" / "wiki_lingua-sampled_test.parquet", cross)
    files.parquet(tmp_path / "fr_en" / "wiki_lingua-train.parquet", cross)
    manifest = import_corpus("wikilingua", [tmp_path], tmp_path / "out", **EN_DE)
    expected = by_hand(stories, "train", [f"{('en', 'de')}-{e.id}" for e in train])
    assert found(tmp_path / "out")[:11] == expected[:11]
    assert [e.mono for e in found(tmp_path / "out")[11:]] == [None] * 6
    assert manifest["unknown_tags"]["de to en"]["times"] == 17
    read = sorted(source["file"] for source in manifest["sources"])
    assert read == [f"wiki_lingua-train-0000{n}-of-00002.parquet" for n in (0, 1)]
    assert [*manifest["files"]] == ["train.jsonl"]


def test_wikilingua_is_read_in_the_folders_of_the_hubs_own_parquet(tmp_path, stories):
    for folder in ("train", "validation", "test", "sampled_test"):
        split = {"train": "train", "validation": "val"}.get(folder, "test")
        rows = [gem(e, pair) for e in stories[split] for pair in (("en", "de"), ("en", "en"))]
        files.parquet(tmp_path / "de_en" / folder / "0000.parquet", rows)
    other = [gem(e, ("en", "fr")) for e in stories["test"]]
    files.parquet(tmp_path / "en_fr" / "train" / "0000.parquet", other)
    import_corpus("wikilingua", [tmp_path], tmp_path / "out", **EN_DE)
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        ids = [f"{('en', 'de')}-{e.id}" for e in stories[split]]
        assert found(tmp_path / "out", name) == by_hand(stories, split, ids)


def xwikis(story, number, **changed):
    words = story.document.split()
    sections = [
        {"title": "Early life.", "section_level": 1, "content": " ".join(words[:5])},
        {"title": "Works.", "section_level": 2, "content": " ".join(words[5:])},
    ]
    return {
        "id": number, "src_title": "A", "src_document": sections, "src_summary": story.mono,
        "tgt_title": "B", "tgt_summary": story.cross,
    } | changed  # fmt: skip


def test_xwikis_has_both_summaries_in_a_record(tmp_path, stories):
    for split in ("train", "valid", "test"):
        own = stories["val" if split == "valid" else split]
        files.jsonl(tmp_path / split / "en-de.jsonl", (xwikis(e, i) for i, e in enumerate(own)))
        files.jsonl(tmp_path / split / "en-fr.jsonl", [])
        files.jsonl(tmp_path / split / "en.jsonl", [])  # in one language, without tgt_summary
    import_corpus("xwikis", [tmp_path], tmp_path / "out", **EN_DE)
    for example, story in zip(found(tmp_path / "out"), stories["train"], strict=True):
        words = story.document.split()
        document = f"Early life. {' '.join(words[:5])} Works. {' '.join(words[5:])}"
        assert example == Example(
            id=example.id, document=document, mono=story.mono, cross=story.cross
        )
    assert [e.id for e in found(tmp_path / "out", "valid")] == ["0", "1", "2", "3", "4"]


def test_xwikis_without_a_mono_summary_takes_it_from_the_files_in_one_language(tmp_path, stories):
    train = [
        xwikis(e, i, src_title=f"Storm  &amp; {i}", src_summary=None)
        for i, e in enumerate(stories["train"])
    ]
    files.jsonl(tmp_path / "train" / "en-de.jsonl", train)
    own = [
        xwikis(e, i, src_title=f"Storm  &amp; {i}", tgt_title=None, tgt_summary=None)
        for i, e in enumerate(stories["train"][:5])
    ]
    files.jsonl(tmp_path / "valid" / "en.jsonl", own)
    files.jsonl(tmp_path / "valid" / "de.jsonl", [xwikis(e, 0) for e in stories["train"][:1]])
    manifest = import_corpus(
        "xwikis", [tmp_path / "train"], tmp_path / "out", **EN_DE, mono=[tmp_path / "valid"]
    )
    expected = [e.mono if i < 5 else None for i, e in enumerate(stories["train"])]
    assert [e.mono for e in found(tmp_path / "out")] == expected
    assert manifest["counts"]["train"]["alone"] == 12
    assert [source["file"] for source in manifest["sources"]] == ["en.jsonl", "en-de.jsonl"]


def records(story):
    """A record of each form, and of each corpus that is joined, by format."""
    aligned = {"source_aligned": {"en": story.document, "de": "Ein Schritt."},
               "target_aligned": {"en": story.mono, "de": story.cross}}  # fmt: skip
    return [
        ("crosssum", files.crosssum(story)), ("crosssum", files.xlsum(story)),
        ("xlsum", files.xlsum(story)), ("wikilingua", {"gem_id": "g", **aligned}),
        ("wikilingua", gem(story, ("en", "de"))), ("wikilingua", gem(story, ("en", "en"))),
        ("xwikis", xwikis(story, 1)),
        ("xscitldr", {"source": [story.document], "target": [story.cross]}),
        ("convsumx", {"fname": "f", "en_dialogue": story.document, "en_summary": story.mono,
                      "de_summary": story.cross}),
    ]  # fmt: skip


def test_a_field_of_any_type_is_read_skipped_or_refused(tmp_path, stories):
    path, outcomes = tmp_path / "x.jsonl", {"read": 0, "skipped": 0, "refused": 0}
    for format, record in records(stories["train"][0]):
        for field in record:
            for value in (None, True, 7, "", "a", [], [None, 7, {}], {}, {"en": [7], "de": None}):
                files.jsonl(path, [record | {field: value}])
                log, scratch = Log(), sqlite3.connect(":memory:")
                corpus = OpenCorpus(format=format, source="en", target="de", scratch=scratch)
                try:
                    if FORMATS[format].joined:
                        corpus.index_mono([path], Sources(int), log)
                    read = list(corpus.read(path, "train", Sources(int), log))
                except InputError:
                    outcomes["refused"] += 1
                    continue
                assert all(isinstance(e.id, str) and e.document for e in read)
                outcomes["read" if read else "skipped"] += 1
    assert min(outcomes.values()) > 20


def test_xscitldr_is_joined_with_scitldr_by_the_abstracts(tmp_path, stories):
    train = stories["train"]
    sentences = [[f"{part}." for part in e.document.rstrip(".").split(". ")] for e in train]
    cross = [
        {"source": "".join(parts), "target": [e.cross, "Ein anderer."]}
        for parts, e in zip(sentences, train, strict=True)
    ]
    files.jsonl(tmp_path / "raw" / "de" / "train.jsonl", cross)
    files.jsonl(tmp_path / "raw" / "it" / "train.jsonl", cross)
    mono = [
        {"paper_id": e.id, "source": parts, "target": [e.mono, "Another."]}
        for parts, e in zip(sentences, train, strict=True)
    ]
    files.jsonl(tmp_path / "SciTLDR-A" / "train.jsonl", mono[:-1])
    import_corpus(
        "xscitldr", [tmp_path / "raw"], tmp_path / "out", target="de",
        mono=[tmp_path / "SciTLDR-A"],
    )  # fmt: skip
    read = found(tmp_path / "out")
    assert [(e.id, e.mono, e.cross) for e in read] == [
        (f"train-{i}", e.mono if i < 17 else None, e.cross) for i, e in enumerate(train, start=1)
    ]
    with pytest.raises(InputError, match="--target: language 'fr' is not in this corpus; choose"):
        import_corpus("xscitldr", [tmp_path / "raw"], tmp_path / "no", target="fr")


def test_convsumx_has_both_summaries_in_a_record(tmp_path, stories):
    uk = "Поліція знайшла двох чоловіків на вулиці."
    for name, split in (("train400", "train"), ("dev", "val")):
        files.jsonl(
            tmp_path / f"dialogsumx.{name}.jsonl",
            [
                {"fname": "f_1", "en_dialogue": f"#Person1#: {e.document} \n#Person2#: Yes.",
                 "en_summary": e.mono, "zh_summary": "下雨。", "uk_summary": uk}
                for e in stories[split]
            ],
        )  # fmt: skip
    import_corpus("convsumx", [tmp_path], tmp_path / "out", target="uk")
    first, story = found(tmp_path / "out")[0], stories["train"][0]
    document = f"#Person1#: {story.document} #Person2#: Yes."
    assert first == Example(id="f_1-train-1", document=document, mono=story.mono, cross=uk)
    record = {"fname": "m", "dialogue": "a: b", "en_query": "Who?", "en_summary": "He.",
              "ukr_summary": uk}  # fmt: skip
    files.jsonl(tmp_path / "qm" / "qmsumx.train.jsonl", [record])
    import_corpus("convsumx", [tmp_path / "qm"], tmp_path / "qm-out", target="uk")
    assert found(tmp_path / "qm-out") == [
        Example(id="m-train-1", document="Who? a: b", mono="He.", cross=uk)
    ]


def test_swapped_languages_are_noticed(tmp_path, stories):
    raw = crosssum(tmp_path, stories)
    with pytest.raises(InputError, match="has en to fr, and no fr to en; swap --source"):
        import_corpus("crosssum", [raw], tmp_path / "out", source="fr", target="en")
    for split in ("train", "test"):
        files.jsonl(tmp_path / "w" / f"{split}.jsonl", [
            {"source_aligned": {"en": e.cross, "de": e.document},
             "target_aligned": {"en": e.cross, "de": e.mono}}
            for e in stories[split]
        ])  # fmt: skip
    with pytest.raises(InputError, match=r"documents are not 'de' and .* are not 'en'; swap"):
        import_corpus("wikilingua", [tmp_path / "w"], tmp_path / "out", source="de", target="en")
    assert not (tmp_path / "out").exists()


def test_files_of_another_format_are_told_by_their_fields(tmp_path, stories):
    raw = files.jsonl(tmp_path / "train.jsonl", map(files.xlsum, stories["train"]))
    with pytest.raises(InputError, match=r"train.jsonl:1: has no field 'source_url', but id, su"):
        import_corpus("crosssum", [raw], tmp_path / "out", **EN_FR)
    with pytest.raises(InputError, match="--source: language 'xx' is not in this corpus"):
        import_corpus("crosssum", [raw], tmp_path / "out", source="xx", target="fr")
    with pytest.raises(InputError, match="--mono: this format is not joined"):
        import_corpus("convsumx", [raw], tmp_path / "out", target="fr", mono=[raw])


def test_markup_is_left_out_and_counted(tmp_path, stories):
    records = [files.crosssum(e) for e in stories["train"]]
    records[4]["summary"] = "Zwei <b>Männer</b><br/>im Regen &amp; Sturm: 3 < 5."
    records[9]["summary"] = " <p></p> "
    raw = files.jsonl(tmp_path / "english-french_train.jsonl", records)
    manifest = import_corpus("crosssum", [raw], tmp_path / "out", **EN_FR)
    assert found(tmp_path / "out")[4].cross == "Zwei Männer\nim Regen & Sturm: 3 < 5."
    assert json.dumps(manifest["unknown_tags"]["<b>"]) == json.dumps(
        {"times": 2, "first": f"{raw}:5"}
    )
    assert manifest["counts"]["train"]["skipped"]["summary is empty"]["records"] == 1
