"""Campaigns as rows: written down, changed, copied, and what of them is on its way stopped or not.

Everything inside the caller's transaction; ``control.py`` is what shops call.
"""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...errors import UsageError
from ...models import Campaign
from ...models import CampaignPlan
from ...models import OutboxBatch
from ...models import OutboxMessage
from ...models.base import insert_if_absent
from ...models.sqlite import begin_writing
from ...outbox.campaign_ends import end_campaigns
from ...outbox.queue import cancel_campaign
from ...state import LineState
from ..calendar.times import Recurring
from ..calendar.times import instant
from .beginning import begin_now
from .checking import refuse_problems
from .declared import Campaigns
from .definition import Definition
from .names import NAME
from .reading import read_campaign
from .reading import write_campaign

#: States in which a plan may be changed, and in which there is something to stop.
CHANGEABLE, LIVE = ("draft", "planned"), ("planned", "running", "paused")
_AT_ONCE = timedelta(0)


class ChangedMeanwhile(UsageError):
    """Somebody else changed a campaign since it was read."""


def find_plan(session: Session, name: str) -> CampaignPlan | None:
    """Return a plan by its name, as it is now."""
    statement = select(CampaignPlan).where(CampaignPlan.name == name)
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def definition_of(plan: CampaignPlan) -> Definition:
    """Return what a plan's row says."""
    return read_campaign(plan.name, plan.definition)


def save_plan(line: LineState, definition: Definition, *, after: int | None = None) -> CampaignPlan:
    """Write a campaign down as a draft, or change one that has not begun.

    :param after: the version that the owner had before them; another one's is not overwritten.
    :raises UsageError: it has begun or ended.
    :raises ChangedMeanwhile: somebody else changed it meanwhile.
    """
    session, now = line.session, line.clock()
    begin_writing(session)
    values: dict[str, Any] = {
        "label": str(definition.label),
        "definition": write_campaign(definition),
    }
    made = insert_if_absent(
        session,
        CampaignPlan,
        name=definition.name,
        version=1,
        state="draft",
        created_at=now,
        updated_at=now,
        **values,
    )
    plan = _locked(session, definition.name)
    if made or plan.definition == values["definition"]:
        return plan
    if plan.state not in CHANGEABLE:
        raise UsageError(
            f"the campaign {plan.name} is {plan.state} and can't be changed; "
            "`flask line campaign copy` makes another one of it"
        )
    _refuse_older(plan, after)
    plan.label, plan.definition = str(definition.label), values["definition"]
    plan.version, plan.updated_at = plan.version + 1, now
    # What was to begin at its time has to be let go again.
    plan.state, plan.next_at, plan.next_day, plan.problem = "draft", None, None, None
    session.flush()
    return plan


def plan_named(line: LineState, name: str) -> CampaignPlan:
    """Return a plan by its name; one that the shop declares is written down at first use.

    :raises UsageError: there is none; names the nearest.
    """
    found = find_plan(line.session, name)
    return save_plan(line, line.part(Campaigns).get(name)) if found is None else found


def let_go(
    line: LineState, name: str, *, after: int | None = None, hold: timedelta = _AT_ONCE
) -> CampaignPlan:
    """Let a campaign begin: at its time, or now if it has none or that is past.

    :param after: the version that was looked at; another one does not begin.
    :param hold: how long it can still be called back where it would begin now.
    :raises UsageError: something is wrong with it, or it has ended. Once begun, nothing changes.
    :raises ChangedMeanwhile: it is at another version.
    """
    plan_named(line, name)
    session, now = line.session, line.clock()
    begin_writing(session)
    plan = _locked(session, name)
    if plan.state in ("running", "planned"):
        return plan
    if plan.state != "draft":
        more = "resume it" if plan.state == "paused" else "copy it to send it again"
        raise UsageError(f"the campaign {name} is {plan.state}; {more}")
    _refuse_older(plan, after)
    definition = definition_of(plan)
    refuse_problems(line, definition)
    set_time(line, plan, definition, now)
    if plan.next_at is None and hold:
        plan.next_at = now + hold
    plan.updated_at, plan.problem = now, None
    if plan.next_at is None:
        start(line, plan, definition, now)
    else:
        plan.state = "planned"
        after_commit(session, partial(line.engine.wake, "schedule"))
    session.flush()
    return plan


