"""Campaigns end when nothing of theirs is on its way any more, and so do the plans behind them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Campaign
from ..models import CampaignPlan
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import IS_UNSENT


def end_campaigns(session: Session, is_meant: ColumnElement[bool], *, now: datetime) -> None:
    """End running campaigns of which nothing is on its way; one worker at a time looks."""
    running = (
        select(Campaign.id)
        # One whose messages are still being written has not come to its end.
        .where(is_meant, Campaign.state == "running", Campaign.next_at.is_(None))
        .order_by(Campaign.id)
        .with_for_update()
    )
    ids = session.scalars(running).all()
    is_open = [
        select(model.id).where(model.campaign_id == Campaign.id, text(IS_UNSENT)).exists()
        for model in (OutboxBatch, OutboxMessage)
    ]
    ended = session.scalars(
        update(Campaign)
        .where(Campaign.id.in_(ids), ~or_(*is_open))
        .values(state="finished", finished_at=now)
        .returning(Campaign.plan_id)
        .execution_options(synchronize_session=False)
    ).all()
    plan_ids = {plan_id for plan_id in ended if plan_id is not None}
    if plan_ids:
        _end_plans(session, plan_ids, now)


def _end_plans(session: Session, ids: Collection[int], now: datetime) -> None:
    """End plans that do not begin again, when all that began of them has ended."""
    is_on = Campaign.plan_id == CampaignPlan.id, Campaign.state.in_(("running", "paused"))
    session.execute(
        update(CampaignPlan)
        .where(
            CampaignPlan.id.in_(ids),
            CampaignPlan.state == "running",
            CampaignPlan.next_at.is_(None),
            ~select(Campaign.id).where(*is_on).exists(),
        )
        .values(state="finished", updated_at=now)
        .execution_options(synchronize_session=False)
    )
