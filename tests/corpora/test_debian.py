"""The debian corpus, on small indexes written here: no network, no apt."""

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.corpora.debian import corpus, split, write_debian
from mclas_lightning.corpora.debian.apt import fetch
from mclas_lightning.corpora.debian.filters import examples
from mclas_lightning.corpora.debian.groups import LARGE_GROUP, group_of, split_of, stem
from mclas_lightning.corpora.debian.index import (
    TRANSLATION_CODES,
    Description,
    num_words,
    read_index,
)
from mclas_lightning.corpora.debian.sources import debian_source
from mclas_lightning.errors import InputError
from mclas_lightning.example import read_jsonl
from mclas_lightning.files import sha256

WORDS = " ".join(f"word{n}" for n in range(23))
HANZI = "这是一个用于测试的软件包描述，它的长度超过二十个汉字。"


def md5(name: object) -> str:
    return hashlib.md5(str(name).encode()).hexdigest()


def described(synopsis: str, *paragraphs: str, package: str = "") -> Description:
    return Description({package or f"package of {synopsis}"}, synopsis, paragraphs)


def write_index(path: Path, language: str, records: dict[str, tuple[str, str]]) -> Path:
    """Package name -> synopsis and long description, whose md5 is the name's."""
    with path.open("w", encoding="utf-8") as file:
        for package, (synopsis, long) in records.items():
            field = f"Description-{TRANSLATION_CODES[language]}"
            file.write(f"Package: {package}\nDescription-md5: {md5(package)}\n")
            file.write(f"{field}: {synopsis}\n {long}\n\n")
    return path


# Reading


def test_a_long_description_becomes_one_line_without_its_synopsis(tmp_path):
    long = "First line,\n second line.\n .\n Features:\n   * one\n   * two"
    path = write_index(tmp_path / "index", "en", {"foo": ("a  foo tool", long)})
    index, malformed = read_index([path], "en")
    description = index[md5("foo")]
    assert description == Description(
        {"foo"}, "a foo tool", ("First line, second line.", "Features: * one * two")
    )
    assert description.document == "First line, second line. Features: * one * two"
    assert malformed == 0


def test_chinese_lines_are_joined_without_a_space_unless_beside_latin(tmp_path):
    path = write_index(
        tmp_path / "index", "zh", {"foo": ("工具", "用于 Linux\n 的软\n 件。\n .\n 完")}
    )
    index, _ = read_index([path], "zh")
    assert index[md5("foo")].document == "用于 Linux 的软件。完"
    assert num_words(index[md5("foo")].document, "zh") == 12


def test_the_first_suite_with_a_description_gives_it(tmp_path):
    first = write_index(tmp_path / "first", "en", {"foo": ("new", WORDS)})
    second = write_index(tmp_path / "second", "en", {"foo": ("old", WORDS), "bar": ("bar", WORDS)})
    index, _ = read_index([first, second], "en")
    assert {d.synopsis for d in index.values()} == {"new", "bar"}


def test_a_description_keeps_every_package_that_carries_it(tmp_path):
    one = write_index(tmp_path / "one", "en", {"foo": ("foo", WORDS)})
    two = tmp_path / "two"
    two.write_text(one.read_text().replace("Package: foo", "Package: foo-renamed"))
    index, _ = read_index([one, two], "en")
    assert index[md5("foo")].packages == {"foo", "foo-renamed"}


@pytest.mark.parametrize(
    "record",
    [
        f"Package: foo\nDescription-en: no md5\n {WORDS}\n",
        f"Description-md5: {md5('foo')}\nDescription-en: no package\n {WORDS}\n",
        f"Package: foo\nDescription-md5: 12345\nDescription-en: short md5\n {WORDS}\n",
        f"Package: foo\nDescription-md5: {md5('foo')}\nDescription-de: andere Sprache\n {WORDS}\n",
        f"Package: foo\nDescription-md5: {md5('foo')}\nDescription-en:\n {WORDS}\n",
        f" stray\nPackage: foo\nDescription-md5: {md5('foo')}\nDescription-en: foo\n {WORDS}\n",
        f"Package: foo\nDescription-md5: {md5('foo')}\nDescription-en: foo\n {WORDS}\nno field\n",
        f"Package: foo\nDescription-md5: {md5('foo')}\nDescription-en: caf\udce9\n {WORDS}\n",
    ],
)
def test_a_malformed_record_is_counted_and_its_neighbors_are_read(tmp_path, record):
    good = write_index(tmp_path / "good", "en", {"bar": ("bar", WORDS)}).read_bytes()
    path = tmp_path / "index"
    path.write_bytes(good + record.encode("utf-8", "surrogateescape"))
    index, malformed = read_index([path], "en")
    assert (list(index), malformed) == ([md5("bar")], 1)


