"""Debian's archive among the machine's apt sources, in both formats of sources.list(5)."""

import re
from collections.abc import Iterator
from pathlib import Path

from mclas_lightning.corpora.debian.deb822 import Stanza, stanzas
from mclas_lightning.errors import InputError

ETC = Path("/etc/apt")

ONE_LINE = re.compile(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)")


def debian_source(etc: Path) -> Stanza:
    """The stanza of Debian's main archive in the apt sources below ``etc``; InputError for none."""
    for source in _sources(etc):
        if _is_debian(source):
            return source
    raise InputError(
        f"{etc}: no entry for Debian's main archive in the apt sources (is this Ubuntu?); build "
        "the debian corpus on a Debian machine or in a Debian container"
    )


def _is_debian(source: Stanza) -> bool:
    """Whether a source is Debian's own archive; others named debian have a key of their own."""
    uri, key = source.get("uris", "").lower(), source.get("signed-by", "")
    ours = not key or "debian-archive" in key or "debian.org" in uri
    return (
        "deb" in source.get("types", "").split()
        and "main" in source.get("components", "").split()
        and source.get("enabled", "yes").lower() not in ("no", "false", "0")
        and "debian" in uri
        and "security" not in uri
        and ours
    )


def _sources(etc: Path) -> Iterator[Stanza]:
    """Every entry of the machine's apt sources."""
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        yield from stanzas(_lines(path))
    for path in (etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))):
        entries = map(ONE_LINE.match, _lines(path) if path.exists() else [])
        yield from (_stanza(entry) for entry in entries if entry)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _stanza(entry: re.Match[str]) -> Stanza:
    """An entry of one line as a stanza; its options have the field names of a stanza."""
    options, uri, suite, components = entry.groups(default="")
    pairs = (option.partition("=") for option in options.split())
    fields = {name.lower(): value for name, _, value in pairs}
    return fields | {"types": "deb", "uris": uri, "suites": suite, "components": components}
