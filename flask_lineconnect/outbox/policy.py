"""May we send this to this person, now? Asked when a message is about to go, in the database.

Source: LINE, "User consent"; Messaging API, "Get number of users": who blocked us is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy import CompoundSelect
from sqlalchemy import Select
from sqlalchemy import Subquery
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import union_all
from sqlalchemy.orm import Session

from ..marketing.calendar.times import in_quiet_hours
from ..marketing.campaigns.sides import below
from ..marketing.campaigns.sides import hold_out_experiment
from ..marketing.campaigns.sides import quarter_of
from ..models import Account
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import Preference
from ..models.json_lists import elements
from ..shop.categories import ACCOUNT
from ..shop.categories import INVITATION
from ..shop.categories import Category

TRANSACTIONAL, MARKETING = 0, 1
#: Why whoever is in the shop's own hold-out is sent no advertising.
HELD_OUT = "held out"
#: How the keys of messages begin that tell of a link's end; see ``linking/telling.py``.
FAREWELL = "lineconnect:unlinked:"


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's rules for sending.

    :ivar quiet_hours: from and until when no advertising is sent, in the shop's zone.
    :ivar marketing_cap: advertisements that one person is sent in ``cap_period``; ``None``: any.
    :ivar hold_out: of a hundred members so many get no advertising, others in each quarter.
    """

    categories: Sequence[Category]
    zone: ZoneInfo
    quiet_hours: tuple[time, time] | None = None
    marketing_cap: int | None = None
    cap_period: timedelta = timedelta(days=7)
    hold_out: int = 0

    def reason_against(
        self, category: ColumnElement[str], *, now: datetime
    ) -> ColumnElement[str | None]:
        """Return the expression that says why an :class:`Account` may not be sent a message now.

        ``NULL``: it may.
        """
        obligatory = [one.name for one in self.categories if not one.is_optional]
        is_declined = and_(
            # A category that is gone was declined as long as it was there.
            category.not_in([*obligatory, ACCOUNT.name]),
            select(Preference.category)
            .where(
                Preference.account_id == Account.id,
                Preference.category == category,
                Preference.is_wanted.is_(False),
            )
            .correlate(Account, OutboxMessage, OutboxBatch)
            .exists(),
        )
        return case(
            (category == INVITATION.name, _reason_against_invitation()),
            (Account.member_id.is_(None), literal("not linked")),
            (Account.is_friend.is_(False), literal("not a friend")),
            (is_declined, literal("declined")),
            *self._held_out(category, now),
            else_=null(),
        )

    def _held_out(
        self, category: ColumnElement[str], now: datetime
    ) -> Sequence[tuple[ColumnElement[bool], ColumnElement[str]]]:
        """Return what leaves out whoever gets no advertising in this quarter, if anybody."""
        if not self.hold_out:
            return ()
        experiment = hold_out_experiment(quarter_of(now, self.zone))
        is_held_out = below(experiment, _column(Account.member_id), self.hold_out)
        advertising = [one.name for one in self.categories if one.is_marketing]
        return [(and_(category.in_(advertising), is_held_out), literal(HELD_OUT))]

    def reason_against_message(
        self, session: Session, ids: Sequence[int], *, now: datetime
    ) -> ColumnElement[str | None]:
        """Do as :meth:`reason_against` for the messages with these ids, the cap included."""
        reason = self.reason_against(_column(OutboxMessage.category), now=now)
        # That the link has ended is for whoever had it.
        is_farewell = OutboxMessage.dedupe_key.startswith(FAREWELL, autoescape=True)
        not_linked = and_(Account.member_id.is_(None), Account.is_friend.isnot(False))
        reason = case((and_(is_farewell, not_linked), null()), else_=reason)
        if self.marketing_cap is None:
            return reason
        accounts = select(OutboxMessage.account_id).where(OutboxMessage.id.in_(ids))
        is_over = and_(
            OutboxMessage.priority == MARKETING,
            OutboxMessage.first_tried_at.is_(None),
            Account.id.in_(self.full_among(session, accounts, now=now)),
        )
        return func.coalesce(reason, case((is_over, literal("frequency cap")), else_=null()))

    def quiet_until(self, now: datetime) -> datetime | None:
        """Return when the quiet hours end, or ``None`` outside them."""
        if self.quiet_hours is None:
            return None
        ends = in_quiet_hours(self.quiet_hours, now, self.zone)
        return None if ends is None else ends.astimezone(now.tzinfo)

    def full_among(
        self, session: Session, account_ids: Select[Any], *, now: datetime
    ) -> Select[Any]:
        """Return which of these accounts were sent as many advertisements as the cap allows."""
        near = (
            select(Account.id)
            .where(
                Account.id.in_(account_ids),
                Account.id.between(OutboxBatch.first_account_id, OutboxBatch.last_account_id),
            )
            .exists()
        )
        return self._full(session, lambda account_id: account_id.in_(account_ids), near, now)

    def full_between(
        self, session: Session, first: int, last: int, *, now: datetime
    ) -> Select[Any]:
        """Do as :meth:`full_among` for a range of accounts."""
        near = and_(OutboxBatch.first_account_id <= last, OutboxBatch.last_account_id >= first)
        return self._full(session, lambda account_id: account_id.between(first, last), near, now)

    def full(self, session: Session, *, now: datetime) -> Select[Any]:
        """Do as :meth:`full_among` for all accounts."""
        return self._full(session, lambda _account_id: true(), true(), now)

    def _full(
        self,
        session: Session,
        is_meant: Callable[[ColumnElement[int]], ColumnElement[bool]],
        is_near: ColumnElement[bool],
        now: datetime,
    ) -> Select[Any]:
        """Count what was accepted in the cap's period, and what is on its way."""
        sent = self._sent(session, is_meant, is_near, now)
        return (
            select(sent.c.account_id)
            .group_by(sent.c.account_id)
            .having(func.count() >= (self.marketing_cap or 0))
        )

    def times_of(
        self, session: Session, account_ids: Sequence[int], *, now: datetime
    ) -> CompoundSelect[Any]:
        """Return when each of these accounts was sent an advertisement that the cap counts.

        What waits in the outbox counts, too, as if it went now.
        """
        ids = sorted(account_ids) or [-1]
        near = and_(OutboxBatch.first_account_id <= ids[-1], OutboxBatch.last_account_id >= ids[0])
        sent = self._sent(session, lambda account_id: account_id.in_(ids), near, now)
        waiting = select(
            OutboxMessage.account_id, literal(now, OutboxMessage.created_at.type)
        ).where(
            OutboxMessage.account_id.in_(ids),
            OutboxMessage.priority == MARKETING,
            OutboxMessage.state.in_(("queued", "sending")),
            OutboxMessage.first_tried_at.is_(None),
        )
        return union_all(select(sent.c.account_id, sent.c.at), waiting)

    def _sent(
        self,
        session: Session,
        is_meant: Callable[[ColumnElement[int]], ColumnElement[bool]],
        is_near: ColumnElement[bool],
        now: datetime,
    ) -> Subquery:
        """Return a row for each advertisement and account that the cap counts."""
        alone = select(
            OutboxMessage.account_id.label("account_id"), OutboxMessage.first_tried_at.label("at")
        ).where(
            is_meant(_column(OutboxMessage.account_id)),
            *self._counts(OutboxMessage, now),
        )
        rows, value = elements(session, OutboxBatch.chosen_ids)
        in_batches = (
            select(value.label("account_id"), OutboxBatch.first_tried_at.label("at"))
            .select_from(OutboxBatch)
            .join(rows, true())
            .where(
                # The others' recipients are counted by their messages.
                OutboxBatch.campaign_id.is_not(None),
                is_near,
                is_meant(value),
                *self._counts(OutboxBatch, now),
            )
        )
        return union_all(alone, in_batches).subquery("sent")

    def _counts(
        self, model: type[OutboxMessage] | type[OutboxBatch], now: datetime
    ) -> tuple[ColumnElement[bool], ...]:
        return (
            model.priority == MARKETING,
            model.first_tried_at > now - self.cap_period,
            model.state.in_(("sending", "accepted")),
        )


def _reason_against_invitation() -> ColumnElement[str | None]:
    """Return why somebody is not invited to link; a link that a person ended is no mistake."""
    return case(
        (Account.member_id.is_not(None), literal("linked")),
        (Account.former_member_id.is_not(None), literal("was linked")),
        (Account.is_friend.is_not(True), literal("not a friend")),
        else_=null(),
    )


def _column(attribute: Any) -> ColumnElement[Any]:
    return cast(ColumnElement[Any], attribute)
