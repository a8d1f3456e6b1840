"""Choose what to send next: claim what is due, ask whether it still may, and fix the requests.

One transaction: afterwards each request's recipients, bytes and retry key are in the database, and
so is what it may cost. Next: ``delivery.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session

from ..line_api.sender import Kind
from ..models import Account
from ..models import OutboxBatch
from ..models import OutboxMessage
from . import budget
from . import grouping
from . import pauses
from . import results
from .policy import MARKETING
from .policy import TRANSACTIONAL
from .policy import Policy
from .requests import Claimed
from .requests import Model
from .requests import Request
from .requests import Rules

#: How long a worker may take for a claim before another takes it over.
LEASE = timedelta(seconds=60)
#: LINE remembers a retry key for 24 hours; afterwards the same key would send again.
RETRY_KEY_LIFE = timedelta(hours=23)
#: What one claim takes: half a second of LINE's push rate, a fifth of its multicast rate.
MESSAGES_AT_ONCE, BATCHES_AT_ONCE = 1_000, 40
_UNKNOWN = "LINE's answer is unknown and the retry key too old to ask again; a person must decide"
_LATE = "it was too late to be worth sending"


def claim_messages(session: Session, rules: Rules, *, now: datetime) -> Claimed:
    """Take messages to single accounts that are due; commits.

    Those that say the same to several people become a batch, which :func:`claim_batches` takes.
    """
    claimed = Claimed()
    ids = _take(session, OutboxMessage, MESSAGES_AT_ONCE, now)
    if ids:
        claimed.count = len(ids)
        _let_nobody_count(session, rules.policy, now)
        rows = session.execute(_messages(session, rules.policy, ids, now)).all()
        rows = _one_advertisement_each(session, rows, rules.policy, now)
        rows = _sort_out(session, OutboxMessage, rows, rules.policy, now)
        rows = grouping.gather(session, rows, now=now)
        month = budget.month_of(now)
        for row in _fix(session, OutboxMessage, rows, rules, claimed, now):
            claimed.requests.append(_request("push", row, f'"{row.line_user_id}"', month))
    session.commit()
    return claimed


def claim_batches(session: Session, rules: Rules, *, now: datetime) -> Claimed:
    """Take batches that are due; commits."""
    claimed = Claimed()
    ids = _take(session, OutboxBatch, BATCHES_AT_ONCE, now)
    if ids:
        claimed.count = len(ids)
        _let_nobody_count(session, rules.policy, now)
        grouping.choose_recipients(session, rules.policy, ids, now=now)
        rows = session.execute(_batches(ids)).all()
        month = budget.month_of(now)
        rows = _sort_out(session, OutboxBatch, rows, rules.policy, now)
        for row in _fix(session, OutboxBatch, rows, rules, claimed, now):
            claimed.requests.append(_request("multicast", row, row.line_user_ids, month))
    session.commit()
    return claimed


def _take(session: Session, model: Model, limit: int, now: datetime) -> list[int]:
    """Claim what has been due for longest, advertising last; skip what others claim just now."""
    stopped = pauses.current(session, now=now)
    if any(not one.is_for_marketing_only for one in stopped):
        return []
    ids: list[int] = []
    for priority in (TRANSACTIONAL,) if stopped else (TRANSACTIONAL, MARKETING):
        due = (
            select(model.id)
            .where(model.priority == priority, model.next_attempt_at <= now)
            .order_by(model.next_attempt_at)
            .limit(limit - len(ids))
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(model)
            .where(model.id.in_(select(due.c.id)), model.next_attempt_at <= now)
            .values(
                state="sending",
                attempts=model.attempts + 1,
                claims=model.claims + 1,
                # Whoever held it before may have sent it and not lived to write that down.
                is_uncertain=or_(model.is_uncertain, model.state == "sending"),
                next_attempt_at=now + LEASE,
            )
            .returning(model.id)
            .execution_options(synchronize_session=False)
        )
        ids += session.scalars(statement)
    return ids


def _columns(model: Model) -> tuple[InstrumentedAttribute[Any], ...]:
    """Return what is needed of each row; a quarter of a second's rows are many."""
    return (
        model.id,
        model.category,
        model.priority,
        model.messages,
        model.retry_key,
        model.attempts,
        model.claims,
        model.campaign_id,
        model.is_uncertain,
        model.expires_at,
        model.first_tried_at,
        model.quota_month,
    )


def _messages(session: Session, policy: Policy, ids: Sequence[int], now: datetime) -> Select[Any]:
    return (
        select(
            *_columns(OutboxMessage),
            OutboxMessage.account_id,
            literal(1).label("recipients"),
            Account.line_user_id,
            policy.reason_against_message(session, ids, now=now).label("reason"),
        )
        .join(Account, Account.id == OutboxMessage.account_id)
        .where(OutboxMessage.id.in_(ids))
        .order_by(OutboxMessage.priority, OutboxMessage.id)
    )


