"""Language identification of summaries: by script for Chinese, by py3langid for the others.

A system that writes two languages with one decoder can write the wrong one. A summary is short and
full of names, so that it is sometimes taken for another language. The share of summaries in the
wrong language is therefore read beside the share of references, which is the identifier's error.
The verdict on a text depends on its expected language, and on no other language of the corpus.
"""

import math
from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

import regex

from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.metrics.tokens import tokens

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# The least share of Han characters among the tokens of a Chinese text. Tokens and not letters are
# counted, because a Chinese sentence on software may have more letters in long Latin names.
HAN_SHARE = 0.5

# The largest share of kana among Han characters and kana in a Chinese text, which may quote a name
# in kana. Japanese has far more.
KANA_SHARE = 0.05

# Languages in Chinese characters alone, which script does not tell apart.
CHINESE_LANGUAGES = frozenset({"wuu", "yue", "zh"})

# The languages that compete with the expected one: those of common corpora. With all of py3langid's
# languages, more than twice as many short English texts are taken for another language.
_COMPETITORS = (
    "am ar bn cs de el en es fa fr gu he hi id it ja km ko mr my ne nl pa pl pt ru si so sw ta te "
    "th tr uk ur vi yo"
)

COMPETITORS = frozenset(_COMPETITORS.split())

# How much likelier another language must be for a text to be in the wrong one. Headlines that are
# mostly names are about as likely in several languages.
WRONG_LANGUAGE_ODDS = 100

# The languages of py3langid's model, which takes 0.7 s and 100 MB to load.
_CODES = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu "
    "ext fa fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is "
    "it ja jv ka kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my "
    "ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn so sq sr st sv sw "
    "ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu zxx"
)

KNOWN_LANGUAGES = _CODES.split()

_HAN = regex.compile(r"\p{Han}")

_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")


def share_in_wrong_language(texts: Iterable[str], expected: str) -> float:
    """The share of ``texts`` that are not in ``expected`` but clearly in another language.

    ``expected`` is an ISO 639 code. A text without letters is not counted. A share of no texts is
    0.
    """
    is_right = language_test(expected)
    right = [is_right(text) for text in texts if any(map(str.isalpha, text))]
    return right.count(False) / len(right) if right else 0.0


def is_chinese(text: str) -> bool:
    """Whether at least half of the tokens, numbers aside, are Han characters, and few are kana.

    Traditional and simplified characters are both Chinese.
    """
    words = [token for token in tokens(text) if not token.isdecimal()]
    han = sum(bool(_HAN.match(word)) for word in words)
    kana = sum(bool(_KANA.match(word)) for word in words)
    return bool(words) and han >= HAN_SHARE * len(words) and kana <= KANA_SHARE * (han + kana)


def check_language(language: str, what: str = "language") -> None:
    """InputError for a code of no language that can be identified."""
    if language in KNOWN_LANGUAGES:
        return
    without_region = regex.split("[-_]", language.lower())[0]  # of zh-CN, pt_BR, EN
    if without_region in KNOWN_LANGUAGES:
        raise InputError(
            f"{what} '{language}' is not supported; did you mean '{without_region}'? "
            f"expected an ISO 639-1 code in small letters, without a region or script"
        )
    listed, state = "all: mclas score --help", "is not supported"
    raise unknown_choice(what, language, KNOWN_LANGUAGES, listed, state)


def language_test(expected: str) -> Callable[[str], bool]:
    """A function that says of a text with letters whether it may be in ``expected``.

    Making it takes longer than a call of it.
    """
    check_language(expected)
    if expected in CHINESE_LANGUAGES:
        return is_chinese
    identifier = copy(_identifier())  # A copy, because set_languages would change the cached one.
    identifier.set_languages(COMPETITORS | {expected})

    def is_right(text: str) -> bool:
        if is_chinese(text):
            return False
        log_p = dict(identifier.rank(text))
        return max(log_p.values()) - log_p[expected] <= math.log(WRONG_LANGUAGE_ODDS)

    return is_right


@cache
def _identifier() -> "LanguageIdentifier":
    """An identifier of all languages, apart from py3langid's global identifier."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
