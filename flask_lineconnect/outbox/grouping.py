"""Batches: equal messages become one request, and a campaign's batch gets its recipients.

LINE takes up to 500 recipients in one multicast, 200 times a second; a push has one, 2,000 times.
Source: Messaging API reference, "Send multicast message", "Rate limits".
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import TypeAlias
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import literal_column
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Account
from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.json_lists import elements
from ..models.json_lists import json_list
from .policy import MARKETING
from .policy import Policy

#: LINE's limit on the recipients of one multicast.
MOST_RECIPIENTS = 500
#: LINE takes ten times as many pushes a second as multicasts: below so many recipients a push each
#: is faster, so only some such batches are made of each claim.
FEW_RECIPIENTS, MOST_SMALL_BATCHES = 10, 10

#: For whom something is: keys of members, a condition about accounts, or ``None`` for all.
Meant: TypeAlias = Select[Any] | ColumnElement[bool] | None

_BATCH = cast(Table, OutboxBatch.__table__)
#: Of retry keys; any UUID that nobody else uses.
_KEYS = uuid.UUID("5b1c9d0e-6a52-4a9e-8f0e-2f3a7c1d9e64")


def gather(session: Session, rows: Sequence[Row[Any]], *, now: datetime) -> list[Row[Any]]:
    """Put messages that say the same to different people into batches; return the others.

    What was tried before stays alone: its request must not change. So does what a scenario's run
    sends: it is asked until it goes whether the run still wants it.
    """
    groups: defaultdict[tuple[Any, ...], dict[int, Row[Any]]] = defaultdict(dict)
    alone: list[Row[Any]] = []
    for row in rows:
        group = groups[row.messages, row.category, row.expires_at]
        if row.first_tried_at is not None or row.run_id is not None or row.account_id in group:
            alone.append(row)
        else:
            group[row.account_id] = row
    small = 0
    for members in groups.values():
        same = list(members.values())
        small += 1 < len(same) < FEW_RECIPIENTS
        if len(same) < 2 or (len(same) < FEW_RECIPIENTS and small > MOST_SMALL_BATCHES):
            alone += same
            continue
        for start in range(0, len(same), MOST_RECIPIENTS):
            _gather(session, same[start : start + MOST_RECIPIENTS], now)
    return sorted(alone, key=lambda row: (row.priority, row.id))


def _gather(session: Session, rows: Sequence[Row[Any]], now: datetime) -> None:
    like = OutboxBatch(
        category=rows[0].category,
        priority=rows[0].priority,
        messages=rows[0].messages,
        created_at=now,
        expires_at=rows[0].expires_at,
    )
    batch = make_batch(session, like, [row.account_id for row in rows], now=now)
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_([row.id for row in rows]))
        .values(batch_id=batch.id, next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )


def make_batch(
    session: Session, like: OutboxBatch, account_ids: Sequence[int], *, now: datetime
) -> OutboxBatch:
    """Queue a batch for these accounts.

    :param like: a batch that says the same.
    """
    ids = sorted(account_ids)
    batch = OutboxBatch(
        campaign_id=like.campaign_id,
        category=like.category,
        priority=like.priority,
        messages=like.messages,
        account_ids=json.dumps(ids),
        first_account_id=ids[0],
        last_account_id=ids[-1],
        recipients=len(ids),
        created_at=like.created_at,
        next_attempt_at=now,
        expires_at=like.expires_at,
    )
    session.add(batch)
    session.flush()
    return batch


def allowed_accounts(to: Meant, category: str, policy: Policy, *, now: datetime) -> Select[Any]:
    """Return the accounts, of these or of all, that may be sent such a message now."""
    is_allowed = policy.reason_against(literal(category), now=now).is_(None)
    accounts = select(Account.id.label("account_id")).where(is_allowed)
    if to is None:
        return accounts
    return accounts.where(Account.member_id.in_(to) if isinstance(to, Select) else to)


def make_batches(session: Session, like: OutboxBatch, to: Meant, policy: Policy) -> int:
    """Write batches in one statement, however many accounts there are.

    :param like: what all of them have in common; itself not stored.
    :return: how many accounts they are for.
    """
    allowed = allowed_accounts(to, like.category, policy, now=like.created_at).subquery("allowed")
    place = func.row_number().over(order_by=allowed.c.account_id) - 1
    number = (place // literal_column(str(MOST_RECIPIENTS), Integer)).label("number")
    numbered = select(allowed.c.account_id, number).subquery("numbered")
    fixed: dict[str, Any] = {"state": "queued", "attempts": 0, "claims": 0, "is_uncertain": False}
    for name in ("campaign_id", "category", "priority", "messages"):
        fixed[name] = getattr(like, name)
    for name in ("created_at", "next_attempt_at", "expires_at"):
        fixed[name] = getattr(like, name)
    batches = select(
        *(literal(value, _BATCH.c[name].type) for name, value in fixed.items()),
        json_list(session, numbered.c.account_id),
        func.min(numbered.c.account_id),
        func.max(numbered.c.account_id),
        func.count(),
    ).group_by(numbered.c.number)
    names = [*fixed, "account_ids", "first_account_id", "last_account_id", "recipients"]
    session.execute(insert(_BATCH).from_select(names, batches, include_defaults=False))
    counted = select(func.coalesce(func.sum(OutboxBatch.recipients), 0)).where(
        OutboxBatch.campaign_id == like.campaign_id
    )
    return session.scalar(counted) or 0


def choose_recipients(
    session: Session, policy: Policy, ids: Sequence[int], *, now: datetime
) -> None:
    """Fix to whom batches go that were not tried yet: those of their accounts that still may."""
    untried = (
        OutboxBatch.id.in_(ids),
        OutboxBatch.first_tried_at.is_(None),
        # Of others LINE chooses the recipients.
        OutboxBatch.endpoint.is_(None),
    )
    rows, value = elements(session, OutboxBatch.account_ids)
    chosen = (
        select(
            OutboxBatch.id.label("row_id"),
            json_list(session, Account.id).label("chosen"),
            json_list(session, Account.line_user_id).label("users"),
            func.count().label("count"),
        )
        .select_from(OutboxBatch)
        .join(rows, true())
        .join(Account, Account.id == value)
        .where(
            *untried,
            policy.reason_against(cast(Any, OutboxBatch.category), now=now).is_(None),
            or_(OutboxBatch.campaign_id.is_not(None), _has_message()),
            _is_below_cap(session, policy, ids, now),
        )
        .group_by(OutboxBatch.id)
    )
    found = session.execute(chosen).all()
    session.execute(
        update(OutboxBatch)
        .where(*untried)
        .values(recipients=0, chosen_ids="[]", line_user_ids="[]")
        .execution_options(synchronize_session=False)
    )
    if found:
        _write_recipients(session, found)


def _has_message() -> ColumnElement[bool]:
    """Ask whether a person's message is still in the batch; unlinking takes it out."""
    return (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.batch_id == OutboxBatch.id,
            OutboxMessage.account_id == Account.id,
            OutboxMessage.state == "sending",
        )
        .correlate(OutboxBatch, Account)
        .exists()
    )