# Joining and filtering


def test_descriptions_are_joined_on_their_md5():
    english = {md5(n): described(f"tool {n}", f"{WORDS} {n}") for n in range(5)}
    german = {md5(n): described(f"Werkzeug {n}", f"{WORDS} und {n}") for n in (1, 3, 7)}
    rows, counts = examples({"en": english, "de": german}, "en", "de")
    assert counts["joined"] == 2
    assert {(row.mono, row.cross) for row in rows.values()} == {
        ("tool 1", "Werkzeug 1"),
        ("tool 3", "Werkzeug 3"),
    }
    assert all(row.id == f"deb-{key[:12]}" for key, row in rows.items())
    backward, _ = examples({"en": english, "de": german}, "de", "en")
    assert backward[md5(1)].document == f"{WORDS} und 1"
    assert backward[md5(1)].cross == rows[md5(1)].mono


@pytest.mark.parametrize(
    ("fault", "document", "mono", "cross"),
    [
        ("short", " ".join(WORDS.split()[:19]), "tool", "工具"),
        ("marker", f"{WORDS} <trans>", "tool", "工具"),
        ("marker", WORDS, "tool", "工具<trans>"),
        ("untranslated", WORDS, "GNU Make", "gnu make"),
        ("no_chinese", WORDS, "tool", "Werkzeug"),
        ("duplicate", f"{WORDS} twice", "tool", "工具"),
    ],
)
def test_each_filter_counts_what_it_drops(fault, document, mono, cross):
    first, last = "0" * 32, "f" * 32
    english = {first: described("twice", f"{WORDS} twice"), last: described(mono, document)}
    chinese = {first: described("两次", HANZI), last: described(cross, HANZI)}
    rows, counts = examples({"en": english, "zh": chinese}, "en", "zh")
    assert list(rows) == [first]
    assert {name for name, count in counts.items() if count} == {"joined", fault}


def test_twenty_words_and_twenty_characters_are_enough():
    words = " ".join(WORDS.split()[:20])
    english = {md5(n): described(f"tool {n}", words) for n in range(2)}
    chinese = {md5(n): described(f"工具{n}", HANZI[: 19 + n]) for n in range(2)}
    index = {"en": english, "zh": chinese}
    assert len(examples(index, "en", "zh")[0]) == 1  # the other is its duplicate
    assert list(examples(index, "zh", "en")[0]) == [md5(1)]


def test_the_monolingual_corpus_has_no_cross_summary():
    rows, _ = examples({"en": {md5(1): described("tool", WORDS)}}, "en", None)
    assert rows[md5(1)].mono == "tool"
    assert rows[md5(1)].cross is None


# Groups and splits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GNU C compiler (for arm64)", "gnu c compiler - documentation"),
        ("database server 9.6", "database server 17"),
        ("widget set: headers", "widget set; profiling libraries"),
    ],
)
def test_synopses_of_one_family_have_one_stem(one, other):
    assert stem(one) == stem(other)
    assert len(set(group_of({md5(1): described(one), md5(2): described(other)}).values())) == 1


def test_a_long_shared_paragraph_or_sentence_makes_a_group_and_a_short_one_does_not():
    for size, groups in ((60, 1), (59, 2)):
        shared = "x" * (size - 1) + "."
        for text in (shared, f"{shared} Its own end."):
            index = {md5(1): described("one", shared), md5(2): described("two", text)}
            assert len(set(group_of(index).values())) == groups