def call_back(line: LineState, name: str) -> CampaignPlan:
    """Make a draft again of what waits for its time, and has not begun.

    :raises UsageError: there is none, or it has begun.
    """
    session = line.session
    begin_writing(session)
    plan = None if find_plan(session, name) is None else _locked(session, name)
    if plan is None or plan.state != "planned":
        raise UsageError(_not_there(session, name, plan))
    plan.state, plan.next_at, plan.next_day, plan.problem = "draft", None, None, None
    plan.updated_at = line.clock()
    session.flush()
    return plan


def ask_for_approval(line: LineState, name: str, *, by: str, after: int) -> CampaignPlan:
    """Note who wants a draft to begin; a change of it, or its beginning, ends that.

    :param by: who; another one lets it go.
    :raises UsageError: there is none, or it is no draft.
    :raises ChangedMeanwhile: it is at another version.
    """
    session = line.session
    begin_writing(session)
    plan = None if find_plan(session, name) is None else _locked(session, name)
    if plan is None or plan.state != "draft":
        raise UsageError(_not_there(session, name, plan))
    _refuse_older(plan, after)
    plan.asked_by, plan.asked_version = by, plan.version
    session.flush()
    return plan


def set_time(line: LineState, plan: CampaignPlan, definition: Definition, now: datetime) -> None:
    """Note when a plan begins, or begins next; ``None``: at once."""
    at, zone = definition.at, line.config.zone
    plan.next_at = plan.next_day = None
    if isinstance(at, Recurring):
        coming = at.first(now, zone)
        plan.next_at, plan.next_day = coming.at, coming.day
    elif at is not None:
        moment = instant(at.date(), at.time(), zone) if at.tzinfo is None else at
        plan.next_at = moment if moment > now else None


def start(line: LineState, plan: CampaignPlan, definition: Definition, now: datetime) -> Campaign:
    """Begin a plan that begins once."""
    campaign = begin_now(line, plan, definition, day=None, now=now)
    plan.state = "finished" if campaign.state == "finished" else "running"
    plan.next_at = None
    return campaign


def copy_plan(line: LineState, name: str, new_name: str) -> CampaignPlan:
    """Write a campaign down once more, under another name, as a draft without a time.

    :raises UsageError: there is none, or the new name is taken or none.
    """
    data = dict(plan_named(line, name).definition)
    if not NAME.fullmatch(new_name):
        raise UsageError(f"{new_name!r}: a name has small letters, digits and underscores")
    if find_plan(line.session, new_name) or line.part(Campaigns).find(new_name):
        raise UsageError(f"there is a campaign {new_name} already")
    definition = read_campaign(new_name, data)
    if isinstance(definition.at, datetime):
        data.pop("at")
    return save_plan(line, read_campaign(new_name, data))


def pause(line: LineState, name: str) -> None:
    """Let nothing of a campaign begin or be sent, until it is resumed; what LINE has, it has.

    :param name: of a plan, or the key of a campaign that a program began.
    :raises UsageError: there is none, or nothing of it runs.
    """
    session, now = line.session, line.clock()
    begin_writing(session)
    plan = find_plan(session, name)
    campaigns = _campaigns(session, name, plan, "running")
    is_planned = plan is not None and plan.state in ("planned", "running")
    if not campaigns and not is_planned:
        raise UsageError(_not_there(session, name, plan))
    for campaign in campaigns:
        campaign.state = "paused"
    session.flush()
    _put_to_sleep(session, [one.id for one in campaigns if one.plan_id is not None], None)
    _put_to_sleep(session, [one.id for one in campaigns if one.plan_id is None], now)
    if plan is not None:
        plan.state, plan.updated_at = "paused", now
    session.flush()


