"""One rule for what people type: which signs are the same to them, whatever their keyboard gave.

Forms, hooks and searches use it alike; ``tests/test_folding.py`` is its table. Japanese keyboards
give a number's hyphen as a minus sign, a dash or the long vowel mark; telephones copy numbers with
invisible marks around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

#: Unicode leaves these alone where it folds widths; to whoever types a number, they are hyphens.
#: Source: Unicode Standard, section 6.2, table 6-3 (dash characters), and the box-drawing lines
#: that Japanese keyboards offer beside them.
_HYPHENS = "‐‑‒–—―⁃−─━➖⸺⸻〡"
#: As many signs for 「から」, which look the same.
_WAVES = "〜∼∽⁓〰"
_LONG_VOWEL = "ー"
_SIGNS = str.maketrans({**dict.fromkeys(_HYPHENS, "-"), **dict.fromkeys(_WAVES, "~")})
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
#: Neither ASCII nor kana nor kanji: digits of other scripts and marks that can't be seen are here.
_RARE = re.compile("[^\u0000-\u007f\u3040-\u30ff\u4e00-\u9fff]")
#: Between figures or Latin letters, no vowel is long: 「K−12」, 「10ー20」.
_NO_VOWEL = re.compile(r"(?<=[0-9A-Za-z])ー(?=[0-9A-Za-z])")
#: What parts the digits of a telephone number. Source: ITU-T E.123, section 5, and use in Japan.
_PHONE_SIGNS = re.compile(r"[-~ー\s().,/・]+")
_TRUNK_ZERO = re.compile(r"\(0\)")
_PHONE = re.compile(r"\+?[0-9]+")
#: Money's, before or behind the number, and what is counted.
_UNITS = re.compile(
    r"^((nt|us|hk)?\$|[¥\\฿₩€£])|(円|元|圓|บาท|원|ポイント|点|個|pt|pts|p)$", re.IGNORECASE
)
_AMOUNT_SIGNS = re.compile(r"[\s,、'_]+")
_CODE_SIGNS = re.compile(r"[-ー\s]+")
#: One sign of a pattern, or an escaped one.
_TOKEN = re.compile(r"\\.|.", re.DOTALL)


def fold_text(text: str) -> str:
    """Return a text in one spelling of its signs: widths, hyphens, waves, digits, blanks.

    Letters keep their case; full-width and half-width ones, and digits of any script, are ordinary
    ones. Ends are stripped, and blanks inside become one.
    """
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isascii():
        plain = _NO_VOWEL.sub("-", _RARE.sub(_ordinary, plain).translate(_SIGNS))
    return " ".join(plain.split())


def fold_for_search(text: str) -> str:
    """Return a text as texts are compared: as :func:`fold_text`, and case doesn't count."""
    return fold_text(unicodedata.normalize("NFKC", text).casefold())


def fold_phone(text: str) -> str:
    """Return a telephone number as it is stored: digits, and a plus before a country's number.

    What is no number comes back as it was, folded, for the form to refuse.
    """
    folded = fold_text(text)
    bare = re.sub(r"^(tel|電話)?[:.]?\s*", "", folded, flags=re.IGNORECASE)
    if bare.startswith("+"):
        bare = _TRUNK_ZERO.sub("", bare)
    digits = _PHONE_SIGNS.sub("", bare)
    return digits if _PHONE.fullmatch(digits) else folded


def fold_postal_code(text: str) -> str:
    """Return a postal code as it is stored: its digits.

    What is none comes back as it was, folded, for the form to refuse.
    """
    folded = fold_text(text)
    digits = _CODE_SIGNS.sub("", folded.removeprefix("〒"))
    return digits if digits.isdecimal() else folded


def fold_code(text: str) -> str:
    """Return a card's number, a coupon's or an order's code: plain signs, without any blank."""
    return "".join(fold_text(text).split())


def fold_digits(text: str) -> str:
    """Return the digits of a number, such as a card's, and nothing else."""
    return "".join(filter(str.isdecimal, fold_text(text)))


def fold_amount(text: str) -> str:
    """Return a whole number as ``int`` reads it, without the commas, blanks and units around it.

    Of an amount with a decimal point the point stays, as ``Decimal`` reads it.
    """
    return _AMOUNT_SIGNS.sub("", _UNITS.sub("", fold_text(text).strip()))


def fold_day(text: str) -> str:
    """Return a day as ISO 8601 writes it, if its year comes first; otherwise the folded text."""
    folded = fold_text(text)
    parts = re.fullmatch(r"(\d{4})[-/.年 ]{1,2}(\d{1,2})[-/.月 ]{1,2}(\d{1,2})日?", folded)
    if parts is None:
        parts = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", folded)
    if parts is None:
        return folded
    year, month, day = parts.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def fold_email(text: str) -> str:
    """Return an e-mail address with full-width signs as ordinary ones, and nothing else changed.

    Only those: other folding would make one mailbox's address of another's.
    """
    return text.translate(_FULL_WIDTH).strip()


def fold_pattern(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern that finds in folded texts what it would have found in the typed ones.

    Its own hyphens and waves are folded, its case doesn't count, and a long vowel mark in it also
    finds a hyphen.
    """
    return re.compile("".join(_folded_parts(pattern.pattern)), pattern.flags | re.IGNORECASE)


def _folded_parts(source: str) -> Iterator[str]:
    is_class = False
    for token in _TOKEN.finditer(source):
        sign = token[0]
        if len(sign) == 2 and not sign.isascii():
            # Escaped without need; what it becomes has its own backslash.
            sign = sign[1]
        if sign in "[]":
            is_class = sign == "["
        yield _folded_sign(sign, source[token.end() : token.end() + 1], is_class=is_class)


def _folded_sign(sign: str, following: str, *, is_class: bool) -> str:
    if sign.isascii():
        return sign
    if sign == _LONG_VOWEL:
        if is_class:
            return sign if following == "-" else rf"{sign}\-"
        return rf"[{sign}\-]"
    plain = fold_text(sign)
    if len(plain) != 1 or plain == sign:
        return sign
    return re.escape(plain) if plain.isascii() else plain


def _ordinary(found: re.Match[str]) -> str:
    """Return the ordinary digit of one in any script, and nothing of a sign that can't be seen."""
    sign = found[0]
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    # Joiners make one emoji of several, and Indic letters; they stay.
    return "" if category == "Cf" and sign not in "\u200c\u200d" else sign
