"""Pages of the site that are made from the program: its commands, and its configuration."""

import argparse
import re
from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path

import yaml

from mclas_lightning.cli.main import parser
from mclas_lightning.files import CONF

Parser = argparse.ArgumentParser

WIDE = partial(argparse.HelpFormatter, width=88)

COMMANDS = """# Commands

Words that a command takes, as `--help` prints them. `mclas-train` and `mclas-evaluate` take words
for the keys of the [configuration](configuration.md), and are explained in
[Train and score](../training.md).
"""

CONFIGURATION = """# Configuration

Every key of `conf/`, and every file. A word on the command line sets a key
(`optim.encoder.lr=0.001`) or chooses the file of a group (`network=small`); `mclas-train --cfg job`
prints the result. `???` has to be given. `${...}` is the value of another key.
"""


GLOBAL = "# @package _global_\n"  # opens a file whose keys do not lie in its group

EXPLAINED = (
    "paper",
    "default",
    "_task",
    "jsonl",
)  # files whose comments explain their group's keys


def commands_page() -> str:
    """A section for every command of ``mclas``."""
    return COMMANDS + "".join(_command(*each) for each in commands(parser()))


def commands(of: Parser, help: str = "") -> Iterator[tuple[Parser, str]]:
    """The commands below ``of``, each with what it is for."""
    groups = [a for a in of._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield of, help
    for group in groups:
        for listed, inner in zip(group._choices_actions, group.choices.values(), strict=True):
            yield from commands(inner, listed.help or "")


def _command(command: Parser, help: str) -> str:
    command.formatter_class = WIDE
    usage = command.format_usage().removeprefix("usage: ")
    rows = [
        f"| {name} | {escape(command._get_formatter()._expand_help(action))} |\n"
        for action in command._actions
        if not isinstance(action, argparse._HelpAction)
        for name in [_name(action)]
    ]
    table = "".join(["\n| argument | meaning |\n|---|---|\n", *rows]) if rows else ""
    text = command.epilog or ""
    more = f"\n```text\n{text}\n```\n" if "\n" in text else f"\n{escape(text)}\n"
    what = escape(help[:1].upper() + help[1:])
    return f"\n## {command.prog}\n\n{what}.\n\n```text\n{usage}```\n{table}{more}"


def _name(action: argparse.Action) -> str:
    value = action.metavar or action.dest.upper()
    if action.choices is not None and action.metavar is None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    names = [f"`{name}`" for name in action.option_strings] or [f"`{value}`"]
    return ", ".join(names) + (f" `{value}`" if action.option_strings and action.nargs != 0 else "")


def escape(text: str) -> str:
    """``text`` with a backslash before markup, code apart, and a link for each page it names."""
    text = re.sub(r"([\\*_\[\]<>|{}$])", r"\\\1", text)
    return re.sub(r"docs/(\w+)\.md", r"[docs/\1](../\1.md)", text)


def configuration_page() -> str:
    """A section for every group of ``conf/``: its keys with their comments, and its files."""
    tops = [
        _file(path, f"## {path.name}", [path]) for path in sorted(CONF.glob("*.yaml"), reverse=True)
    ]
    groups = [_group(folder) for folder in sorted(CONF.iterdir()) if folder.is_dir()]
    return CONFIGURATION + "".join([*tops, *groups])


def _group(folder: Path) -> str:
    files = sorted(folder.glob("*.yaml"))
    table = "".join(
        f"| `{key}` | {escape(comment)} |\n" for key, comment in keys(files, folder.name).items()
    )
    head = f"\n## {folder.name}\n\n" + ("| key | meaning |\n|---|---|\n" + table if table else "")
    return head + "".join(_file(path, f"### {folder.name}={path.stem}", []) for path in files)


def _file(path: Path, title: str, keys_of: list[Path]) -> str:
    opening, rest = _opening(path.read_text(encoding="utf-8"))
    table = "".join(f"| `{key}` | {escape(text)} |\n" for key, text in keys(keys_of, "").items())
    table = f"| key | meaning |\n|---|---|\n{table}\n" if table else ""
    code = f"```yaml\n{rest.strip()}\n```\n" if rest.strip() else ""
    return f"\n{title}\n\n{escape(opening)}\n\n{table}{code}"


def _opening(text: str) -> tuple[str, str]:
    """The comment that a file opens with, and the rest of the file."""
    lines = text.removeprefix(GLOBAL).splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    return " ".join(line.removeprefix("# ") for line in lines[:end]), "\n".join(lines[end:])


def keys(files: list[Path], group: str) -> dict[str, str]:
    """The keys that ``files`` set, each with the comment of the first file that has one.

    A key without a comment is left out where the key above it has one.
    """
    found: dict[str, str] = {}
    for path in sorted(files, key=lambda path: path.stem not in EXPLAINED):
        text = path.read_text(encoding="utf-8")
        lines = _opening(text)[1].splitlines()
        of_group = "" if text.startswith(GLOBAL) else group
        for key, comment in _comments(yaml.compose("\n".join(lines)), lines, of_group):
            if not any(known.startswith(f"{key}.") for known in found):
                found[key] = found.get(key) or comment
    said = [key for key, comment in found.items() if comment]
    return {
        key: comment
        for key, comment in found.items()
        if comment or not any(key.startswith(f"{parent}.") for parent in said)
    }


def _comments(tree: yaml.Node | None, lines: list[str], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in tree.value if isinstance(tree, yaml.MappingNode) else ():
        if key.value in ("defaults", "help", "sweep", "job", "run", "output_subdir"):  # Hydra's own
            continue
        name = f"{prefix}.{key.value}".lstrip(".")
        comment, block = _comment(key, value, lines), _is_block(value)
        if comment or not block:
            yield name, comment
        if block:
            yield from _comments(value, lines, name)


def _is_block(value: yaml.Node) -> bool:
    """Whether ``value`` holds keys on lines of their own."""
    return isinstance(value, yaml.MappingNode) and not value.flow_style


def _comment(key: yaml.Node, value: yaml.Node, lines: list[str]) -> str:
    """The comment behind the value, or the lines of comment above the key."""
    end = key.end_mark if _is_block(value) else value.end_mark
    rest = lines[end.line][end.column :] if end.line < len(lines) else ""
    if behind := re.search(r"# (.*)", rest):
        return behind[1]
    above = takewhile(
        lambda line: line.startswith("# "), map(str.strip, reversed(lines[: key.start_mark.line]))
    )
    return " ".join(reversed([line.removeprefix("# ") for line in above]))
