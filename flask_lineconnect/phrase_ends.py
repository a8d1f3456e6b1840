"""Where Japanese lines may end: between phrases, by the rules of BudouX."""

from __future__ import annotations

import re
from functools import cache
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budoux import Parser

#: Words and numbers of Latin letters are one, whatever the rules for Japanese say of them.
_INSIDE_WORD = re.compile(r"[\w.,:/@%+-]\Z", re.ASCII), re.compile(r"\A[\w.,:/@%+-]", re.ASCII)


@lru_cache(maxsize=512)
def split(text: str) -> tuple[str, ...]:
    """Return the phrases of a sentence; joined they are the sentence."""
    found: list[str] = []
    for phrase in _parser().parse(text):
        before, after = _INSIDE_WORD
        if found and before.search(found[-1]) and after.search(phrase):
            found[-1] += phrase
        else:
            found.append(phrase)
    return tuple(found)


@cache
def _parser() -> Parser:
    # With the first sentence that needs it.
    import budoux

    return budoux.load_default_japanese_parser()
