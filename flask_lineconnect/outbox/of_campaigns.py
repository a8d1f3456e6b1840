"""What a campaign says of its messages just before they go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null

from ..models import Campaign
from ..models.outbox import CAMPAIGN_STATES


def campaign_ended() -> Any:
    """Return why a message is wanted no more; ``NULL``: it is, or belongs to no campaign."""
    is_cancelled = Campaign.state == "cancelled"
    return case((is_cancelled, literal("the campaign was cancelled")), else_=null())


def campaign_is_paused() -> ColumnElement[bool]:
    """Ask whether a message's campaign rests."""
    return func.coalesce(Campaign.state == "paused", false())


def campaign_is_strange() -> Any:
    """Ask whether a campaign is in a state that only a newer version knows."""
    return func.coalesce(Campaign.state.not_in(CAMPAIGN_STATES), false()).label("is_strange")
