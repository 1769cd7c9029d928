"""UTF-8 or GB18030, and never both in one file."""

from pathlib import Path

from mclas_lightning.errors import InputError

SAMPLE = 2**16  # bytes whose encoding is tried

_ASCII = bytes(range(128))

# Other bytes of a text that is taken for UTF-8. Of GB18030 texts this long, fewer than one in 10^11
# is valid UTF-8 by chance; of UTF-8 texts, half or more are valid, and senseless, GB18030.
_TELLING = 32


def decode(raw: bytes, encoding: str, path: Path, number: int) -> str:
    """The text of lines that begin at line ``number``; InputError where they are not in it."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = None
    if text is not None and not (encoding != "utf-8" and _holds_utf8(raw)):
        return text
    lines = raw.split(b"\n")
    wrong = next((i for i, line in enumerate(lines) if not _is(line, encoding)), None)
    if wrong is None:
        wrong = next((i for i, line in enumerate(lines) if _holds_utf8(line)), 0)
    raise InputError(
        f"{path}:{number + wrong}: not in {encoding.upper()} as the lines before it; the file is "
        f"damaged or mixes encodings; get it again, or convert it"
    )


def encoding_of(path: Path) -> str:
    """GB18030 where most of the text at the beginning of the file is not UTF-8."""
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    lines = sample[: sample.rfind(b"\n") + 1].split(b"\n")
    num_bytes = {True: 0, False: 0}
    for line in lines:
        num_bytes[_is(line, "utf-8")] += _num_other(line)
    return "gb18030" if num_bytes[False] > num_bytes[True] else "utf-8"


def _holds_utf8(raw: bytes) -> bool:
    return any(_num_other(line) >= _TELLING and _is(line, "utf-8") for line in raw.split(b"\n"))


def _num_other(line: bytes) -> int:
    """Bytes that are not ASCII."""
    return len(line.translate(None, _ASCII))


def _is(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
