import pytest

from mclas_lightning.cli import main as cli


def mclas(*words: object) -> None:
    arguments = cli.parser().parse_args([*map(str, words)])
    arguments.run(arguments)


def test_heads_prints_the_kinds_beside_the_papers(trained, capsys):
    folder = trained("model=mclas")
    mclas("heads", folder, "--num", 3)
    out = capsys.readouterr().out
    assert "23 of 48" in out
    assert "of 4" in out
    assert (folder / "heads.json").exists()
    page = folder / "heads.html"
    mclas("heads", folder, "--num", 2, "--beside", folder, "--page", page)
    assert "by chance" in capsys.readouterr().out
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_a_folder_without_a_run_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mclas", "heads", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