def _is_below_cap(
    session: Session, policy: Policy, ids: Sequence[int], now: datetime
) -> ColumnElement[bool]:
    if policy.marketing_cap is None:
        return true()
    is_advertising = OutboxBatch.priority == MARKETING
    first, last = session.execute(
        select(func.min(OutboxBatch.first_account_id), func.max(OutboxBatch.last_account_id)).where(
            OutboxBatch.id.in_(ids), is_advertising
        )
    ).one()
    if first is None:
        return true()
    full = policy.full_between(session, first, last, now=now)
    return or_(~is_advertising, Account.id.not_in(full))


def _write_recipients(session: Session, found: Sequence[Row[Any, Any, Any, Any]]) -> None:
    names = _names(session, [row.row_id for row in found])
    statement = (
        update(_BATCH)
        .where(_BATCH.c.id == bindparam("row_id"))
        .values(
            chosen_ids=bindparam("chosen"),
            line_user_ids=bindparam("users"),
            recipients=bindparam("count"),
            retry_key=bindparam("key"),
        )
    )
    rows = [{**row._mapping, "key": _key(names[row.row_id], row.chosen)} for row in found]
    session.connection().execute(statement, rows)


def _names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return what names each batch, also in a backup: its campaign, or the messages in it."""
    campaigns = (
        select(OutboxBatch.id, Campaign.key)
        .join(Campaign, Campaign.id == OutboxBatch.campaign_id)
        .where(OutboxBatch.id.in_(ids))
    )
    names = {batch_id: key for batch_id, key in session.execute(campaigns)}
    messages = (
        select(OutboxMessage.batch_id, OutboxMessage.retry_key)
        .where(OutboxMessage.batch_id.in_(ids))
        .order_by(OutboxMessage.id)
    )
    keys: defaultdict[int, list[str]] = defaultdict(list)
    for row in session.execute(messages):
        keys[row.batch_id].append(row.retry_key)
    return {one: names.get(one) or f"messages {' '.join(keys[one])}" for one in ids}


def _key(name: str, chosen: str) -> str:
    """Return the retry key of a batch that is about to be tried.

    It is the same again if the same request is made from a restored backup: LINE knows it for a
    day. Nor does it change when LINE did not take the request: then LINE does not know it.
    """
    return str(uuid.uuid5(_KEYS, f"{name}:{chosen}"))


def note_messages(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """Note in the messages that batches carry that they are tried, or that they are not carried."""
    if not ids:
        return
    rows, value = elements(session, OutboxBatch.chosen_ids)
    goes_to = (
        select(value)
        .select_from(OutboxBatch)
        .join(rows, true())
        .where(OutboxBatch.id == OutboxMessage.batch_id)
        .correlate(OutboxMessage)
    )
    carried = OutboxMessage.batch_id.in_(ids), OutboxMessage.state == "sending"
    why = "no longer allowed when it was to be sent"
    for is_meant, values in (
        (OutboxMessage.account_id.not_in(goes_to), {"state": "cancelled", "error": why}),
        (OutboxMessage.first_tried_at.is_(None), {"first_tried_at": now}),
    ):
        session.execute(
            update(OutboxMessage)
            .where(*carried, is_meant)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def forget_recipients(session: Session, ids: Sequence[int]) -> None:
    """Let batches that were not sent have their recipients chosen anew next time."""
    session.execute(
        update(OutboxBatch)
        .where(OutboxBatch.id.in_(ids), OutboxBatch.endpoint.is_(None))
        .values(chosen_ids=None, line_user_ids=None, retry_key=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.batch_id.in_(ids))
        .values(first_tried_at=None)
        .execution_options(synchronize_session=False)
    )