def test_two_wordings_of_one_package_are_one_group():
    index = {md5(n): described(f"wording {'ab'[n]}", package="foo") for n in range(2)}
    assert len(set(group_of(index).values())) == 1


def test_a_split_depends_on_the_group_alone_and_takes_its_share():
    groups = {md5(n): md5(n) for n in range(4001)}
    splits = split_of(groups, dict.fromkeys(groups, 0.1), seed=3)
    sizes = Counter(splits.values())
    assert sizes["valid"] == pytest.approx(400, abs=80)  # 4 standard deviations
    assert sizes["test"] == pytest.approx(400, abs=80)
    some = dict.fromkeys(list(groups)[:101], 0.1)
    assert split_of(groups, some, seed=3).items() <= splits.items()
    assert split_of(groups, some, seed=4) != split_of(groups, some, seed=3)


def test_a_large_group_is_never_held_out():
    sizes = {"small": LARGE_GROUP, "large": LARGE_GROUP + 1}
    groups = {f"{g} {n}": g for g, size in sizes.items() for n in range(size)}
    splits = split_of(groups, dict.fromkeys(sizes, 0.5), seed=0)
    assert splits["large"] == "train"
    assert splits["small"] != "train"


@st.composite
def indexes(draw):
    """Descriptions that share passages, stems and packages at random, some of them translated."""
    index = {language: {} for language in TRANSLATION_CODES}
    for n in range(draw(st.integers(1, 23))):
        family, passage, package = (draw(st.integers(0, 11)) for _ in range(3))
        names = (f"family {chr(97 + family)} - {n}", f"{WORDS} {n}", f"{passage:060d}")
        index["en"][md5(n)] = described(*names, package=f"package {package}")
        for language in draw(st.sets(st.sampled_from(["de", "zh"]))):
            index[language][md5(n)] = described(f"{language} 摘要 {n}", f"{WORDS} {HANZI} {n}")
    return index


def components(index):
    """Brute force: grow each group by whatever shares a family, passage or package with it."""
    keys = {m: {d.synopsis[:8], d.paragraphs[1], *d.packages} for m, d in index.items()}
    groups, left = set(), set(keys)
    while left:
        group = {left.pop()}
        while near := {m for m in left if any(keys[m] & keys[g] for g in group)}:
            group |= near
            left -= near
        groups.add(frozenset(group))
    return groups


@settings(max_examples=101, deadline=None)
@given(indexes(), st.integers(0, 5))
def test_no_group_crosses_the_splits_of_any_corpus(index, seed):
    with patch.dict(split.HELD_OUT, dict.fromkeys(split.HELD_OUT, 0.3)):
        corpora, counts = split.split_corpora(index, seed)
    ids = {f"deb-{m[:12]}": group for group in components(index["en"]) for m in group}
    places = defaultdict(set)
    for name, splits in corpora.items():
        for place, rows in splits.items():
            held_out = place != "train"
            for group, size in Counter(ids[row.id] for row in rows).items():
                places[group].add((name == "en" and held_out, place))
                assert size <= (2 if held_out else 30)
        steps = dict(counts[name])
        assert steps.pop("joined") == sum(steps.values())
    # One split for all directions; what the English corpus holds out is in no direction at all.
    assert all(len(splits) == 1 for splits in places.values())


@settings(max_examples=53, deadline=None)
@given(indexes())
def test_groups_are_the_connected_components(index):
    named = defaultdict(set)
    for member, group in group_of(index["en"]).items():
        named[group].add(member)
    assert set(map(frozenset, named.values())) == components(index["en"])
    assert all(name == min(members) for name, members in named.items())


@pytest.mark.parametrize("name", ["en2de", "de2en"])
def test_a_group_is_held_out_by_the_largest_share_of_its_corpora(name):
    english = {md5(n): described(f"{md5(n)}", f"{WORDS} {n}") for n in range(31)}
    german = {md5(n): described(f"zu {md5(n)}", f"{WORDS} {n}") for n in range(31)}
    with patch.dict(split.HELD_OUT, dict.fromkeys(split.HELD_OUT, 0.0) | {name: 0.5}):
        corpora, _ = split.split_corpora({"en": english, "de": german, "zh": {}}, 0)
    assert not corpora[name]["train"]
    assert len(corpora[name]["valid"]) + len(corpora[name]["test"]) == 31


