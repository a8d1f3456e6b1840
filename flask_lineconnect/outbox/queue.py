"""Put messages into the outbox, inside the caller's transaction. Next: ``delivery.py``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..messages.limits import check_messages
from ..models import Account
from ..models import OutboxMessage
from ..models.base import insert_if_absent

#: How long a worker may take for one message before another takes it over.
LEASE = timedelta(seconds=60)


def enqueue(
    session: Session,
    account: Account,
    messages: Sequence[dict[str, Any]],
    *,
    key: str | None,
    now: datetime,
) -> OutboxMessage:
    """Put messages into the outbox; an engine sends them after the caller's commit.

    :param messages: 1 to 5 LINE message objects; stored as they are, so that a retry is identical.
    :param key: names this message; enqueuing the same key again returns the first row.
    :raises InvalidMessage: a message breaks a LINE limit, which the error names.

    Source: Messaging API reference, "Send push message".
    """
    check_messages(messages)
    retry_key = str(uuid.uuid4())
    insert_if_absent(
        session,
        OutboxMessage,
        account_id=account.id,
        messages=list(messages),
        dedupe_key=key,
        retry_key=retry_key,
        state="queued",
        attempts=0,
        created_at=now,
        next_attempt_at=now,
    )
    is_it = OutboxMessage.retry_key == retry_key if key is None else OutboxMessage.dedupe_key == key
    return session.scalars(select(OutboxMessage).where(is_it)).one()


def claim(session: Session, *, now: datetime) -> int | None:
    """Take the oldest due message, in one statement, and commit; ``None`` if there is none."""
    due = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.state.in_(("queued", "sending")),
            OutboxMessage.next_attempt_at <= now,
        )
        .order_by(OutboxMessage.next_attempt_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == due.scalar_subquery(), OutboxMessage.next_attempt_at <= now)
        .values(state="sending", attempts=OutboxMessage.attempts + 1, next_attempt_at=now + LEASE)
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    message_id = session.execute(statement).scalar_one_or_none()
    session.commit()
    return message_id
