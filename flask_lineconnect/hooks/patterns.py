"""Refuses regular expressions that a text of a customer's can keep busy without end.

A repetition inside a repetition, as in ``(a+)+``, or alternatives that can begin alike inside one,
as in ``(a|ab)*``, let the time grow exponentially with the text.
Source: OWASP, "Regular expression Denial of Service"; RFC 9485, security considerations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Python's own parser of patterns; no public module gives the parsed form.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ..errors import UsageError

#: A repetition that may go on longer than this counts as endless.
LONG = 50
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}
#: Possessive and atomic parts give nothing back, so they can't be tried again and again.
_SAFE = {getattr(codes, "POSSESSIVE_REPEAT", None), getattr(codes, "ATOMIC_GROUP", None)}


def check_pattern(pattern: re.Pattern[str]) -> None:
    """Go on only with a pattern whose work is bounded.

    :raises UsageError: it can backtrack without end.
    """
    if _is_risky(parser.parse(pattern.pattern, pattern.flags), inside=False):
        raise UsageError(
            f"the pattern {pattern.pattern!r} can take for ever on some texts: it repeats what "
            "repeats itself, or alternatives that begin alike; write it without, or with a "
            "possessive quantifier such as `a++`"
        )


def _is_risky(parsed: Any, *, inside: bool) -> bool:
    return any(_is_risky_part(code, value, inside=inside) for code, value in parsed)


def _is_risky_part(code: Any, value: Any, *, inside: bool) -> bool:
    if code in _SAFE:
        return False
    if code in _REPEATS:
        lowest, highest, body = value
        is_endless = highest - lowest > LONG
        return (inside and is_endless) or _is_risky(body, inside=inside or is_endless)
    if code is codes.BRANCH:
        alternatives = value[1]
        begin_alike = inside and _begin_alike(alternatives)
        return begin_alike or any(_is_risky(one, inside=inside) for one in alternatives)
    return any(_is_risky(part, inside=inside) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """Yield what is nested in a group, an assertion or a conditional."""
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)


def _begin_alike(alternatives: Any) -> bool:
    """Tell whether two alternatives may begin with the same character; in doubt, they may."""
    beginnings = [_beginning(one) for one in alternatives]
    if any(beginning is None for beginning in beginnings):
        return True
    return len(set(beginnings)) < len(beginnings)


def _beginning(alternative: Any) -> int | None:
    if len(alternative) == 0:
        return None
    code, value = alternative[0]
    return value if code is codes.LITERAL else None
