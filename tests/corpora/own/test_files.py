import pytest

from mclas_lightning.corpora.own.files import POOL, ordered, own_files
from mclas_lightning.errors import InputError


@pytest.fixture
def files(tmp_path):
    """A function that writes empty files."""

    def files(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return files


def test_names_of_files_or_of_their_folders_tell_splits(files):
    saved = files(
        "dataset_dict.json", "train/data-00000-of-00002.arrow", "train/data-00001-of-00002.arrow",
        "train/state.json", "train/dataset_info.json", "train/cache-1.arrow",
        "validation/data-00000-of-00001.arrow", "test/data-00000-of-00001.arrow",
    )  # fmt: skip
    found = own_files([saved])
    assert found.kind == "arrow"
    splits = [
        (split, [path.name[5:10] for path in paths]) for split, paths in ordered(found.splits)
    ]
    assert splits == [("train", ["00000", "00001"]), ("valid", ["00000"]), ("test", ["00000"])]


def test_files_without_a_split_are_one_pool(files):
    found = own_files([files("a.csv", "b.tsv")])
    assert (found.kind, [*found.splits]) == ("table", [POOL])
    (found.splits[POOL][0].parent / "my_test").mkdir()
    assert [*own_files([files("my_test/c.csv")]).splits] == [POOL]


def test_what_lies_in_hidden_folders_is_no_corpus(files):
    folder = files("all.jsonl")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "all-checkpoint.jsonl").touch()
    assert own_files([folder]) == own_files([folder / "all.jsonl"])


def test_files_behind_a_link_to_a_folder_are_read(files, tmp_path):
    folder = files("here/train.jsonl", "larger disk/test.jsonl") / "here"
    (folder / "more").symlink_to(tmp_path / "larger disk")
    assert [*own_files([folder]).splits] == ["test", "train"]


def test_a_file_of_another_ending_holds_lines(files):
    folder = files("train.fr", "train.uk")
    assert own_files([folder / "train.fr", folder / "train.uk"]).kind == "lines"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "no file here ends in .jsonl"),
        (("notes.txt",), "no file here ends in .jsonl"),
        (("a.csv", "b.jsonl"), "a.csv and .*b.jsonl: expected files of one kind"),
        (("train.csv", "more.csv"), "more.csv: its name does not tell train, valid or test"),
        (("test.csv", "dev.csv"), "expected a training file as well, found valid, test alone"),
    ],
)
def test_files_that_make_no_corpus_are_refused(files, names, said):
    with pytest.raises(InputError, match=said):
        own_files([files(*names)])


@pytest.mark.parametrize(("name", "advice"), [("a.xlsx", "save it as CSV"), ("a.csv.GZ", "unpack")])
def test_a_file_of_no_lines_is_refused_with_what_to_do(files, name, advice):
    with pytest.raises(InputError, match=f"{name}: is not read as it is; {advice}"):
        own_files([files(name) / name])


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_a_path_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(InputError, match=f"{name}: no such file or folder"):
        own_files([tmp_path / name])
