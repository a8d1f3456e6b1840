"""What a check is, and what it says: one sentence with the mend, and never a secret."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .visit import Visit

#: ``wrong``: something does not work. ``doubtful``: it works, and most shops want it otherwise.
#: ``unasked``: LINE, the database or the shop's address did not answer, so nobody knows.
#: ``untold``: no API of LINE's tells; who owns the account has to look.
State = Literal["wrong", "doubtful", "unasked", "untold", "fine"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one check says.

    :ivar text: what is seen.
    :ivar mend: what to do; empty where there is nothing to do.
    """

    state: State
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, by its name in the documentation.

    :ivar look: answers it; ``None`` where it does not arise.
    :ivar asks: whether it goes out to LINE, or to the shop's own public address.
    """

    name: str
    look: Callable[[Visit], Said | None]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check.

    :ivar family: the subject that the check belongs to.
    """

    family: str
    check: str
    state: State
    text: str
    mend: str = ""


def fine(text: str) -> Said:
    """Say that all is as it should be."""
    return Said("fine", text)


def wrong(text: str, mend: str) -> Said:
    """Say that something does not work."""
    return Said("wrong", text, mend)


def doubtful(text: str, mend: str) -> Said:
    """Say that something works, and is seldom meant."""
    return Said("doubtful", text, mend)


def unasked(text: str, mend: str) -> Said:
    """Say that there was no answer."""
    return Said("unasked", text, mend)


def untold(text: str, mend: str) -> Said:
    """Say that LINE's API does not tell."""
    return Said("untold", text, mend)


def worst(findings: Sequence[Finding]) -> State:
    """Return the state that speaks for all: what is wrong first, then what nobody knows."""
    states: tuple[State, ...] = ("wrong", "unasked", "doubtful", "untold")
    found = {finding.state for finding in findings}
    return next((state for state in states if state in found), "fine")


def plain_address(url: object) -> str:
    """Return an address without what may be somebody's secret."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "") if host else ""
