"""For whom a campaign is, and who of them is sent nothing and why; in SQL."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select

from ...models import Account
from ...models import Campaign
from ...models import CampaignPlan
from ...models import PublishedScenario
from ...models import Touch
from ...outbox.rules import Rules
from ...shop.categories import category_named
from ...state import LineState
from ..segments.audience import members_where
from ..segments.reach import reasons_for
from ..segments.sends import categories_of
from .definition import Definition
from .definition import Everybody
from .definition import SentLately
from .sides import below

#: Why whoever got a message that the campaign names is left out.
SENT_LATELY = "sent lately"


def members_of(line: LineState, definition: Definition) -> Select[Any]:
    """Return the keys of the members for whom a campaign is.

    :raises InvalidRule: a segment or an attribute is gone.
    """
    if isinstance(definition.to, Everybody):
        return select(Account.member_id.label("member_key")).where(Account.member_id.is_not(None))
    return members_where(line, definition.to)


def chosen_by(line: LineState, definition: Definition, now: datetime) -> Select[Any]:
    """Return each of these members: ``member_key``, ``account_id``, ``reason``, ``is_held_out``.

    ``reason``: why nothing is sent to them; held out are only those without one.

    :raises InvalidRule: a segment or an attribute is gone.
    """
    category = category_named(line.shop.categories, definition.category)
    members = members_of(line, definition)
    policy = line.part(Rules).policy
    asked = reasons_for(line.session, members, category, policy, now)
    found = asked.add_columns(Account.id.label("account_id")).subquery("asked")
    key = found.c.member_key
    reason: ColumnElement[str | None] = found.c.reason
    lately = [_got_lately(line, one, key, now) for one in definition.unless_sent]
    if lately:
        had_one = case((or_(*lately), literal(SENT_LATELY)), else_=null())
        reason = func.coalesce(reason, had_one)
    is_held_out = (
        case((and_(reason.is_(None), _is_held_out(definition, key)), literal(1)), else_=literal(0))
        if definition.hold_out
        else literal(0)
    )
    return select(
        key.label("member_key"),
        found.c.account_id.label("account_id"),
        reason.label("reason"),
        is_held_out.label("is_held_out"),
    )


def experiment_of(name: str) -> str:
    """Return what names the comparison of a campaign's variants; one that comes again keeps it."""
    return f"campaign:{name}"


def _is_held_out(definition: Definition, key: ColumnElement[Any]) -> ColumnElement[bool]:
    return below(f"{experiment_of(definition.name)}:hold-out", key, definition.hold_out)


def _got_lately(
    line: LineState, one: SentLately, key: ColumnElement[Any], now: datetime
) -> ColumnElement[bool]:
    touches = select(Touch.id).where(
        Touch.member_id == key, Touch.accepted_at >= now - timedelta(days=one.days)
    )
    if one.kind == "scenario":
        scenario = select(PublishedScenario.id).where(PublishedScenario.name == one.name)
        return touches.where(Touch.scenario_id.in_(scenario)).exists()
    if one.kind == "campaign":
        plan = select(CampaignPlan.id).where(CampaignPlan.name == one.name)
        is_it = or_(Campaign.key == one.name, Campaign.plan_id.in_(plan))
        return touches.where(Touch.campaign_id.in_(select(Campaign.id).where(is_it))).exists()
    names = categories_of(one.name, line.shop.categories, place="unless_sent")
    if names is not None:
        touches = touches.where(Touch.category.in_(names))
    return touches.exists()