def _batches(ids: Sequence[int]) -> Select[Any]:
    reason = case((OutboxBatch.recipients == 0, literal("nobody may be sent it")), else_=null())
    return (
        select(
            *_columns(OutboxBatch),
            OutboxBatch.recipients,
            OutboxBatch.line_user_ids,
            reason.label("reason"),
        )
        .where(OutboxBatch.id.in_(ids))
        .order_by(OutboxBatch.priority, OutboxBatch.id)
    )


def _let_nobody_count(session: Session, policy: Policy, now: datetime) -> None:
    """Let no other worker count advertisements until this one has noted its own."""
    if policy.marketing_cap is not None:
        budget.lock(session, now)


def _one_advertisement_each(
    session: Session, rows: Sequence[Row[Any]], policy: Policy, now: datetime
) -> Sequence[Row[Any]]:
    """Leave a person's further advertisements to the next claim, which counts the first."""
    if policy.marketing_cap is None:
        return rows
    staying: list[Row[Any]] = []
    later: list[Row[Any]] = []
    seen: set[int] = set()
    for row in rows:
        is_new = row.priority == MARKETING and row.first_tried_at is None
        (later if is_new and row.account_id in seen else staying).append(row)
        if is_new:
            seen.add(row.account_id)
    _put_back(session, OutboxMessage, later, now)
    return staying


def _put_back(session: Session, model: Model, rows: Sequence[Row[Any]], now: datetime) -> None:
    if rows:
        session.execute(
            update(model)
            .where(model.id.in_([row.id for row in rows]))
            .values(state="queued", next_attempt_at=now)
            .execution_options(synchronize_session=False)
        )


def _sort_out(
    session: Session, model: Model, rows: Sequence[Row[Any]], policy: Policy, now: datetime
) -> list[Row[Any]]:
    """End or put off what is not to be sent now, in the database; return the rest."""
    quiet_until = policy.quiet_until(now)
    staying, changes = [], []
    for row in rows:
        verdict = _verdict(row, quiet_until, now)
        if verdict is None:
            staying.append(row)
        else:
            state, error, again_at = verdict
            changes.append(
                {"row_id": row.id, "to_state": state, "why": error, "again_at": again_at}
            )
    if changes:
        results.end(session, model, changes, now=now)
    return staying


def _verdict(
    row: Row[Any], quiet_until: datetime | None, now: datetime
) -> tuple[str, str | None, datetime | None] | None:
    """Return a new state, the reason and the time to look again; ``None``: send it."""
    if row.first_tried_at is not None and now - row.first_tried_at > RETRY_KEY_LIFE:
        return "expired", _UNKNOWN, None
    if row.expires_at is not None and row.expires_at <= now:
        return "expired", _LATE, None
    if row.reason is not None:
        return "cancelled", row.reason, None
    is_first = row.first_tried_at is None
    if quiet_until is not None and row.priority == MARKETING and is_first:
        return "queued", None, quiet_until
    return None


def _fix(
    session: Session,
    model: Model,
    rows: Sequence[Row[Any]],
    rules: Rules,
    claimed: Claimed,
    now: datetime,
) -> list[Row[Any]]:
    """Reserve what the rows may cost, and note the first try; put back what is not paid for."""
    paid, unpaid = _reserve(session, rows, rules, claimed, now)
    if paid:
        session.execute(
            update(model)
            .where(model.id.in_([row.id for row in paid]))
            .values(
                first_tried_at=func.coalesce(model.first_tried_at, now),
                quota_month=func.coalesce(model.quota_month, budget.month_of(now)),
            )
            .execution_options(synchronize_session=False)
        )
    _put_back(session, model, unpaid, now)
    return paid


def _reserve(
    session: Session, rows: Sequence[Row[Any]], rules: Rules, claimed: Claimed, now: datetime
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    paid: list[Row[Any]] = []
    unpaid: list[Row[Any]] = []
    if all(row.quota_month is not None for row in rows):
        return list(rows), []
    quota = budget.lock(session, now)
    room = {
        priority: rules.budget.room(quota, is_marketing=priority == MARKETING)
        for priority in (TRANSACTIONAL, MARKETING)
    }
    spent = 0
    for row in rows:
        count = 0 if row.quota_month is not None else row.recipients
        most = room[row.priority]
        if count and most is not None and most < spent + count:
            unpaid.append(row)
        else:
            spent += count
            paid.append(row)
    quota.own_used += spent
    if unpaid:
        is_for_marketing_only = all(row.priority == MARKETING for row in unpaid)
        notice = pauses.pause_for_money(
            session, quota, rules.budget, is_for_marketing_only=is_for_marketing_only, now=now
        )
        claimed.notices += notice
    else:
        claimed.notices += pauses.new_alert(quota, rules.budget)
    session.flush()
    return paid, unpaid


def _request(kind: Kind, row: Row[Any], to: str, month: str) -> Request:
    return Request(
        kind=kind,
        row_id=row.id,
        claim=row.claims,
        attempt=row.attempts,
        is_uncertain=row.is_uncertain,
        to=to,
        messages=row.messages,
        retry_key=row.retry_key,
        recipients=row.recipients,
        quota_month=row.quota_month or month,
        campaign_id=row.campaign_id,
    )
