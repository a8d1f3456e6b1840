"""For whom a campaign was meant, in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import union

from ...models import Account
from ...models import Campaign
from ...models import CampaignMember
from ...models import OutboxBatch
from ...models import OutboxMessage
from ...models.json_lists import elements_on


def members_of_campaign(key: str, dialect: str) -> Select[Any]:
    """Return the members for whom a campaign was meant, each once."""
    alone = (
        select(Account.member_id.label("member_key"))
        .join(OutboxMessage, OutboxMessage.account_id == Account.id)
        .join(Campaign, Campaign.id == OutboxMessage.campaign_id)
        .where(Campaign.key == key, Account.member_id.is_not(None))
    )
    rows, account_id = elements_on(dialect, OutboxBatch.account_ids)
    in_batches = (
        select(Account.member_id.label("member_key"))
        .select_from(Campaign)
        .join(OutboxBatch, OutboxBatch.campaign_id == Campaign.id)
        .join(rows, true())
        .join(Account, Account.id == account_id)
        .where(Campaign.key == key, Account.member_id.is_not(None))
    )
    # Batches are forgotten earlier; whom a campaign left out it was not for.
    frozen = (
        select(CampaignMember.member_id.label("member_key"))
        .join(Campaign, Campaign.id == CampaignMember.campaign_id)
        .where(
            Campaign.key == key,
            CampaignMember.is_held_out.is_(False),
            CampaignMember.reason.is_(None),
        )
    )
    all_of_them = union(alone, in_batches, frozen).subquery()
    return select(all_of_them.c.member_key)
