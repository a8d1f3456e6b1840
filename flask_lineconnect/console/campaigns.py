"""Campaigns: what is planned, what went out and to how many; pause, resume and cancel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..errors import Refused
from ..errors import UsageError
from ..marketing.campaigns import planning
from ..models import Campaign
from ..models import CampaignPlan
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import ResultCount
from ..models.outbox import UNSENT
from ..state import LineState
from ..state import current_line
from .audit import note
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say
from .why import why

PAGE = 20
#: Plans that have not come to their end.
OPEN = ("draft", "planned", "running", "paused")


@dataclass(frozen=True, slots=True)
class Sent:
    """One campaign that has begun.

    :ivar number: of its page.
    :ivar name: what it is known by to those who stop it: its plan's name, or its key.
    """

    number: int
    label: str
    name: str
    state: str
    began_at: datetime
    recipients: int
    held_out: int
    accepted: int
    waiting: int


def campaigns() -> str:
    """List campaigns: plans that are open, then what has begun, the latest first."""
    line = current_line
    plans = line.session.scalars(
        select(CampaignPlan).where(CampaignPlan.state.in_(OPEN)).order_by(CampaignPlan.id.desc())
    ).all()
    before = request.args.get("before", type=int)
    rows, after = _page(line, before)
    return render(
        "campaigns",
        plans=[] if before else plans,
        sent=rows,
        after=after,
        states=_states(),
        badges=BADGES,
        why=why,
    )


BADGES = {"running": "good", "planned": "info", "paused": "warn"}


def pause_campaign() -> Response:
    """Let nothing of a campaign begin or be sent, until it is resumed."""
    return _change(planning.pause, "campaign-paused", _("一時停止しました。"))


def resume_campaign() -> Response:
    """Let a paused campaign go on."""
    return _change(planning.resume, "campaign-resumed", _("再開しました。"))


def cancel_campaign() -> Response:
    """End a campaign; what LINE has got can't be called back."""
    said = _("取り消しました。すでに届いた分は取り消せません。")
    return _change(planning.cancel, "campaign-cancelled", said)


def _change(act: Callable[[LineState, str], object], action: str, said: str) -> Response:
    line, name = current_line, request.form.get("name", "")
    try:
        act(line, name)
    except UsageError:
        line.session.rollback()
        raise Refused(
            _("この配信は、もう終わったか、ほかの方が先に変えました。"), step="campaign"
        ) from None
    note(action, subject=f"campaign:{name}")
    line.session.commit()
    line.engine.wake("delivery")
    say(said)
    return go("campaigns")


def _page(line: LineState, before: int | None) -> tuple[list[Sent], int | None]:
    statement = (
        select(Campaign, CampaignPlan)
        .outerjoin(CampaignPlan, CampaignPlan.id == Campaign.plan_id)
        .order_by(Campaign.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None and 0 < before < 2**63:
        statement = statement.where(Campaign.id < before)
    found = line.session.execute(statement).all()
    counts = _counts(line, [row.id for row, _plan in found[:PAGE]])
    rows = [_sent(row, plan, counts) for row, plan in found[:PAGE]]
    return rows, found[PAGE - 1][0].id if len(found) > PAGE else None


def _counts(line: LineState, ids: Sequence[int]) -> Counter[tuple[int, str]]:
    """Return to how many recipients each campaign was or will be sent, by state: three queries.

    Messages are forgotten after some months; what was counted of them stays.
    """
    counts: Counter[tuple[int, str]] = Counter()
    recipients: Any = func.coalesce(func.sum(OutboxBatch.recipients), 0)
    for model, count in ((OutboxMessage, func.count()), (OutboxBatch, recipients)):
        statement = (
            select(model.campaign_id, model.state, count)
            .where(model.campaign_id.in_(ids))
            .group_by(model.campaign_id, model.state)
        )
        for key, state, number in line.session.execute(statement):
            counts[key, state] += int(number)
    kept = (
        select(ResultCount.campaign_id, func.sum(ResultCount.number))
        .where(ResultCount.campaign_id.in_(ids), ResultCount.figure == "accepted")
        .group_by(ResultCount.campaign_id)
    )
    for key, number in line.session.execute(kept):
        counts[key, "accepted"] = max(counts[key, "accepted"], int(number))
    return counts


def _sent(row: Campaign, plan: CampaignPlan | None, counts: Counter[tuple[int, str]]) -> Sent:
    return Sent(
        number=row.id,
        label=row.key if plan is None else plan.label,
        name=row.key if plan is None else plan.name,
        state=row.state,
        began_at=row.created_at,
        recipients=row.recipients,
        held_out=row.held_out,
        accepted=counts[row.id, "accepted"],
        waiting=sum(counts[row.id, state] for state in UNSENT),
    )


def _states() -> dict[str, str]:
    return {
        "draft": _("下書き"),
        "planned": _("予約済み"),
        "running": _("配信中"),
        "paused": _("一時停止中"),
        "finished": _("終了"),
        "cancelled": _("取り消し"),
    }
