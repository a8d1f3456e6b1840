"""One member's history: what they did, what they were sent, orders and points, by the day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import select

from ..marketing.event_kinds import EventKind
from ..marketing.event_kinds import EventKinds
from ..models import MemberEvent
from ..models import OutboxMessage
from ..state import LineState
from ..web.blueprint import money
from . import writing
from .i18n import gettext as _
from .talk import state_note
from .talk import words_of

#: So much of each kind is read, and so much in all is shown.
OF_EACH, IN_ALL = 40, 80
#: Facts of an event that are shown, and the longest of them.
FACTS, MAX_FACT = 3, 60
_ORDERS = "order."


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened.

    :ivar icon: of the parts of the pages; ``kind`` colours it.
    """

    at: datetime
    icon: str
    kind: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, the latest first."""

    day: date
    moments: list[Moment]


def timeline(
    line: LineState, member: Any, member_id: Any, sent: Sequence[OutboxMessage]
) -> list[Day]:
    """Return the latest of a member's history, the latest first.

    :param sent: the latest messages to them, as :func:`talk.sent_to` returns them.
    """
    found = [*_orders(line, member), *_points(line, member)]
    has_orders = any(moment.icon == "bag" for moment in found)
    found += _events(line, member_id, has_orders=has_orders)
    found += _messages(line, sent)
    found.sort(key=lambda moment: moment.at, reverse=True)
    return [
        Day(day, list(moments))
        for day, moments in groupby(found[:IN_ALL], lambda one: writing.local(one.at).date())
    ]


def _orders(line: LineState, member: Any) -> Iterator[Moment]:
    desk = line.shop.orders
    for order in () if desk is None else desk.page(member, offset=0, limit=OF_EACH):
        names = "、".join(str(one.name) for one in order.lines[:FACTS])
        parts = [names, money(order.total, order.currency), str(order.status)]
        text = "・".join(part for part in parts if part)
        yield Moment(order.placed_at, "bag", "good", _("注文 %(n)s", n=order.number), text)


def _points(line: LineState, member: Any) -> Iterator[Moment]:
    for change in line.shop.point_history(member, before=None, limit=OF_EACH):
        title = (
            _("%(n)sポイント付与", n=writing.number(change.points))
            if change.points >= 0
            else _("%(n)sポイント減", n=writing.number(-change.points))
        )
        yield Moment(change.at, "point", "tint", title, str(change.reason))


def _events(line: LineState, member_id: Any, *, has_orders: bool) -> Iterator[Moment]:
    """Return what the shop and LINE told; orders only where no desk shows them."""
    statement = (
        select(MemberEvent)
        .where(MemberEvent.member_id == member_id)
        .order_by(MemberEvent.occurred_at.desc())
        .limit(OF_EACH)
    )
    kinds = line.part(EventKinds)
    for event in line.session.scalars(statement):
        if has_orders and event.name == f"{_ORDERS}placed":
            continue
        kind = kinds.find(event.name)
        title = event.name if kind is None else str(kind.label)
        icon, colour = ("link", "info") if event.name.startswith("line.") else ("clock", "")
        yield Moment(event.occurred_at, icon, colour, title, _facts(line, kind, event.facts))


def _facts(line: LineState, kind: EventKind | None, written: Mapping[str, Any]) -> str:
    if kind is None:
        return ""
    shown = []
    for name, value in kind.read(written).items():
        if value is None or value == () or kind.facts[name].holds:
            continue
        shown.append(f"{kind.facts[name].label}: {_fact(value)}")
    return "・".join(shown[:FACTS])


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return _("はい") if value else _("ちがいます")
    if isinstance(value, datetime):
        return writing.moment(value)
    if isinstance(value, date):
        return writing.day(value)
    if isinstance(value, int | Decimal):
        return writing.number(float(value))
    if isinstance(value, tuple):
        return ", ".join(_fact(one) for one in value[:FACTS])
    text = str(value)
    return text if len(text) <= MAX_FACT else f"{text[:MAX_FACT]}…"


def _messages(line: LineState, sent: Sequence[OutboxMessage]) -> Iterator[Moment]:
    names = {one.name: str(one.label) for one in line.shop.categories}
    for row in sent[:OF_EACH]:
        if row.state == "cancelled":
            continue
        note = state_note(row.state) or _("届いた")
        title = _("「%(kind)s」%(state)s", kind=names.get(row.category, _("お知らせ")), state=note)
        words = words_of(json.loads(row.messages)).partition("\n")[0]
        text = words if len(words) <= MAX_FACT else f"{words[:MAX_FACT]}…"
        yield Moment(row.accepted_at or row.created_at, "message", "", title, text)