def test_untranslated_groups_are_what_the_monolingual_corpus_holds_out():
    english = {md5(n): described(f"{md5(n)}", f"{WORDS} {n}") for n in range(31)}
    with patch.dict(split.HELD_OUT, {"en": 0.5}):
        corpora, counts = split.split_corpora({"en": english, "de": {}, "zh": {}}, 0)
    assert {name for name, rows in corpora["en"].items() if rows} == {"valid", "test"}
    assert counts["en"]["held_out"] == 0


def test_a_family_gives_the_monolingual_train_set_thirty_rows_and_a_direction_all():
    names = range(37)
    index = {
        "en": {md5(n): described(f"family - {n}", f"{WORDS} {n}") for n in names},
        "de": {md5(n): described(f"Familie - {n}", f"{WORDS} {n}") for n in names},
        "zh": {},
    }
    with patch.dict(split.HELD_OUT, dict.fromkeys(split.HELD_OUT, 0)):
        corpora, counts = split.split_corpora(index, 0)
    assert len(corpora["en2de"]["train"]) == 37
    assert len(corpora["en"]["train"]) == 30
    assert counts["en"]["capped"] == 7


# The whole write_debian


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Indexes of one suite in place of apt; names without digits, which a stem would drop."""
    names = [f"tool {chr(97 + a)}{chr(97 + b)}" for a in range(17) for b in range(19)]
    records = {
        "en": {n: (n, f"{WORDS} {n}") for n in names},
        "de": {n: (f"Werkzeug {n}", f"{WORDS} {n}") for n in names[::2]},
        "zh": {n: (f"工具 {n}", f"{HANZI} {n}") for n in names[::3]},
    }
    paths = {k: write_index(tmp_path / f"Translation-{k}", k, v) for k, v in records.items()}
    monkeypatch.setattr(corpus, "fetch", lambda suites, cache, say: {suites[0]: paths})
    return paths


def test_the_manifest_holds_the_hash_and_length_of_every_file(tmp_path, fetched):
    out, said = tmp_path / "out", []
    manifest = write_debian(out, suites=["sid"], say=said.append)
    assert json.loads((out / "manifest.json").read_text()) == manifest
    files = {str(path.relative_to(out)) for path in out.rglob("*.jsonl")}
    assert set(manifest["files"]) == files
    assert len(files) == 5 * 3
    for name, entry in manifest["files"].items():
        rows = list(read_jsonl(out / name, require=["mono"]))
        assert entry == {"records": len(rows), "sha256": sha256(out / name)}
        assert all((row.cross is None) == name.startswith("en/") for row in rows)
    assert manifest["index"]["sid/Translation-zh_CN"] == sha256(fetched["zh"])
    assert manifest["counts"]["en"]["joined"] == 17 * 19
    assert any(line.split()[:2] == ["joined", "162"] for line in said)


def test_the_same_input_and_seed_give_the_same_bytes(tmp_path, fetched):
    quiet = {"suites": ["sid"], "say": lambda line: None}
    first = write_debian(tmp_path / "one", **quiet)
    assert write_debian(tmp_path / "two", **quiet) == first
    assert write_debian(tmp_path / "three", seed=1, **quiet)["files"] != first["files"]
    for path in (tmp_path / "one").rglob("*.json*"):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert twin.read_bytes() == path.read_bytes()


def test_a_build_replaces_an_earlier_one_and_nothing_else(tmp_path, fetched):
    earlier, other = tmp_path / "earlier", tmp_path / "other"
    write_debian(earlier, say=lambda line: None)
    split = earlier / "en2de" / "train.jsonl"
    built = split.read_bytes()
    split.write_text("stale", encoding="utf-8")
    (earlier / "notes.txt").write_text("a user's own", encoding="utf-8")
    write_debian(earlier, say=lambda line: None)
    assert split.read_bytes() == built
    assert (earlier / "notes.txt").exists()
    other.mkdir()
    for name, text in {"thesis.tex": "", "manifest.json": '{"corpus": "toy"}'}.items():
        (other / name).write_text(text)
        with pytest.raises(InputError, match=r"something other than a corpus of kind .debian."):
            write_debian(other)
    assert len(list(other.iterdir())) == 2


@pytest.mark.parametrize("suites", [[], ["sid\nTrusted: yes"], ["../sid"]])
def test_what_is_no_name_of_a_suite_is_refused(tmp_path, suites):
    with pytest.raises(InputError, match="is not a name like trixie"):
        write_debian(tmp_path / "out", suites=suites)


# apt


def write_sources(etc: Path, name: str, text: str) -> Path:
    path = etc / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return etc


KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://security.example/debian-security\nSuites: x\n"
            f"Components: main\n\nTypes: deb deb-src\n# a comment\nURIs: http://mirror.example/debian"
            f"\nSuites: stable\nComponents: main contrib\nSigned-By: {KEY}\n",
        ),
        (
            "sources.list",
            "# deb http://old.example/debian stable main\n"
            "deb-src http://source.example/debian stable main\n"
            "deb [arch=amd64 signed-by=/keys/docker.asc] https://docker.example/debian x main\n"
            f"deb [ arch=amd64 signed-by={KEY} ] http://mirror.example/debian stable main # end\n",
        ),
    ],
)
def test_debians_archive_is_found_in_both_formats(tmp_path, name, text):
    source = debian_source(write_sources(tmp_path, name, text))
    assert source["uris"] == "http://mirror.example/debian"
    assert source["signed-by"] == KEY


@pytest.mark.parametrize(
    "text",
    ["", "deb http://archive.ubuntu.example/ubuntu noble main", "deb http://a/debian x free"],
)
def test_sources_without_debians_archive_are_said_in_one_line(tmp_path, text):
    with pytest.raises(InputError, match="no entry for Debian's main archive") as caught:
        debian_source(write_sources(tmp_path, "sources.list", text))
    assert "\n" not in str(caught.value)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose apt-get is a script: call it with the script's body to get the cache."""
    write_sources(
        tmp_path / "etc", "sources.list", "deb http://mirror.example/debian stable main\n"
    )
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def install(body: str) -> Path:
        script = tmp_path / "bin" / "apt-get"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return tmp_path / "cache"

    return install


