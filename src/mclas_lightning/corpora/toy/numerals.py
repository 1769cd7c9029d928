"""Numbers as news in each language writes them.

num2words cannot be used here: it is under the LGPL, and this project under the MIT license.
"""

ENGLISH = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
]  # fmt: skip

GERMAN = [
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
    "elf", "zwölf",
]  # fmt: skip

CHINESE = "零一两三四五六七八九十"

# A number with its unit in English, German and Chinese.
UNIT_PHRASES = {
    "": ("{}", "{}", "{}"),
    "percent": ("{} percent", "{} Prozent", "{}%"),
    "meter": ("{} meters", "{} Meter", "{}米"),
}


def english(n: int) -> str:
    """A whole number in English: ``three``, ``1,200``."""
    return ENGLISH[n] if n < len(ENGLISH) else f"{n:,}"


def german(n: int) -> str:
    """A whole number in German: ``drei``, ``1.200``; ``Noun.phrase`` inflects ``ein``."""
    return GERMAN[n] if n < len(GERMAN) else f"{n:,}".replace(",", ".")


def chinese(n: int) -> str:
    """A number in Chinese before a measure word: ``三``, ``1200``, ``1.2万``; two is ``两``."""
    return CHINESE[n] if n < len(CHINESE) else chinese_myriads(n)


def chinese_myriads(n: float) -> str:
    """A number in Chinese digits, large ones in units of 万 (10^4) and 亿 (10^8)."""
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if n >= size:
            return f"{n / size:g}{unit}"
    return f"{n:g}"


def english_euros(euros: int) -> str:
    """An amount in English: ``40,000 euros``, ``3.5 million euros``."""
    for unit, size in (("billion", 10**9), ("million", 10**6)):
        if euros >= size:
            return f"{euros / size:g} {unit} euros"
    return f"{euros:,} euros"


def german_euros(euros: int) -> str:
    """An amount in German: ``40.000 Euro``, ``3,5 Millionen Euro``, ``1 Million Euro``."""
    for one, many, size in (("Milliarde", "Milliarden", 10**9), ("Million", "Millionen", 10**6)):
        if euros >= size:
            unit = one if euros == size else many
            return f"{german_decimal(euros / size)} {unit} Euro"
    return f"{german(euros)} Euro"


def german_decimal(x: float) -> str:
    """A decimal number in German: ``3,5``."""
    return f"{x:g}".replace(".", ",")
