import pytest

from mclas_lightning.cli import main as cli
from mclas_lightning.config.compose import compose
from mclas_lightning.train import train


def mclas(*words: object) -> None:
    arguments = cli.parser().parse_args([*map(str, words)])
    arguments.run(arguments)


def test_heads_prints_the_kinds_beside_the_papers(words, capsys):
    results = train(compose("train", [*words, "model=mclas"]))
    assert results is not None
    assert results.folder is not None
    mclas("heads", results.folder, "--num", 3)
    out = capsys.readouterr().out
    assert "23 of 48" in out
    assert "of 4" in out
    assert (results.folder / "heads.json").exists()
    page = results.folder / "heads.html"
    mclas("heads", results.folder, "--num", 2, "--beside", results.folder, "--page", page)
    assert "by chance" in capsys.readouterr().out
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_a_folder_without_a_run_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mclas", "heads", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