def test_a_machine_without_apt_is_told_so_in_one_line(machine, tmp_path):
    with pytest.raises(InputError, match="apt-get was not found") as caught:
        write_debian(tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_network_failure_ends_with_apts_last_error_line(machine, tmp_path):
    cache = machine(
        'echo "W: Failed to fetch http://mirror.example/debian  Could not resolve" >&2\n'
        'echo "E: Some index files failed to download. They have been ignored." >&2'
    )
    with pytest.raises(InputError, match=r"trixie, sid: W: Failed to fetch .* resolve$"):
        fetch(["trixie", "sid"], cache, print, etc=tmp_path / "etc")


def test_a_silent_apt_that_fails_is_reported_with_its_status(machine, tmp_path):
    with pytest.raises(InputError, match="status 7"):
        fetch(["sid"], machine("exit 7"), print, etc=tmp_path / "etc")


def test_a_suite_the_archive_lacks_is_left_out_with_a_notice(machine, tmp_path):
    cache, said = tmp_path / "cache", []
    name = f"{cache}/lists/mirror.example_debian_dists_sid_main_i18n_Translation"
    machine(
        f": > {name}-en; : > {name}-zh%5fCN\n"
        "echo \"E: The repository 'http://mirror.example/debian nosuch Release' is absent\" >&2\n"
        "exit 100"
    )
    found = fetch(["nosuch", "sid"], cache, said.append, etc=tmp_path / "etc")
    assert {suite: sorted(paths) for suite, paths in found.items()} == {"sid": ["en", "zh"]}
    assert [line for line in said if "'nosuch' is left out: E: The repository" in line]
    assert "Suites: nosuch sid\n" in (cache / "deb.sources").read_text()
    assert "Targets: Translations\n" in (cache / "deb.sources").read_text()
    assert 'Acquire::Languages "en,de,zh_CN";' in (cache / "apt.conf").read_text()
