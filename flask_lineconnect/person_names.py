"""Names of people as they are shown.

Everybody names themselves in LINE as they like: by signs that nobody can see, by none at all, or by
some that turn around the text in which the name stands. Source: Unicode Standard Annex 9,
"Unicode Bidirectional Algorithm"; Unicode 16, property ``Default_Ignorable_Code_Point``.
"""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup

#: Longest name that is shown, in characters; LINE takes 20.
MAX_SHOWN = 100
#: Marks above and below one letter; Thai and Vietnamese need three.
MAX_MARKS = 5
#: Directs the text around it: marks, embeddings, overrides, isolates.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: Shows nothing and is needed by nothing; joiners of emoji and of some scripts are not among it.
_IDLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r"(\s)\s+")
#: Letters and symbols that are drawn as a blank.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0\U0001d159\U00013441\U00013442"
_BLANK_ENDS = re.compile(f"^[\\s{_BLANK}]+|[\\s{_BLANK}]+$")
#: What may be newer than Python's tables: pictures.
_PICTURES = range(0x1F000, 0x1FC00)
#: Classes of signs that are written from the right. Source: Annex 9, table 4.
_FROM_THE_RIGHT = {"R", "AL", "AN"}


def shown_name(name: str | None) -> str:
    """Return a name as it can be read, on one line; an empty one if there is nothing to see."""
    text = _IDLE.sub("", _CONTROLS.sub(" ", name or ""))
    text = _BLANK_ENDS.sub("", _SPACES.sub(r"\1", _with_few_marks(text)))
    if not any(map(_is_seen, text)):
        return ""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def isolated(name: str | None, *, stand_in: str = "") -> str:
    """Return a name for a text that is no HTML; it turns nothing around it.

    :param stand_in: for a name that nobody can see.
    """
    shown = shown_name(name) or stand_in
    return f"\u2068{shown}\u2069" if _needs_isolation(name or "") and shown else shown


class Name(str):
    """A name for a page: its text, and in HTML an element of its own direction where it needs one.

    :param stand_in: for a name that nobody can see.
    :ivar stands_in: whether that is what is shown.
    """

    __slots__ = ("_is_apart", "stands_in")

    stands_in: bool
    _is_apart: bool

    def __new__(cls, name: str | None, stand_in: str = "") -> Name:
        """Make the name of what somebody is called."""
        shown = shown_name(name)
        made = super().__new__(cls, shown or stand_in)
        made.stands_in = not shown
        made._is_apart = bool(shown) and _needs_isolation(name or "")
        return made

    @property
    def initial(self) -> str:
        """The sign that stands for somebody without a picture."""
        return "?" if self.stands_in else self[0]

    def __html__(self) -> Markup:
        """Return it as HTML."""
        text = Markup.escape(str.__str__(self))
        return Markup("<bdi>{}</bdi>").format(text) if self._is_apart else text


def _with_few_marks(text: str) -> str:
    kept, marks = [], 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign) in {"Mn", "Me"} else 0
        if marks <= MAX_MARKS:
            kept.append(sign)
    return "".join(kept)


def _is_seen(sign: str) -> bool:
    category = unicodedata.category(sign)
    if category == "Cn":
        return ord(sign) in _PICTURES
    return category[0] not in "CMZ" and sign not in _BLANK


def _needs_isolation(name: str) -> bool:
    is_turned = any(unicodedata.bidirectional(sign) in _FROM_THE_RIGHT for sign in name)
    return is_turned or _DIRECTIONS.search(name) is not None
