import io
import tarfile

import pytest

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.readers.archives import unpack
from mclas_lightning.corpora.readers.formats import FORMATS
from mclas_lightning.corpora.readers.log import Sources
from mclas_lightning.errors import InputError
from mclas_lightning.example import read_jsonl
from mclas_lightning.files import sha256
from tests.corpora.readers import open_files as files

EN_FR = ("en", "fr")


@pytest.fixture
def packed(tmp_path):
    train = map(files.crosssum, files.stories()["train"])
    members = {"./deep/english-french_train.jsonl": train, "README.md": [], "._x.jsonl": []}
    return files.archive(tmp_path / "raw" / "english-french_CrossSum.tar.bz2", members)


def test_files_of_the_format_are_unpacked_and_shown_in_their_archive(packed, tmp_path):
    sources = Sources(int)
    (path,) = unpack(FORMATS["crosssum"], [packed.parent], tmp_path / "new", EN_FR, sources)
    assert len(path.read_bytes().splitlines()) == 17
    assert sources.shown(path) == packed / "deep" / "english-french_train.jsonl"
    assert sources.files == [
        {"file": packed.name, "bytes": packed.stat().st_size, "sha256": sha256(packed)}
    ]


def test_archives_of_other_pairs_stay_packed(packed, tmp_path):
    (packed.parent / "english-hindi_CrossSum.tar.bz2").write_bytes(b"no archive at all")
    sources = Sources(int)
    assert unpack(FORMATS["crosssum"], [packed.parent], tmp_path / "new", EN_FR, sources)
    with pytest.raises(InputError, match="has en to fr, en to hi, and no en to ru"):
        unpack(FORMATS["crosssum"], [packed.parent], tmp_path / "new", ("en", "ru"), sources)
    with pytest.raises(InputError, match=r"english-hindi_.*: no whole archive"):
        unpack(FORMATS["crosssum"], [packed.parent], tmp_path / "new", ("en", "hi"), sources)


@pytest.mark.parametrize("left", [0.2, 0.9])
def test_a_truncated_archive_leaves_nothing(packed, tmp_path, left):
    raw = packed.read_bytes()
    packed.write_bytes(raw[: int(left * len(raw))])
    with pytest.raises(InputError, match=r"tar\.bz2: no whole archive .*cut short, get it again"):
        import_corpus("crosssum", [packed], tmp_path / "out", source="en", target="fr")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def tar_of_two(path, mode):
    """An archive with two members that take whole blocks, and where the second begins."""
    with tarfile.open(path, mode) as tar:
        for name in ("english-french_train.jsonl", "english-french_test.jsonl"):
            member = tarfile.TarInfo(name)
            member.size = tarfile.BLOCKSIZE
            tar.addfile(member, io.BytesIO(b"\n" * tarfile.BLOCKSIZE))
    return 2 * tarfile.BLOCKSIZE


@pytest.mark.parametrize("kind", ["", "gz", "bz2", "xz"])
def test_an_archive_that_is_cut_between_its_members_is_not_whole(tmp_path, kind):
    path = tmp_path / f"all.tar.{kind}".rstrip(".")
    second = tar_of_two(path, f"w:{kind}")
    raw = path.read_bytes()
    cut = second if not kind else len(raw) - 5
    unpack(FORMATS["crosssum"], [path], tmp_path / "whole", EN_FR, Sources(int))
    path.write_bytes(raw[:cut])
    with pytest.raises(InputError, match="no whole archive"):
        unpack(FORMATS["crosssum"], [path], tmp_path / "cut", EN_FR, Sources(int))


def test_an_error_about_an_unpacked_file_names_its_archive(tmp_path):
    path = tmp_path / "CrossSum_v1.0.tar"
    tar_of_two(path, "w")
    with pytest.raises(InputError, match=rf"{path}: has en to fr, and no en to es"):
        import_corpus("crosssum", [path], tmp_path / "out", source="en", target="es")


def test_an_archive_without_such_files_is_named(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w"):
        pass
    with pytest.raises(InputError, match=r"x\.tar: holds no file with a name like english-"):
        import_corpus("crosssum", [tmp_path / "x.tar"], tmp_path / "out", source="en", target="fr")


def test_files_of_one_name_in_folders_of_languages_stay_apart(tmp_path):
    stories = files.stories()["train"]
    names = {language: f"data/{language}/train.jsonl" for language in ("it", "de", "ja")}
    members = {
        name: [{"source": e.document, "target": [f"{e.cross} {language}"]} for e in stories]
        for language, name in names.items()
    }
    path = files.archive(tmp_path / "raw" / "xscitldr.tar.bz2", members)
    import_corpus("xscitldr", [path], tmp_path / "out", source="en", target="de")
    read = list(read_jsonl(tmp_path / "out" / "train.jsonl"))
    assert [e.cross for e in read] == [f"{e.cross} de" for e in stories]
    twice = {f"{folder}/de/train.jsonl": [] for folder in ("human", "postedit")}
    path = files.archive(tmp_path / "raw" / "twice.tar.bz2", twice)
    with pytest.raises(
        InputError, match=r"twice\.tar\.bz2: holds de/train\.jsonl twice; unpack it"
    ):
        import_corpus("xscitldr", [path], tmp_path / "out", source="en", target="de")
