"""Which language a summary is in: by script for Chinese, by py3langid for the rest.

A system that writes two languages with one decoder can write the wrong one. A summary is short and
full of names, and is sometimes taken for another language; so this share is only to be read beside
the same share of the references, which shows how far the identifier errs on such text. The verdict
on a text depends on the language that it should be in, and on no other language of its corpus.
"""

import math
from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

import regex

from mclas_lightning.errors import InputError, one_of
from mclas_lightning.metrics.tokens import tokens

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Half of the tokens. A run of other letters counts once, like a Han character: a Chinese sentence
# on software keeps its long Latin names, so most of its letters, but not its tokens, may be Latin.
HAN_SHARE = 0.5

# Of Han characters and kana: Japanese has far more of them, Chinese may quote a name in kana.
KANA_SHARE = 0.05

# Written in Chinese characters alone; script does not tell them apart.
CHINESE = frozenset({"wuu", "yue", "zh"})

# The languages of common corpora compete for a text with the one that it should be in, whatever the
# pair is. With all that py3langid knows, more than twice as many short English texts go astray.
_COMPETITORS = (
    "am ar bn cs de el en es fa fr gu he hi id it ja km ko mr my ne nl pa pl pt ru si so sw ta te "
    "th tr uk ur vi yo"
)

COMPETITORS = frozenset(_COMPETITORS.split())

# How much likelier another language must be: headlines of names are as likely in several.
ODDS = 100

# What py3langid knows; its model would take 0.7 s and 100 MB to say so.
_CODES = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu "
    "ext fa fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is "
    "it ja jv ka kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my "
    "ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn so sq sr st sv sw "
    "ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu zxx"
)

LANGUAGES = _CODES.split()

_HAN = regex.compile(r"\p{Han}")

_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")


def share_in_wrong_language(texts: Iterable[str], expected: str) -> float:
    """The share of ``texts`` that are not in ``expected`` but clearly in another language.

    Languages are ISO 639 codes. A text without letters, such as an empty one, is in no language and
    is not counted; a share of no texts is 0.
    """
    is_right = _test_for(expected)
    right = [is_right(text) for text in texts if any(map(str.isalpha, text))]
    return right.count(False) / len(right) if right else 0.0


def is_chinese(text: str) -> bool:
    """At least half of the tokens of ``text``, numbers aside, are Han characters; few are kana.

    Traditional and simplified characters are both Chinese.
    """
    words = [token for token in tokens(text) if not token.isdecimal()]
    han = sum(bool(_HAN.match(word)) for word in words)
    kana = sum(bool(_KANA.match(word)) for word in words)
    return bool(words) and han >= HAN_SHARE * len(words) and kana <= KANA_SHARE * (han + kana)


def check_language(language: str, what: str = "language") -> None:
    """InputError for a code that is not one of a language we can recognize."""
    if language in LANGUAGES:
        return
    without_region = regex.split("[-_]", language.lower())[0]  # of zh-CN, pt_BR, EN
    if without_region in LANGUAGES:
        raise InputError(
            f"{what} '{language}' does not exist; did you mean '{without_region}'? "
            f"expected an ISO 639-1 code in small letters, without a region or script"
        )
    raise one_of(what, language, LANGUAGES, "all: mclas score --help")


def _test_for(expected: str) -> Callable[[str], bool]:
    check_language(expected)
    if expected in CHINESE:
        return is_chinese
    identifier = copy(_identifier())  # restricted below; a copy, so the next call starts with all
    identifier.set_languages(COMPETITORS | {expected})

    def is_right(text: str) -> bool:
        if is_chinese(text):
            return False
        log_p = dict(identifier.rank(text))
        return max(log_p.values()) - log_p[expected] <= math.log(ODDS)

    return is_right


@cache
def _identifier() -> "LanguageIdentifier":
    """One of our own, not py3langid's global one; loading it takes 0.7 s."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
