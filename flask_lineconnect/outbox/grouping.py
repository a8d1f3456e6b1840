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
from typing import cast

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
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.json_lists import elements
from ..models.json_lists import json_list
from .policy import MARKETING
from .policy import Policy

#: LINE's limit on the recipients of one multicast.
MOST_RECIPIENTS = 500

_BATCH = cast(Table, OutboxBatch.__table__)


def gather(session: Session, rows: Sequence[Row[Any]], *, now: datetime) -> list[Row[Any]]:
    """Put messages that say the same to different people into batches; return the others.

    What was tried before stays alone: its request must not change.
    """
    groups: defaultdict[tuple[Any, ...], dict[int, Row[Any]]] = defaultdict(dict)
    alone: list[Row[Any]] = []
    for row in rows:
        group = groups[row.messages, row.category, row.expires_at]
        if row.first_tried_at is not None or row.account_id in group:
            alone.append(row)
        else:
            group[row.account_id] = row
    for members in groups.values():
        if len(members) < 2:
            alone += members.values()
            continue
        same = list(members.values())
        for start in range(0, len(same), MOST_RECIPIENTS):
            _make_batch(session, same[start : start + MOST_RECIPIENTS], now)
    return alone


def _make_batch(session: Session, rows: Sequence[Row[Any]], now: datetime) -> None:
    account_ids = sorted(row.account_id for row in rows)
    batch = OutboxBatch(
        category=rows[0].category,
        priority=rows[0].priority,
        messages=rows[0].messages,
        account_ids=json.dumps(account_ids),
        first_account_id=account_ids[0],
        last_account_id=account_ids[-1],
        recipients=len(account_ids),
        created_at=now,
        next_attempt_at=now,
        expires_at=rows[0].expires_at,
    )
    session.add(batch)
    session.flush()
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_([row.id for row in rows]))
        .values(batch_id=batch.id, next_attempt_at=None, first_tried_at=now)
        .execution_options(synchronize_session=False)
    )


def allowed_accounts(members: Select[Any] | None, category: str, policy: Policy) -> Select[Any]:
    """Return the accounts, of these members or of all, that may be sent such a message now."""
    accounts = select(Account.id.label("account_id")).where(
        policy.reason_against(literal(category)).is_(None)
    )
    return accounts if members is None else accounts.where(Account.member_id.in_(members))


def make_batches(
    session: Session, like: OutboxBatch, members: Select[Any] | None, policy: Policy
) -> int:
    """Write batches in one statement, however many members there are.

    :param like: what all of them have in common; itself not stored.
    :return: how many accounts they are for.
    """
    allowed = allowed_accounts(members, like.category, policy).subquery("allowed")
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
    untried = OutboxBatch.id.in_(ids), OutboxBatch.first_tried_at.is_(None)
    rows, value = elements(session, OutboxBatch.account_ids)
    chosen = (
        select(
            OutboxBatch.id.label("row_id"),
            json_list(session, Account.id).label("chosen_ids"),
            json_list(session, Account.line_user_id).label("chosen_users"),
            func.count().label("count"),
        )
        .select_from(OutboxBatch)
        .join(rows, true())
        .join(Account, Account.id == value)
        .where(
            *untried,
            policy.reason_against(cast(Any, OutboxBatch.category)).is_(None),
            _is_below_cap(session, policy, ids, now),
        )
        .group_by(OutboxBatch.id)
    )
    found = [{**row._mapping, "new_key": str(uuid.uuid4())} for row in session.execute(chosen)]
    session.execute(
        update(OutboxBatch)
        .where(*untried)
        .values(recipients=0, line_user_ids="[]")
        .execution_options(synchronize_session=False)
    )
    if found:
        _write_recipients(session, found)
    _leave_out_others(session, ids)


def _is_below_cap(session: Session, policy: Policy, ids: Sequence[int], now: datetime) -> Any:
    """Ask of advertising campaigns only: single messages were counted before they were gathered."""
    if policy.marketing_cap is None:
        return true()
    is_counted = OutboxBatch.campaign_id.is_not(None), OutboxBatch.priority == MARKETING
    first, last = session.execute(
        select(func.min(OutboxBatch.first_account_id), func.max(OutboxBatch.last_account_id)).where(
            OutboxBatch.id.in_(ids), *is_counted
        )
    ).one()
    if first is None:
        return true()
    full = policy.full_between(session, first, last, now=now)
    return or_(*(~condition for condition in is_counted), Account.id.not_in(full))


def _write_recipients(session: Session, found: Sequence[dict[str, Any]]) -> None:
    statement = (
        update(_BATCH)
        .where(_BATCH.c.id == bindparam("row_id"))
        .values(
            account_ids=bindparam("chosen_ids"),
            line_user_ids=bindparam("chosen_users"),
            recipients=bindparam("count"),
            retry_key=func.coalesce(_BATCH.c.retry_key, bindparam("new_key")),
        )
    )
    session.connection().execute(statement, list(found))


def _leave_out_others(session: Session, ids: Sequence[int]) -> None:
    """End the messages of those who may no longer be sent what their batch carries."""
    rows, value = elements(session, OutboxBatch.account_ids)
    goes_to = (
        select(value)
        .select_from(OutboxBatch)
        .join(rows, true())
        .where(OutboxBatch.id == OutboxMessage.batch_id, OutboxBatch.recipients > 0)
        .correlate(OutboxMessage)
    )
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.batch_id.in_(ids),
            OutboxMessage.state == "sending",
            OutboxMessage.account_id.not_in(goes_to),
        )
        .values(state="cancelled", error="no longer allowed when it was to be sent")
        .execution_options(synchronize_session=False)
    )
