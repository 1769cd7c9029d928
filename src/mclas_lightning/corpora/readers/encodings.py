"""The encoding of a file, UTF-8 or GB18030; a file that mixes both is refused."""

from pathlib import Path

from mclas_lightning.errors import InputError, clear_when_unreadable

SAMPLE_BYTES = 2**16  # bytes at the beginning of a file, by which its encoding is chosen

_ASCII = bytes(range(128))

# The fewest non-ASCII bytes by which valid UTF-8 counts as UTF-8. Of GB18030 texts with as many,
# fewer than one in 10^11 is valid UTF-8 by chance; half of all UTF-8 texts or more are valid
# GB18030 without a sense.
_TELLING = 32


def decode(raw: bytes, encoding: str, path: Path, number: int) -> str:
    """The text of ``raw``, whose first line is line ``number``; InputError for another encoding."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = None
    if text is not None and not (encoding != "utf-8" and _holds_utf8(raw)):
        return text
    lines = raw.split(b"\n")
    wrong = next((i for i, line in enumerate(lines) if not _decodes(line, encoding)), None)
    if wrong is None:
        wrong = next((i for i, line in enumerate(lines) if _holds_utf8(line)), 0)
    raise InputError(
        f"{path}:{number + wrong}: not in {encoding.upper()} as the lines before it; the file is "
        f"damaged or mixes encodings; get it again, or convert it"
    )


def encoding_of(path: Path) -> str:
    """``gb18030`` where most of the text at a file's beginning is no UTF-8, else ``utf-8``.

    InputError where the file cannot be read.
    """
    with clear_when_unreadable(path), path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    lines = sample[: sample.rfind(b"\n") + 1].split(b"\n")
    num_bytes = {True: 0, False: 0}
    for line in lines:
        num_bytes[_decodes(line, "utf-8")] += _non_ascii(line)
    return "gb18030" if num_bytes[False] > num_bytes[True] else "utf-8"


def _holds_utf8(raw: bytes) -> bool:
    return any(
        _non_ascii(line) >= _TELLING and _decodes(line, "utf-8") for line in raw.split(b"\n")
    )


def _non_ascii(line: bytes) -> int:
    """The number of bytes that are not ASCII."""
    return len(line.translate(None, _ASCII))


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
