"""Put messages into the outbox, inside the caller's transaction. Next: ``claims.py``."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import UsageError
from ..messages.limits import check_messages
from ..messages.limits import is_storable
from ..models import Account
from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.base import insert_if_absent
from ..shop.categories import Category
from . import grouping
from .policy import MARKETING
from .policy import TRANSACTIONAL
from .policy import Policy

#: Characters of a key, as in the tables.
MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Wish:
    """How something is to be sent.

    :ivar send_at: not before; ``None``: at once.
    :ivar expires_at: not after.
    """

    category: Category
    send_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def priority(self) -> int:
        """What customers wait for goes before advertising."""
        return MARKETING if self.category.is_marketing else TRANSACTIONAL


def check_key(key: object) -> None:
    """Check that a key is a text which every database takes.

    :raises UsageError: it is not.
    """
    if not isinstance(key, str):
        raise UsageError(f"key is of the type {type(key).__name__}; give it as a text")
    if len(key) > MAX_KEY:
        raise UsageError(f"key is longer than {MAX_KEY} characters")
    if not is_storable(key):
        raise UsageError("key has a NUL or half of a character, which no database takes")


def enqueue(
    session: Session,
    account: Account,
    messages: Sequence[dict[str, Any]],
    wish: Wish,
    *,
    key: str | None,
    campaign: str | None = None,
    now: datetime,
) -> OutboxMessage:
    """Put messages into the outbox; an engine sends them after the caller's commit.

    :param messages: 1 to 5 LINE message objects; stored as they are, so that a retry is identical.
    :param key: names this message; enqueuing the same key again returns the first row.
    :param campaign: the key of the campaign that it belongs to.
    :raises InvalidMessage: a message breaks a LINE limit, which the error names.
    :raises UsageError: the key is none.

    Source: Messaging API reference, "Send push message".
    """
    check_messages(messages)
    if key is not None:
        check_key(key)
    retry_key = str(uuid.uuid4())
    insert_if_absent(
        session,
        OutboxMessage,
        account_id=account.id,
        messages=to_json(messages),
        category=wish.category.name,
        priority=wish.priority,
        campaign_id=None if campaign is None else _named_campaign(session, campaign, wish, now).id,
        dedupe_key=key,
        retry_key=retry_key,
        state="queued",
        attempts=0,
        claims=0,
        is_uncertain=False,
        created_at=now,
        next_attempt_at=wish.send_at or now,
        expires_at=wish.expires_at,
    )
    is_it = OutboxMessage.retry_key == retry_key if key is None else OutboxMessage.dedupe_key == key
    return session.scalars(select(OutboxMessage).where(is_it)).one()


def begin_campaign(
    session: Session,
    to: grouping.Meant,
    messages: Sequence[dict[str, Any]],
    wish: Wish,
    policy: Policy,
    *,
    key: str,
    now: datetime,
) -> Campaign:
    """Put the same messages for many people into the outbox, in batches; one statement.

    Whoever may not be sent it now is left out, and is asked for again when it is sent. Beginning a
    campaign again changes nothing.

    :param to: member keys; ``None``: everybody who is linked.
    :raises InvalidMessage: a message breaks a LINE limit, which the error names.
    :raises UsageError: the key is none.
    """
    check_messages(messages)
    campaign = _named_campaign(session, key, wish, now)
    if not _take_for_batches(session, campaign):
        return campaign
    row = OutboxBatch(
        campaign_id=campaign.id,
        category=wish.category.name,
        priority=wish.priority,
        messages=to_json(messages),
        created_at=now,
        next_attempt_at=wish.send_at or now,
        expires_at=wish.expires_at,
    )
    campaign.recipients = grouping.make_batches(session, row, to, policy)
    if campaign.recipients == 0:
        campaign.state, campaign.finished_at = "finished", now
    session.flush()
    return campaign


def count_recipients(
    session: Session, to: grouping.Meant, category: Category, policy: Policy, *, now: datetime
) -> int:
    """Return how many of these accounts may be sent such a message now."""
    allowed = grouping.allowed_accounts(to, category.name, policy, now=now).subquery()
    return session.scalar(select(func.count()).select_from(allowed)) or 0


def to_json(messages: Sequence[dict[str, Any]]) -> str:
    """Return message objects as they go to LINE."""
    return json.dumps(list(messages), ensure_ascii=False, separators=(",", ":"))


def cancel_campaign(session: Session, campaign: Campaign, *, now: datetime) -> None:
    """Stop what a campaign has not begun to send; what is on its way stays."""
    for model in (OutboxBatch, OutboxMessage):
        session.execute(
            update(model)
            .where(model.campaign_id == campaign.id, model.state == "queued")
            .values(state="cancelled", next_attempt_at=None, error="the campaign was cancelled")
            .execution_options(synchronize_session=False)
        )
    campaign.state, campaign.finished_at = "cancelled", now
    session.flush()


def _named_campaign(session: Session, key: str, wish: Wish, now: datetime) -> Campaign:
    """Return the campaign with this key, which is made at first use."""
    check_key(key)
    insert_if_absent(
        session,
        Campaign,
        key=key,
        category=wish.category.name,
        state="running",
        is_batched=False,
        recipients=0,
        created_at=now,
    )
    return session.scalars(select(Campaign).where(Campaign.key == key)).one()


def _take_for_batches(session: Session, campaign: Campaign) -> bool:
    """Let one caller make a campaign's batches, also when several race."""
    statement = (
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.is_batched.is_(False))
        .values(is_batched=True, state="running", finished_at=None)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    )
    is_taken = session.execute(statement).first() is not None
    session.refresh(campaign)
    return is_taken