def resume(line: LineState, name: str) -> None:
    """Let a paused campaign go on; of times that passed meanwhile none is made good.

    :raises UsageError: there is none, or it is not paused.
    """
    session, now = line.session, line.clock()
    begin_writing(session)
    plan = find_plan(session, name)
    campaigns = _campaigns(session, name, plan, "paused")
    is_paused = plan is not None and plan.state == "paused"
    if not campaigns and not is_paused:
        raise UsageError(_not_there(session, name, plan))
    ids = [one.id for one in campaigns]
    for campaign in campaigns:
        campaign.state = "running"
    session.flush()
    for model in (OutboxBatch, OutboxMessage):
        is_asleep = model.state == "queued", model.next_attempt_at.is_(None)
        session.execute(
            update(model)
            .where(model.campaign_id.in_(ids), *is_asleep)
            .values(next_attempt_at=now)
            .execution_options(synchronize_session=False)
        )
    end_campaigns(session, Campaign.id.in_(ids), now=now)
    if plan is not None and is_paused:
        _go_on(line, plan, now)
    session.flush()
    for work in ("delivery", "schedule"):
        after_commit(session, partial(line.engine.wake, work))


def _go_on(line: LineState, plan: CampaignPlan, now: datetime) -> None:
    definition = definition_of(plan)
    began = select(Campaign.id).where(Campaign.plan_id == plan.id).limit(1)
    has_begun = line.session.scalar(began) is not None
    plan.updated_at, plan.problem = now, None
    if isinstance(definition.at, Recurring):
        set_time(line, plan, definition, now)
        plan.state = "running" if has_begun else "planned"
    elif has_begun:
        is_running = line.session.scalar(began.where(Campaign.state == "running")) is not None
        plan.state = "running" if is_running else "finished"
    else:
        # Its moment may be past: then it begins with the engine's next look.
        plan.state, plan.next_at = "planned", plan.next_at or now


def cancel(line: LineState, name: str) -> list[Campaign]:
    """End a campaign: nothing of it begins any more, and what LINE has not got is not sent.

    :return: what of it was stopped on its way.
    :raises UsageError: there is none, or it has ended.
    """
    session, now = line.session, line.clock()
    begin_writing(session)
    plan = find_plan(session, name)
    campaigns = _campaigns(session, name, plan, "running", "paused")
    is_live = plan is not None and plan.state in (*LIVE, "draft")
    if not campaigns and not is_live:
        raise UsageError(_not_there(session, name, plan))
    for campaign in campaigns:
        campaign.next_at = None
        cancel_campaign(session, campaign, now=now)
    if plan is not None:
        plan.state, plan.next_at, plan.updated_at = "cancelled", None, now
    session.flush()
    return list(campaigns)


def _refuse_older(plan: CampaignPlan, after: int | None) -> None:
    if after is not None and after != plan.version:
        raise ChangedMeanwhile(
            f"somebody else changed the campaign {plan.name} meanwhile: it is at version "
            f"{plan.version}, not {after}; read it again"
        )


def _locked(session: Session, name: str) -> CampaignPlan:
    statement = select(CampaignPlan).where(CampaignPlan.name == name).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _campaigns(
    session: Session, name: str, plan: CampaignPlan | None, *states: str
) -> list[Campaign]:
    is_it: ColumnElement[bool] = Campaign.key == name
    if plan is not None:
        is_it = or_(is_it, Campaign.plan_id == plan.id)
    statement = (
        select(Campaign)
        .where(is_it, Campaign.state.in_(states))
        .order_by(Campaign.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def _put_to_sleep(session: Session, ids: list[int], until: datetime | None) -> None:
    """Let nobody look at what is queued; what a program wants sent later is put off when it is due.

    :param until: only what was due by then.
    """
    for model in (OutboxBatch, OutboxMessage):
        is_meant: list[Any] = [model.campaign_id.in_(ids), model.state == "queued"]
        if until is not None:
            is_meant.append(model.next_attempt_at <= until)
        session.execute(
            update(model)
            .where(*is_meant)
            .values(next_attempt_at=None)
            .execution_options(synchronize_session=False)
        )


def _not_there(session: Session, name: str, plan: CampaignPlan | None) -> str:
    found = plan or session.scalars(select(Campaign).where(Campaign.key == name)).one_or_none()
    if found is None:
        return f"there is no campaign {name}"
    return f"campaign {name} is {found.state}"
