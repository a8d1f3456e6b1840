"""Members: look for them, filter them, take the list as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response
from flask import request

from ..marketing.segments import audience
from ..marketing.segments.errors import InvalidRule
from ..state import LineState
from ..state import current_line
from . import figures
from .audit import note
from .csv_files import csv_answer
from .i18n import gettext as _
from .names import initial
from .pages import render
from .people_list import Person
from .people_list import Wanted
from .people_list import all_of
from .people_list import page_of

#: Segments that are offered as chips; all others are on their own page.
CHIPS = 8


def people() -> str:
    """List members."""
    line, wanted = current_line, _wanted()
    found: list[Person] = []
    problem, after = "", None
    try:
        found, after = page_of(line, wanted, after=request.args.get("after"))
    except InvalidRule as error:
        problem = error.message
    return render(
        "people",
        people=found,
        after=after,
        wanted=wanted,
        problem=problem,
        shows=_shows(),
        segments=_segments(line, wanted),
        counts=figures.people_now(line),
        initial=initial,
        is_first=request.args.get("after") is None,
    )


def people_csv() -> Response:
    """Return the members of the list as a file."""
    line, wanted = current_line, _wanted()
    note("exported", subject="people")
    line.session.commit()
    header = [
        _("会員番号"),
        _("名前"),
        _("カード番号"),
        _("LINE"),
        _("連携した日時"),
        _("きっかけ"),
    ]
    return csv_answer(_("会員一覧"), header, _rows(line, wanted))


def _rows(line: LineState, wanted: Wanted) -> Iterator[list[Any]]:
    words = _shows()
    for one in all_of(line, wanted):
        account = one.account
        state = "unlinked" if account is None else "linked"
        if account is not None and account.is_friend is False:
            state = "blocked"
        linked = [None, None] if account is None else [account.linked_at, account.link_source]
        yield [one.key, one.name, one.number.replace(" ", ""), words[state], *linked]


def _wanted() -> Wanted:
    args = request.args
    return Wanted.of(args.get("q", ""), args.get("show", ""), args.get("segment", ""))


def _shows() -> dict[str, str]:
    return {
        "all": _("すべて"),
        "linked": _("連携中"),
        "blocked": _("ブロック中"),
        "unlinked": _("未連携"),
    }


def _segments(line: LineState, wanted: Wanted) -> list[audience.Listed]:
    """Return the segments that are offered: the one in use, and some that work without a word."""
    return audience.offered_segments(line, first=wanted.segment, most=CHIPS)
