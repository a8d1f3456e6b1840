"""What a change had to say, kept in the session for the page that follows it."""

from __future__ import annotations

from typing import TypedDict

from flask import flash
from flask import session
from flask import url_for

_SAID = "_lineconnect_said"


class Said(TypedDict):
    """A sentence, and whether it tells of a problem."""

    text: str
    is_problem: bool


def say(text: str, *, is_problem: bool = False) -> None:
    """Let the next of our pages inside LINE say something."""
    session[_SAID] = Said(text=text, is_problem=is_problem)


def say_at(target: str, text: str) -> None:
    """Let the page to which somebody is led say something: ours, or by ``flash`` the shop's."""
    if target.startswith(url_for("lineconnect.card")):
        say(text)
    else:
        flash(text)


def take_said() -> Said | None:
    """Return what is to be said, once."""
    said: Said | None = session.pop(_SAID, None)
    return said
