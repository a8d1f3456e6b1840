"""A campaign begins: its recipients are frozen, and equal messages go into the outbox in batches.

Who they are is one statement, and so is each batch of everybody with the same variant and language.
Messages that differ are written afterwards, a portion at a time: ``making.py``.
"""

from __future__ import annotations

import uuid
from datetime import date
from datetime import datetime
from functools import partial
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import cast as sql_cast
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import types

from ...after_commit import after_commit
from ...errors import UsageError
from ...models import Account
from ...models import Campaign
from ...models import CampaignMember
from ...models import CampaignPlan
from ...models import OutboxBatch
from ...models.base import insert_if_absent
from ...outbox import grouping
from ...outbox.queue import Wish
from ...outbox.rules import Rules
from ...outbox.send_requests import BROADCAST
from ...shop.categories import category_named
from ...state import LineState
from ..scenarios.wordings import StepMessages
from .choosing import chosen_by
from .choosing import experiment_of
from .definition import Definition
from .definition import Variant
from .linking import with_shared_links
from .messages import is_personal
from .messages import messages_for
from .messages import reader_languages
from .messages import write_equal
from .names import campaign_key
from .reading import write_campaign
from .sides import side_of

#: Of retry keys; any UUID that nobody else uses.
_KEYS = uuid.UUID("c9a0f1f7-57ab-4c0c-8f4c-21f7f0b7a3de")
_MEMBER = cast(Table, CampaignMember.__table__)


def begin_now(
    line: LineState, plan: CampaignPlan, definition: Definition, *, day: date | None, now: datetime
) -> Campaign:
    """Begin a campaign, inside the caller's transaction; a second beginning changes nothing.

    :param day: of one that comes again: which time this is.
    :raises UsageError: a segment, an attribute, a value or the category is gone, or a program uses
        the key.
    """
    session, key = line.session, campaign_key(definition.name, day)
    is_first = insert_if_absent(
        session,
        Campaign,
        key=key,
        category=definition.category,
        state="running",
        is_batched=True,
        recipients=0,
        created_at=now,
        plan_id=plan.id,
        definition=write_campaign(definition),
        meant=0,
        held_out=0,
        holdout_percent=definition.hold_out,
    )
    campaign = session.scalars(select(Campaign).where(Campaign.key == key)).one()
    if campaign.plan_id != plan.id:
        raise UsageError(
            f"the key {key} is another campaign's, which a program began; take another name"
        )
    if not is_first:
        return campaign
    messages = messages_for(line)
    if definition.is_broadcast:
        _to_all_friends(line, campaign, definition, messages, now)
    else:
        _freeze(line, campaign, definition, now)
        if is_personal(definition, messages):
            campaign.next_at = now
        else:
            _put_batches(line, campaign, definition, messages, now)
    if campaign.next_at is None and campaign.recipients == 0:
        campaign.state, campaign.finished_at = "finished", now
    session.flush()
    after_commit(session, partial(line.engine.wake, "schedule" if campaign.next_at else "delivery"))
    return campaign


def _freeze(line: LineState, campaign: Campaign, definition: Definition, now: datetime) -> None:
    """Write down for whom it is, on which side, and who is left out and why; one statement."""
    session = line.session
    chosen = chosen_by(line, definition, now).subquery("chosen")
    key, is_held_out = chosen.c.member_key, chosen.c.is_held_out
    weights = {variant.name: variant.weight for variant in definition.variants}
    several = len(definition.variants) > 1
    variant = side_of(experiment_of(definition.name), key, weights) if several else literal("")
    frozen = select(
        literal(campaign.id),
        key,
        chosen.c.account_id,
        variant,
        sql_cast(is_held_out == 1, types.Boolean),
        chosen.c.reason,
        # Of whoever has no LINE account nothing can ever be said here.
    ).where(chosen.c.account_id.is_not(None))
    names = ["campaign_id", "member_id", "account_id", "variant", "is_held_out", "reason"]
    session.execute(insert(_MEMBER).from_select(names, frozen, include_defaults=False))
    share = func.coalesce(func.sum(sql_cast(CampaignMember.is_held_out, types.Integer)), 0)
    counted = select(func.count(), share).where(CampaignMember.campaign_id == campaign.id)
    meant, held_out = session.execute(counted).one()
    campaign.meant, campaign.held_out = meant, int(held_out)


def is_recipient(campaign_id: int) -> ColumnElement[bool]:
    """Return the condition for members of a campaign to whom something is sent."""
    return and_(
        CampaignMember.campaign_id == campaign_id,
        CampaignMember.is_held_out.is_(False),
        CampaignMember.reason.is_(None),
    )


def _put_batches(
    line: LineState,
    campaign: Campaign,
    definition: Definition,
    messages: StepMessages,
    now: datetime,
) -> None:
    policy = line.part(Rules).policy
    for variant in definition.variants:
        for language in reader_languages():
            row = _batch(line, campaign, definition, now)
            written = write_equal(line, messages, variant, language)
            row.messages = with_shared_links(line, definition, written, campaign.id, variant.name)
            to = and_(_reads(language), Account.id.in_(_accounts(campaign, definition, variant)))
            campaign.recipients = grouping.make_batches(line.session, row, to, policy)


def _accounts(campaign: Campaign, definition: Definition, variant: Variant) -> Any:
    of_variant = CampaignMember.variant == variant.name
    return select(CampaignMember.account_id).where(is_recipient(campaign.id), of_variant)


def _reads(language: str) -> ColumnElement[bool]:
    """Ask whether an account's reader is written to in a language; the first is for all others."""
    first, *others = reader_languages()
    if language != first:
        return Account.language == language
    return or_(Account.language.is_(None), Account.language.not_in(others))


def _to_all_friends(
    line: LineState,
    campaign: Campaign,
    definition: Definition,
    messages: StepMessages,
    now: datetime,
) -> None:
    """Put one request into the outbox; LINE knows who the friends are, and we about how many."""
    [variant] = definition.variants
    friends = select(func.count(), func.min(Account.id), func.max(Account.id)).where(
        Account.is_friend.is_not(False)
    )
    count, first, last = line.session.execute(friends).one()
    row = _batch(line, campaign, definition, now)
    row.endpoint = BROADCAST
    # The same again from a restored backup: LINE knows it for a day.
    row.retry_key = str(uuid.uuid5(_KEYS, campaign.key))
    written = write_equal(line, messages, variant, reader_languages()[0])
    row.messages = with_shared_links(line, definition, written, campaign.id, variant.name)
    row.account_ids = row.chosen_ids = "[]"
    row.first_account_id, row.last_account_id, row.recipients = first or 0, last or 0, count
    line.session.add(row)
    campaign.recipients = campaign.meant = count
    line.session.flush()


def _batch(
    line: LineState, campaign: Campaign, definition: Definition, now: datetime
) -> OutboxBatch:
    """Return what all batches of a campaign have in common; itself not stored."""
    wish = wish_of(line, definition, now)
    return OutboxBatch(
        campaign_id=campaign.id,
        category=wish.category.name,
        priority=wish.priority,
        created_at=now,
        next_attempt_at=now,
        expires_at=wish.expires_at,
    )


def wish_of(line: LineState, definition: Definition, began_at: datetime) -> Wish:
    """Return how a campaign that began at a time is sent."""
    expires = definition.expires
    expires_at = None if expires is None else expires.of_moment(began_at, line.config.zone)
    category = category_named(line.shop.categories, definition.category)
    return Wish(category, expires_at=expires_at)
