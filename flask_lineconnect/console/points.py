"""Points of the ready-made ledger: what was booked, what ends soon, and corrections by hand."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import abort
from flask import request
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from werkzeug.wrappers import Response

from ..errors import Refused
from ..liff import point_bookings
from ..linking.member_keys import read_member_key
from ..messages.limits import is_storable
from ..models import PointEntry
from ..models.point_entry import HAS_REST
from ..models.point_entry import MAX_REASON
from ..person_names import Name
from ..shop.point_ledger import MAX_POINTS
from ..shop.point_ledger import PointLedger
from ..shop.point_ledger import is_valid
from ..state import LineState
from ..state import current_line
from .audit import name_of_staff
from .audit import note
from .csv_files import csv_answer
from .i18n import gettext as _
from .names import members_of
from .names import name_of_member
from .pages import go
from .pages import render
from .pages import say
from .staff import current_staff
from .talk import new_key

#: Bookings on one page, and in one portion of a file.
PAGE, PORTION = 50, 500
#: Points that end within so many days are told.
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Booked:
    """One line of the list.

    :ivar key: of the member; ``name``: ``None`` of one who is gone.
    :ivar who: of the staff, where it was done by hand.
    """

    row: PointEntry
    key: str
    name: Name | None
    who: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What all members have.

    :ivar points: that can be spent.
    :ivar ending: how many of them end soon; ``people``: whose.
    """

    points: int
    ending: int
    people: int


def points() -> str:
    """List bookings, the latest first: all, those by hand, or one member's."""
    line, _ledger = current_line, _of(current_line)
    member_id = _member_asked(line)
    by_hand = request.args.get("show") == "by-hand"
    before = request.args.get("before", type=int)
    rows = _rows(line, before, PAGE + 1, by_hand=by_hand, member_id=member_id)
    member = None if member_id is None else line.session.get(line.shop.model, member_id)
    return render(
        "points",
        bookings=_booked(line, rows[:PAGE]),
        after=rows[PAGE - 1].id if len(rows) > PAGE else None,
        standing=_standing(line),
        days=SOON.days,
        by_hand=by_hand,
        member_key=None if member is None else request.args.get("member"),
        member_name=None if member is None else name_of_member(line, member),
        page=PAGE,
    )


def points_csv() -> Response:
    """Return all bookings as a file."""
    line, _ledger = current_line, _of(current_line)
    note("exported", subject="points")
    line.session.commit()
    header = [
        _("日時"),
        _("会員番号"),
        _("名前"),
        _("ポイント"),
        _("理由"),
        _("有効期限"),
        _("担当"),
    ]
    rows = (
        [
            *(one.row.booked_at, one.key, one.name or "", one.row.points, one.row.reason),
            *(one.row.expires_on or "", one.who),
        ]
        for one in _all(line)
    )
    return csv_answer(_("ポイント"), header, rows)


def correct_points(key: str) -> Response:
    """Give or take a member's points by hand, with the reason.

    :raises Refused: no number or no reason is given, or the member has not as many points.
    """
    line, _ledger = current_line, _of(current_line)
    member = line.session.get(line.shop.model, _key(line, key)) or abort(404)
    form = request.form
    number, reason = form.get("points", 0, type=int), " ".join(form.get("reason", "").split())
    if not 1 <= number <= MAX_POINTS:
        raise Refused(_("ポイントは1以上の数で入れてください。"), step="points")
    if not reason or len(reason) > MAX_REASON or not is_storable(reason):
        raise Refused(_("理由を1〜%(n)s文字で書いてください。", n=MAX_REASON), step="points")
    change = -number if form.get("way") == "take" else number
    asked = form.get("key", "")[:64]
    is_new = point_bookings.book(
        line,
        member,
        change,
        reason=reason,
        key=f"by-hand:{asked}" if asked else None,
        by=current_staff().key,
    )
    if is_new:
        note("points-corrected", subject=f"{change:+}", member_key=_key(line, key))
    line.session.commit()
    say(_("ポイントを直しました。"))
    return go("member", key=key)


def on_page(line: LineState) -> dict[str, Any]:
    """Return what a member's page needs to correct points; nothing without a ledger."""
    has_ledger = line.shop.point_ledger is not None
    return {
        "has_ledger": has_ledger,
        "points_key": new_key() if has_ledger else "",
        "most_points": MAX_POINTS,
        "most_reason": MAX_REASON,
    }


def _of(line: LineState) -> PointLedger:
    return line.shop.point_ledger or abort(404)


def _key(line: LineState, written: str) -> Any:
    try:
        return read_member_key(line.shop.model, written)
    except ValueError:
        abort(404)


def _member_asked(line: LineState) -> Any | None:
    asked = request.args.get("member")
    return None if asked is None else _key(line, asked)


def _rows(
    line: LineState,
    before: int | None,
    limit: int,
    *,
    by_hand: bool = False,
    member_id: Any | None = None,
) -> Sequence[PointEntry]:
    statement = select(PointEntry).order_by(PointEntry.id.desc()).limit(limit)
    if before is not None and 0 < before < 2**63:
        statement = statement.where(PointEntry.id < before)
    if by_hand:
        statement = statement.where(PointEntry.booked_by.is_not(None))
    if member_id is not None:
        statement = statement.where(PointEntry.member_id == member_id)
    return line.session.scalars(statement).all()


def _booked(line: LineState, rows: Sequence[PointEntry]) -> list[Booked]:
    """Say of some bookings whose they are and who did them, with one question for all members."""
    people: Mapping[Any, Any] = members_of(line, [row.member_id for row in rows])
    staff = {key: name_of_staff(line, key) for key in {row.booked_by for row in rows} if key}
    return [
        Booked(
            row,
            str(row.member_id),
            name_of_member(line, people[row.member_id]) if row.member_id in people else None,
            staff.get(row.booked_by or "", ""),
        )
        for row in rows
    ]


def _all(line: LineState) -> Iterator[Booked]:
    before = None
    while rows := _rows(line, before, PORTION):
        yield from _booked(line, rows)
        before = rows[-1].id
        line.session.expunge_all()


def _standing(line: LineState) -> Standing:
    now = line.clock()
    has_rest = text(HAS_REST)
    all_of_them = select(func.coalesce(func.sum(PointEntry.remaining), 0))
    ends_soon = and_(PointEntry.expires_at > now, PointEntry.expires_at <= now + SOON)
    total = all_of_them.where(has_rest, is_valid(now)).scalar_subquery()
    ending = all_of_them.where(has_rest, ends_soon).scalar_subquery()
    people = select(func.count(PointEntry.member_id.distinct())).where(has_rest, ends_soon)
    found = line.session.execute(select(total, ending, people.scalar_subquery())).one()
    return Standing(*(int(number) for number in found))
