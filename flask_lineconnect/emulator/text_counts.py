"""How LINE counts characters: UTF-16 units mostly, grapheme clusters in labels and templates.

Source: Messaging API documentation, "Character counting in a text".
"""

from __future__ import annotations

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"


def utf16_units(text: str) -> int:
    """Return the number of UTF-16 code units; most emoji are two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> int:
    """Return the number of what a reader takes for one character.

    Covers marks, emoji sequences, flags and Hangul syllables; not the rarer rules of Unicode's
    annex 29, which need its tables.
    """
    count, previous, flags = 0, "", 0
    for letter in text:
        is_flag = "\U0001f1e6" <= letter <= "\U0001f1ff"
        joined = (
            _extends(letter)
            or previous == _ZERO_WIDTH_JOINER
            or (previous == "\r" and letter == "\n")
            or (is_flag and flags % 2 == 1)
            or _is_same_syllable(previous, letter)
        )
        if not joined or not previous:
            count += 1
        flags = flags + 1 if is_flag else 0
        previous = letter
    return count


def _extends(letter: str) -> bool:
    return (
        letter == _ZERO_WIDTH_JOINER
        or unicodedata.category(letter) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= letter <= "\U0001f3ff"  # skin colours
        or "\U000e0020" <= letter <= "\U000e007f"  # tags, of the flags of England and so on
        or letter in "\uff9e\uff9f"  # half-width voicing marks, as in ｶﾞ
    )


def _is_same_syllable(previous: str, letter: str) -> bool:
    """Tell whether two Hangul letters form one syllable."""
    leads = "\u1100" <= previous <= "\u115f"
    is_vowel, is_tail = "\u1160" <= letter <= "\u11a7", "\u11a8" <= letter <= "\u11ff"
    after_syllable = "\uac00" <= previous <= "\ud7a3" or "\u1160" <= previous <= "\u11ff"
    return (leads and ("\u1100" <= letter <= "\u115f" or is_vowel)) or (
        after_syllable and (is_tail or (is_vowel and "\u1160" <= previous <= "\u11a7"))
    )
