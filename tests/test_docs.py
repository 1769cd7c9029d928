"""The site of the documents says what the program is, and holds together."""

import ast
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import site_pages
import yaml
from site_reference import commands, commands_page, configuration_page, keys

from mclas_lightning.cli.main import parser
from mclas_lightning.files import CONF
from mclas_lightning.schema import flat

ROOT = Path(__file__).parents[1]
DOCS, SOURCE = ROOT / "docs", ROOT / "src" / "mclas_lightning"
CODE = r"^\(?[A-Z_]*(EXIT|INTERRUPTED|TERMINATED|SKIPPED)\b"  # names of exit codes
PICTURES = sorted(DOCS.glob("images/*.svg"))


def trees() -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")]


def test_every_command_has_its_section_with_every_option(capsys):
    parts = re.split(r"^## ", commands_page(), flags=re.M)[1:]
    sections = {name: text for name, _, text in (part.partition("\n") for part in parts)}
    runs = sum(path.read_text("utf-8").count("set_defaults(run=") for path in SOURCE.rglob("*.py"))
    assert len(sections) >= runs > 20  # Several commands are added in a loop.
    for command, section in sections.items():
        with pytest.raises(SystemExit):
            parser().parse_args([*command.split()[1:], "--help"])
        options = set(re.findall(r"(?<![\w-])--[a-z0-9-]+", capsys.readouterr().out)) - {"--help"}
        assert {option for option in options if option not in section} == set(), command


def groups() -> list[tuple[str, list[Path]]]:
    tops = [("", [path]) for path in CONF.glob("*.yaml")]
    folders = [folder for folder in CONF.iterdir() if folder.is_dir()]
    return [*tops, *((folder.name, sorted(folder.glob("*.yaml"))) for folder in folders)]


@pytest.mark.parametrize(("group", "files"), groups(), ids=lambda value: str(value)[-30:])
def test_every_key_of_a_group_is_explained(group, files):
    assert [key for key, comment in keys(files, group).items() if not comment] == []


def test_every_key_of_every_file_is_on_the_page():
    shown = set(re.findall(r"^\| `([\w.-]+)` \|", configuration_page(), re.M))
    for group, files in groups():
        for path in files:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            own = {key: value for key, value in values.items() if key not in ("defaults", "hydra")}
            for key, _ in flat(own, ".", group):
                parents = {key.rsplit(".", n)[0] for n in range(key.count(".") + 1)}
                assert shown & parents, f"{path}: {key}"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_right_on_a_light_and_on_a_dark_page(path):
    text = path.read_text(encoding="utf-8")
    (page, *_) = [
        each for each in ElementTree.fromstring(text).iter()
        # The page of matplotlib's figures is the first path.
        if (float(each.get("width", "0").removesuffix("pt")) > 900 and each.tag.endswith("rect"))
        or each.get("style", "").startswith("fill: ")
    ]  # fmt: skip
    # The page that text stands on is the picture's own, in the colors of its text.
    filled = "#ffffff" in (page.get("fill"), page.get("style", "").removeprefix("fill: "))
    assert filled or "prefers-color-scheme: dark" in text


def test_concepts_name_every_file_of_a_run(trained):
    page = (DOCS / "concepts.md").read_text(encoding="utf-8")
    picture = (DOCS / "images" / "run.svg").read_text(encoding="utf-8")
    for path in trained().iterdir():
        if path.suffix == ".diff":  # of code that was not committed
            assert "`code-....diff`" in page
        elif path.name[0] != ".":
            assert f"`{path.name}" in page
            assert path.name in picture


def messages() -> list[tuple[str, str]]:
    """The text of every InputError of the program, {} for what is put in, and where it is."""
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                parts = getattr(node.args[0], "values", node.args)
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts
                )
                found.append((text, f"{path}:{node.lineno}"))
    return found


def test_every_kind_of_error_message_has_an_entry_in_troubleshooting():
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\| (`.*?`) \| ", page, re.M)
    kinds = [kind for entry in entries for kind in re.findall(r"`([^`]+)`", entry)]
    said = [(text, where) for text, where in messages() if re.search(r"\w", text)]
    assert [(w, t) for t, w in said if not any(kind in t for kind in kinds)] == []
    assert [kind for kind in kinds if not any(kind in text for text, _ in said)] == []


def test_the_table_of_exit_codes_has_those_that_the_program_uses():
    page = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    used = {0}
    for node in (node for tree in trees() for node in ast.walk(tree)):
        name = getattr(node, "func", None)
        if getattr(name, "attr", getattr(name, "id", "")) in ("exit", "_exit", "SystemExit"):
            used |= {int(n) for n in re.findall(r"\b\d+\b", ast.unparse(node))}
        if isinstance(node, ast.Assign) and re.search(CODE, ast.unparse(node.targets[0])):
            used |= {int(n) for n in re.findall(r"\b\d+\b", ast.unparse(node.value))}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)} == used


def test_commands_that_print_json_are_listed():
    page = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"With `--json`, these[^:]*:([^.]*)\.", page)
    with_json = {
        command.prog
        for command, _ in commands(parser())
        if "--json" in command._option_string_actions
    }
    assert set(re.findall(r"`(mclas [^`]*)`", listed)) == with_json


def test_links_lead_to_pages_of_the_site_and_the_study_is_linked_once_it_is_there(
    tmp_path, monkeypatch
):
    def read(page: str) -> str:
        content = [""]
        site_pages.replace(None, page, content)  # pyright: ignore[reportArgumentType]
        return content[0]

    assert "](summarize.md#a-model-to-share)" in read("changelog")
    assert "](study-plan.md)" in read("changelog")
    assert "](index.md)" in read("README")
    assert "](../training.md)" in read("reference/commands")
    assert "| MCLAS |" in read("index")
    assert "](reproduce.md#without-a-gpu-a-hub-or-the-corpora)" in read("index")
    (tmp_path / "docs").mkdir()
    later = tmp_path / "docs" / "study.md"
    monkeypatch.setattr(site_pages, "LATER", later)
    monkeypatch.setattr(site_pages, "ROOT", tmp_path)
    monkeypatch.setattr(site_pages, "DOCS", tmp_path / "docs")
    (tmp_path / "docs" / "one.md").write_text("See [the study](study.md).")
    assert read("one") == "See the study."
    later.write_text("# Study")
    assert read("one") == "See [the study](study.md)."


class Page(HTMLParser):
    """The targets of a page's links, and the ids that links may lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given["id"]} if given.get("id") else set()
        self.links += [given[key] for key in ("href", "src") if given.get(key)]


@pytest.mark.slow
def test_the_site_is_made_without_a_warning_and_its_links_resolve(tmp_path):
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", DOCS, tmp_path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    assert "mclas" in (tmp_path / "searchindex.js").read_text(encoding="utf-8")
    assert "source_BS" in (tmp_path / "reference" / "api.html").read_text(encoding="utf-8")
    pages = {path.resolve(): Page(path) for path in tmp_path.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, f"{path.name}: {link}"
