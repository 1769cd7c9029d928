"""Debian's stanza format, deb822(5): apt's sources and indexes are written in it.

python-debian is no replacement: it is under the GPL, and this project under the MIT license.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

Stanza = dict[str, str]


def stanzas(lines: Iterable[str]) -> Iterator[Stanza]:
    """Stream the stanzas of ``lines`` as lower-cased field name -> value, of one or more lines.

    A stanza with a line that is neither a field nor the continuation of one comes out empty.
    """
    stanza: Stanza = {}
    name, broken = "", False
    for line in chain(lines, [""]):  # the blank line closes the last stanza
        text = line.rstrip()
        if not text:
            if stanza or broken:
                yield {} if broken else stanza
            stanza, name, broken = {}, "", False
        elif text[0].isspace():
            if name:
                stanza[name] += "\n" + text
            else:
                broken = True
        elif text[0] != "#":
            name, colon, value = text.partition(":")
            name, broken = name.lower(), broken or not colon
            stanza[name] = value.strip()
