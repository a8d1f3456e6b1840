"""Pauses of sending: why, until when, and the one notice that the owner gets of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..i18n import gettext as _
from ..models import QuotaMonth
from ..models import SendingPause
from ..models.base import insert_if_absent
from ..shop.adapter import OwnerNotice
from .budget import Budget
from .budget import next_month
from .budget import passed_threshold
from .budget import used

#: A pause that begins again so soon is the same one, and the owner knows of it.
SAME_FOR = timedelta(hours=2)

#: When to look again whether LINE's quota or the shop's budget has grown.
ASK_AGAIN_AFTER = timedelta(hours=1)
#: When to try again whether LINE takes the channel's token.
TRY_TOKEN_AFTER = timedelta(minutes=5)

#: A longer one was begun by a clock that was wrong.
LONGEST_PAUSE = timedelta(hours=1)
#: How often the owner is told of what only a person can decide.
REMIND_AFTER = timedelta(days=1)

#: The last two are no pauses, but told as rarely.
Reason = Literal["unauthorized", "quota", "budget", "reserve", "unfit", "undecided"]


def pause(
    session: Session,
    reason: Reason,
    detail: str,
    *,
    now: datetime,
    until: datetime,
    is_for_marketing_only: bool = False,
    same_for: timedelta = SAME_FOR,
) -> bool:
    """Stop sending until a time; return whether this begins the pause, so that one is told.

    A pause that goes on is only made longer.
    """
    is_another = or_(SendingPause.until <= now - same_for, SendingPause.since > now)
    session.execute(delete(SendingPause).where(SendingPause.reason == reason, is_another))
    values = {"until": until, "is_for_marketing_only": is_for_marketing_only, "detail": detail}
    if insert_if_absent(session, SendingPause, reason=reason, since=now, **values):
        return True
    session.execute(
        update(SendingPause)
        .where(SendingPause.reason == reason)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return False


def current(session: Session, *, now: datetime) -> Sequence[SendingPause]:
    """Return what stands in the way of sending now."""
    is_on = SendingPause.until > now, SendingPause.until <= now + LONGEST_PAUSE
    return session.scalars(select(SendingPause).where(*is_on)).all()


def pause_for_reserve(
    session: Session, allowed: int, gone: int, *, now: datetime
) -> list[OwnerNotice]:
    """Stop advertising: what is left is kept for orders and the like."""
    text = _(
        "今月のメッセージは残りわずかです（%(used)s / %(allowed)s通）。"
        "お知らせの配信を止め、注文などの通知のために残しています。",
        used=gone,
        allowed=allowed,
    )
    until = min(now + ASK_AGAIN_AFTER, next_month(now))
    is_new = pause(session, "reserve", text, now=now, until=until, is_for_marketing_only=True)
    return [OwnerNotice("reserve", text)] if is_new else []


def pause_for_quota(
    session: Session, allowed: int, gone: int, *, now: datetime, reason: Reason = "quota"
) -> list[OwnerNotice]:
    """Stop everything that costs: LINE, or the shop's budget, allows no more this month."""
    text = _(
        "今月のメッセージを使い切りました（%(used)s / %(allowed)s通）。配信を止めています。"
        "LINEのプランか LINECONNECT_MONTHLY_BUDGET_YEN を見直すと、1時間以内に再開します。",
        used=gone,
        allowed=allowed,
    )
    until = min(now + ASK_AGAIN_AFTER, next_month(now))
    is_new = pause(session, reason, text, now=now, until=until)
    return [OwnerNotice(reason, text)] if is_new else []


def note_unfit(session: Session, recipients: int, left: int, *, now: datetime) -> list[OwnerNotice]:
    """Return what to tell of a batch that is larger than what is left; smaller things still go."""
    text = _(
        "%(recipients)s通のまとまった配信が今月の残り%(left)s通に収まらないため、待たせています。",
        recipients=recipients,
        left=left,
    )
    is_new = pause(session, "unfit", text, now=now, until=now)
    return [OwnerNotice("unfit", text)] if is_new else []


def note_undecided(session: Session, count: int, *, now: datetime) -> list[OwnerNotice]:
    """Return what to tell of messages of which only a person can decide what becomes of them."""
    text = _(
        "%(count)s通について、LINEが受け付けたかどうか分からないままになりました。"
        "`flask line outbox list --state expired` でご確認ください。",
        count=count,
    )
    is_new = pause(session, "undecided", text, now=now, until=now, same_for=REMIND_AFTER)
    return [OwnerNotice("undecided", text)] if is_new else []


def pause_for_token(session: Session, status: int, *, now: datetime) -> list[OwnerNotice]:
    """Stop everything, because LINE does not take our token."""
    text = _(
        "LINEがチャネルのトークンを受け付けません（%(status)s）。配信を止めています。"
        "LINECONNECT_MESSAGING_CHANNEL_ID とシークレットをご確認ください。",
        status=status,
    )
    is_new = pause(session, "unauthorized", text, now=now, until=now + TRY_TOKEN_AFTER)
    return [OwnerNotice("unauthorized", text)] if is_new else []


def new_alert(quota: QuotaMonth, budget: Budget) -> list[OwnerNotice]:
    """Return what to tell the owner when a share of the month's messages is gone."""
    share = passed_threshold(quota, budget)
    if share is None:
        return []
    text = _(
        "今月のメッセージの%(percent)s%%を使いました（%(used)s / %(allowed)s通）。",
        percent=round(share * 100),
        used=used(quota),
        allowed=budget.allowed(quota.granted) or 0,
    )
    return [OwnerNotice("alert", text)]
