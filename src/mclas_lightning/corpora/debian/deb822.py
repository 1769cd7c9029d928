"""Debian's stanza format, deb822(5), in which apt's sources and indexes are written.

python-debian cannot be used here: it is under the GPL, and this project under the MIT license.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

Stanza = dict[str, str]


def stanzas(lines: Iterable[str]) -> Iterator[Stanza]:
    """The stanzas of ``lines``: lower-cased field name -> value, which may have several lines.

    A stanza is empty where one of its lines is neither a field nor the continuation of a field.
    """
    stanza: Stanza = {}
    name, broken = "", False
    for line in chain(lines, [""]):  # The blank line closes the last stanza.
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
