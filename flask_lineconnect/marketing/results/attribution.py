"""To which message an order belongs: one statement for any number of orders.

*Direct*: the member tapped a link of the message, within the longer window. *Indirect*: LINE
accepted the message for the member within the shorter one, and no tap came between. Never both; the
last one wins, and the first one is noted beside it. Messages that are no advertising get no orders:
who is told that the parcel comes would have bought it anyway. An order without a message is written
down, too, so that everybody's orders can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import union_all
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ...models import Attribution
from ...models import Campaign
from ...models import Click
from ...models import MemberEvent
from ...models import Touch
from ...models import TrackedLink
from ...state import LineState
from .orders import Orders
from .orders import orders_of
from .spans import seconds_between

TABLE = cast(Table, Attribution.__table__)
_NAMES = tuple(column.name for column in TABLE.columns)


@dataclass(frozen=True, slots=True)
class Windows:
    """For how long after it a message gets an order, unless its campaign says otherwise.

    :ivar direct_hours: after a tap on one of its links.
    :ivar indirect_hours: after LINE accepted it.
    """

    direct_hours: int = 120
    indirect_hours: int = 24


@dataclass(frozen=True, slots=True)
class Attributing:
    """How one shop's orders find their messages.

    :ivar advertising: the categories whose messages may get orders.
    """

    orders: Orders
    windows: Windows
    advertising: Sequence[str]
    dialect: str

    def attribute_time(self, session: Session, first: datetime, end: datetime) -> None:
        """Write down to which message the orders of a time belong; its end is not part of it."""
        direct, indirect = self._longest(session)
        is_meant = MemberEvent.occurred_at >= first, MemberEvent.occurred_at < end
        # What is too old for all of them is not even looked at.
        since = first - timedelta(hours=direct), first - timedelta(hours=indirect)
        self.attribute(session, *is_meant, since=since)

    def attribute(
        self,
        session: Session,
        *is_meant: ColumnElement[bool],
        since: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Write down to which message orders belong, in one statement; a second time it is anew.

        :param is_meant: about :class:`MemberEvent`, which orders.
        :param since: taps and messages of earlier times are none of these orders'.
        """
        insert = sqlite.insert(TABLE) if self.dialect == "sqlite" else postgresql.insert(TABLE)
        statement = insert.from_select(
            _NAMES, self.found(*is_meant, since=since), include_defaults=False
        )
        excluded = statement.excluded
        changing = [name for name in _NAMES if name != "order_event_id"]
        is_other = [TABLE.c[name].is_distinct_from(excluded[name]) for name in changing]
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[TABLE.c.order_event_id],
                set_={name: excluded[name] for name in changing},
                where=or_(*is_other),
            )
        )

    def found(
        self, *is_meant: ColumnElement[bool], since: tuple[datetime, datetime] | None = None
    ) -> Select[Any]:
        """Return what :class:`Attribution` has to say of orders, one row for each."""
        orders = self._orders(*is_meant)
        taps, messages = self._taps(orders), self._messages(orders)
        if since is not None:
            taps = taps.where(Click.clicked_at >= since[0])
            messages = messages.where(Touch.accepted_at >= since[1])
        reasons = union_all(taps, messages).cte("reason")
        latest = reasons.c.at.desc(), reasons.c.id.desc()
        side = reasons.c.order_id, reasons.c.is_indirect
        whole: tuple[None, None] = None, None
        ranked = select(
            reasons,
            func.row_number()
            .over(partition_by=reasons.c.order_id, order_by=(reasons.c.is_indirect, *latest))
            .label("place"),
            *(
                # The same order as above, so that there is one sort.
                func.last_value(reasons.c[name])
                .over(partition_by=side, order_by=latest, rows=whole)
                .label(f"first_{name}")
                for name in ("campaign_id", "scenario_id", "step")
            ),
        ).cte("ranked")
        kinds = case((ranked.c.is_indirect == 0, "direct"), (ranked.c.is_indirect == 1, "indirect"))
        undone = self._undone(orders)
        return (
            select(
                orders.c.id,
                orders.c.member_id,
                orders.c.at,
                orders.c.value,
                func.coalesce(kinds, "none"),
                ranked.c.campaign_id,
                ranked.c.scenario_id,
                func.coalesce(ranked.c.step, ""),
                func.coalesce(ranked.c.variant, ""),
                ranked.c.link_id,
                ranked.c.at,
                ranked.c.first_campaign_id,
                ranked.c.first_scenario_id,
                func.coalesce(ranked.c.first_step, ""),
                undone.c.at,
            )
            .select_from(orders)
            .outerjoin(ranked, and_(ranked.c.order_id == orders.c.id, ranked.c.place == 1))
            .outerjoin(undone, undone.c.order_id == orders.c.id)
            # SQLite would take ON CONFLICT for the condition of the join.
            .where(literal_column("1") == 1)
        )

    def _orders(self, *is_meant: ColumnElement[bool]) -> Any:
        return (
            select(
                MemberEvent.id.label("id"),
                MemberEvent.member_id.label("member_id"),
                MemberEvent.subject.label("subject"),
                MemberEvent.occurred_at.label("at"),
                self.orders.worth(self.dialect).label("value"),
            )
            .where(
                MemberEvent.name == self.orders.placed,
                MemberEvent.member_id.is_not(None),
                *is_meant,
            )
            .cte("placed")
        )

    def _taps(self, orders: Any) -> Select[Any]:
        """Return the taps that may have led to orders, each with its message."""
        hours = func.coalesce(Campaign.direct_hours, self.windows.direct_hours)
        was_advertising = or_(
            Campaign.category.in_(self.advertising),
            select(Touch.id)
            .where(
                Touch.member_id == Click.member_id,
                Touch.scenario_id == TrackedLink.scenario_id,
                Touch.step == TrackedLink.step,
                Touch.category.in_(self.advertising),
                Touch.accepted_at <= Click.clicked_at,
            )
            .exists(),
        )
        return (
            select(
                orders.c.id.label("order_id"),
                literal_column("0").label("is_indirect"),
                Click.id.label("id"),
                Click.clicked_at.label("at"),
                TrackedLink.campaign_id.label("campaign_id"),
                TrackedLink.scenario_id.label("scenario_id"),
                TrackedLink.step.label("step"),
                TrackedLink.variant.label("variant"),
                TrackedLink.id.label("link_id"),
            )
            .select_from(orders)
            .join(Click, Click.member_id == orders.c.member_id)
            .join(TrackedLink, TrackedLink.id == Click.link_id)
            .outerjoin(Campaign, Campaign.id == TrackedLink.campaign_id)
            .where(
                Click.kind.in_(("person", "repeat")),
                self._is_within(Click.clicked_at, orders.c.at, hours),
                was_advertising,
            )
        )

    def _messages(self, orders: Any) -> Select[Any]:
        """Return the messages that were accepted shortly before orders."""
        hours = func.coalesce(Campaign.indirect_hours, self.windows.indirect_hours)
        return (
            select(
                orders.c.id,
                literal_column("1"),
                Touch.id,
                Touch.accepted_at,
                Touch.campaign_id,
                Touch.scenario_id,
                Touch.step,
                Touch.variant,
                null(),
            )
            .select_from(orders)
            .join(Touch, Touch.member_id == orders.c.member_id)
            .outerjoin(Campaign, Campaign.id == Touch.campaign_id)
            .where(
                Touch.category.in_(self.advertising),
                self._is_within(Touch.accepted_at, orders.c.at, hours),
            )
        )

    def _longest(self, session: Session) -> tuple[int, int]:
        own = select(func.max(Campaign.direct_hours), func.max(Campaign.indirect_hours))
        direct, indirect = session.execute(own).one()
        return (
            max(self.windows.direct_hours, direct or 0),
            max(self.windows.indirect_hours, indirect or 0),
        )

    def _is_within(self, earlier: Any, later: Any, hours: Any) -> ColumnElement[bool]:
        # Both bounds: the first is an index's, the second exact to the millisecond.
        seconds = seconds_between(earlier, later, self.dialect)
        return and_(earlier <= later, seconds <= hours * 3600)

    def _undone(self, orders: Any) -> Any:
        """Return when orders were taken back first, by their subject."""
        undoing = aliased(MemberEvent)
        return (
            select(orders.c.id.label("order_id"), func.min(undoing.occurred_at).label("at"))
            .select_from(orders)
            .join(
                undoing,
                and_(
                    undoing.member_id == orders.c.member_id,
                    undoing.name.in_(self.orders.undone),
                    undoing.subject == orders.c.subject,
                    undoing.occurred_at >= orders.c.at,
                ),
            )
            .group_by(orders.c.id)
            .subquery("undone")
        )


def rules_of(line: LineState) -> Attributing | None:
    """Return how this shop's orders find their messages; ``None`` where it tells of no orders.

    :raises UsageError: the adapter's ``order_events`` name what nobody declared.
    """
    orders = orders_of(line)
    if orders is None:
        return None
    config = line.config
    windows = Windows(config.direct_order_hours, config.indirect_order_hours)
    advertising = [one.name for one in line.shop.categories if one.is_marketing]
    dialect = line.session.get_bind().dialect.name
    return Attributing(orders, windows, advertising, dialect)
