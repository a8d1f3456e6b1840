"""Write down for whom LINE accepted what, in the transaction that writes LINE's answer.

A *touch* is one message that one member got. Messages and batches are forgotten after some months;
what they brought is counted by touches, and "whoever got one lately" is asked of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import date
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
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy.orm import Session

from ..marketing.results.counts import count_many
from ..models import Account
from ..models import Campaign
from ..models import CampaignMember
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import ScenarioRun
from ..models import Touch
from ..models.json_lists import elements
from ..models.portions import Step
from ..models.portions import deleting
from .of_runs import OF_RUN
from .send_requests import BROADCAST
from .send_requests import Model

_TOUCH = cast(Table, Touch.__table__)
#: As the columns stand in the queries below.
_NAMES = (
    *("member_id", "account_id", "campaign_id", "variant"),
    *("scenario_id", "step", "message_id", "category", "accepted_at"),
)
OWNER = ("campaign_id", "scenario_id", "step", "variant")

#: To what a touch belongs: its columns, in the names of the counts.
Owner = dict[str, Any]


def note_messages(session: Session, ids: Sequence[int], *, now: datetime) -> list[Owner]:
    """Note the touches of messages that LINE has just accepted, in one statement.

    :return: to what each belongs that belongs to something.
    """
    return _write(session, _of_messages(OutboxMessage.id.in_(ids), now))


def note_batches(session: Session, ids: Sequence[int], *, now: datetime) -> list[Owner]:
    """Do as :func:`note_messages` for batches: of campaigns, and of messages that say the same."""
    is_accepted = OutboxMessage.state == "accepted"
    return [
        *_write(session, _of_messages(and_(OutboxMessage.batch_id.in_(ids), is_accepted), now)),
        *_write(session, _of_batches(session, ids, now)),
        *_write(session, _of_broadcasts(ids, now)),
    ]


def owners_of_refused(session: Session, model: Model, row_id: int, *, now: datetime) -> list[Owner]:
    """Return to what the messages belong that LINE has just refused for linked members."""
    if model is OutboxMessage:
        found = [_of_messages(OutboxMessage.id == row_id, now)]
    else:
        is_refused = and_(OutboxMessage.batch_id == row_id, OutboxMessage.state == "refused")
        found = [_of_messages(is_refused, now), _of_batches(session, [row_id], now)]
    owners = []
    for statement in found:
        rows = statement.subquery()
        columns = [rows.c[_NAMES.index(name)] for name in OWNER]
        owners += _owners(session.execute(select(*columns)))
    return owners


def count_owners(session: Session, day: date, **owners: Sequence[Owner]) -> None:
    """Count what was accepted and refused on a day of the shop's, by the names of the figures."""
    named = ((figure, owner) for figure, some in owners.items() for owner in some)
    count_many(session, [{**owner, "figure": figure, "day": day} for figure, owner in named])


def touch_pruning_steps(session: Session, kept: timedelta, *, now: datetime) -> Iterator[Step]:
    """Return what forgets touches, and for whom campaigns were, after so long a time.

    For ``upkeep.py``.
    """
    until = now - kept
    yield deleting(Touch.id, Touch.accepted_at, Touch.accepted_at <= until)
    has_members = select(CampaignMember.member_id).where(CampaignMember.campaign_id == Campaign.id)
    old = select(Campaign.id).where(Campaign.finished_at <= until, has_members.exists())
    ids = session.scalars(old).all()
    session.rollback()
    for campaign_id in ids:
        member_id = CampaignMember.member_id
        yield deleting(member_id, member_id, CampaignMember.campaign_id == campaign_id)


def _write(session: Session, touches: Select[Any]) -> list[Owner]:
    statement = insert(_TOUCH).from_select(_NAMES, touches, include_defaults=False)
    return _owners(session.execute(statement.returning(*(_TOUCH.c[name] for name in OWNER))))


def _owners(rows: Iterable[Any]) -> list[Owner]:
    """Return what the counts ask for; what was sent to one member alone belongs to nothing."""
    return [
        dict(zip(OWNER, row, strict=True))
        for row in rows
        if row[0] is not None or row[1] is not None
    ]


def _of_messages(is_meant: ColumnElement[bool], now: datetime) -> Select[Any]:
    """Return the touches of messages to linked members; what a run sent has its step in the key."""
    prefix = literal(OF_RUN).concat(ScenarioRun.id).concat(":")
    step = func.substr(OutboxMessage.dedupe_key, func.length(prefix) + 1)
    is_of_run = ScenarioRun.id.is_not(None)
    return (
        select(
            Account.member_id,
            Account.id,
            OutboxMessage.campaign_id,
            func.coalesce(CampaignMember.variant, ""),
            ScenarioRun.scenario_id,
            case((is_of_run, func.coalesce(step, "")), else_=""),
            OutboxMessage.id,
            OutboxMessage.category,
            literal(now, _TOUCH.c.accepted_at.type),
        )
        .select_from(OutboxMessage)
        .join(Account, Account.id == OutboxMessage.account_id)
        .outerjoin(ScenarioRun, ScenarioRun.id == OutboxMessage.run_id)
        .outerjoin(CampaignMember, _is_member_of(OutboxMessage.campaign_id))
        .where(is_meant, Account.member_id.is_not(None))
    )


def _of_batches(session: Session, ids: Sequence[int], now: datetime) -> Select[Any]:
    """Return the touches of campaigns' batches: of those to whom they went."""
    rows, account_id = elements(session, OutboxBatch.chosen_ids)
    return (
        select(*_of_batch(now))
        .select_from(OutboxBatch)
        .join(rows, true())
        .join(Account, Account.id == account_id)
        .outerjoin(CampaignMember, _is_member_of(OutboxBatch.campaign_id))
        .where(
            OutboxBatch.id.in_(ids),
            OutboxBatch.campaign_id.is_not(None),
            OutboxBatch.endpoint.is_(None),
            Account.member_id.is_not(None),
        )
    )


def _of_broadcasts(ids: Sequence[int], now: datetime) -> Select[Any]:
    """Return the touches of what went to all friends: of those of them who are linked."""
    return (
        select(*_of_batch(now))
        .select_from(OutboxBatch)
        .join(Account, Account.is_friend.is_not(False))
        .outerjoin(CampaignMember, _is_member_of(OutboxBatch.campaign_id))
        .where(
            OutboxBatch.id.in_(ids),
            OutboxBatch.endpoint == BROADCAST,
            Account.member_id.is_not(None),
        )
    )


def _of_batch(now: datetime) -> Sequence[ColumnElement[Any]]:
    return (
        cast(Any, Account.member_id),
        cast(Any, Account.id),
        cast(Any, OutboxBatch.campaign_id),
        func.coalesce(CampaignMember.variant, ""),
        null(),
        literal(""),
        null(),
        cast(Any, OutboxBatch.category),
        literal(now, _TOUCH.c.accepted_at.type),
    )


def _is_member_of(campaign_id: Any) -> ColumnElement[bool]:
    return and_(
        CampaignMember.campaign_id == campaign_id, CampaignMember.member_id == Account.member_id
    )
