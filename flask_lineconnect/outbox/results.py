"""Write down what LINE answered, in the rows that this worker still holds."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import tzinfo
from http import HTTPStatus
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from .. import signals
from ..after_commit import announce
from ..line_api.sender import Kind
from ..line_api.sender import SendAnswer
from ..marketing.results.counts import day_of
from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import QuotaMonth
from ..models.json_lists import text_by_id
from ..shop.adapter import OwnerNotice
from . import budget
from . import grouping
from . import pauses
from . import touches
from .campaign_ends import end_campaigns
from .send_requests import Model
from .send_requests import Request

FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=5), timedelta(minutes=30)
#: LINE refills its rates all the time, so a second is long; but a narrowcast of the owner's can
#: hold the quota for minutes, which looks the same.
RATE_BACKOFF, LONGEST_RATE_BACKOFF = timedelta(seconds=1), timedelta(minutes=1)

Answered = tuple[Request, SendAnswer]
#: LINE names the recipient it refuses, or the message object; words that it may change.
_BAD_RECIPIENT = re.compile(r"\bto\[(\d+)\]")
_BAD_MESSAGE = re.compile(r'"property":\s*"messages')


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """What LINE says of the month: its limit, ``None`` without one, and its count."""

    granted: int | None
    used: int


@dataclass(slots=True)
class Recorded:
    """What must be done after answers were written down.

    :ivar too_fast: the endpoints of which LINE said that there were too many requests.
    """

    notices: list[OwnerNotice] = field(default_factory=list)
    too_fast: set[Kind] = field(default_factory=set)


def record(
    session: Session,
    answered: Sequence[Answered],
    *,
    quota: QuotaReading | None,
    now: datetime,
    zone: tzinfo = UTC,
    chance: Callable[[], float] = random.random,
) -> Recorded:
    """Write down what became of requests, inside the caller's transaction.

    :param quota: LINE's figures, asked for after a 429: they tell its two meanings apart.
    :param zone: the shop's, to whose days the counts belong.
    :param chance: spreads repeated tries over time; from 0 to 1.
    """
    recorded = Recorded()
    accepted = _accept(session, [one for one in answered if one[1].is_accepted], now)
    refused: list[touches.Owner] = []
    for request, answer in answered:
        if answer.is_accepted:
            continue
        if answer.is_unknown:
            wait = _backoff(now - request.first_tried_at, chance())
            _try_again(session, request, answer, now + wait)
        elif answer.is_token_refused:
            recorded.notices += pauses.pause_for_token(session, answer.status or 0, now=now)
            put_back(session, request, answer.why, at=now)
        elif answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            _note_limit(session, request, answer, quota, recorded, now)
        else:
            refused += _refuse(session, request, answer, now)
    # Last, because others wait for these rows.
    touches.count_owners(session, day_of(now, zone), accepted=accepted, refused=refused)
    return recorded


def end(
    session: Session, model: Model, changes: Sequence[dict[str, Any]], *, now: datetime
) -> None:
    """Write new states to claimed rows, and those of batches to their messages.

    :param changes: ``row_id``, ``to_state``, ``why`` and ``again_at`` for each.
    """
    table = cast(Table, model.__table__)
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values(
            state=bindparam("to_state"),
            error=bindparam("why"),
            next_attempt_at=bindparam("again_at"),
        )
    )
    session.connection().execute(statement, list(changes))
    ended = [change for change in changes if change["again_at"] is None]
    for state in {change["to_state"] for change in ended}:
        ids = [change["row_id"] for change in ended if change["to_state"] == state]
        _announce(session, state, _count_recipients(session, model, ids))
    _follow(session, model, [change["row_id"] for change in ended], now)


def _accept(session: Session, answered: Sequence[Answered], now: datetime) -> list[touches.Owner]:
    owners = []
    for model in (OutboxMessage, OutboxBatch):
        some = _still_held(session, model, answered)
        if not some:
            continue
        ids = [request.row_id for request, _answer in some]
        request_ids = {request.row_id: answer.request_id for request, answer in some}
        session.execute(
            update(model)
            .where(model.id.in_(ids))
            .values(
                state="accepted",
                accepted_at=now,
                line_request_id=text_by_id(session, request_ids, model.id),
                next_attempt_at=None,
                error=None,
            )
            .execution_options(synchronize_session=False)
        )
        concerned = [
            request.row_id
            for request, _answer in some
            if model is OutboxBatch or request.campaign_id is not None
        ]
        _announce(session, "accepted", sum(request.recipients for request, _answer in some))
        _follow(session, model, concerned, now)
        note = touches.note_messages if model is OutboxMessage else touches.note_batches
        owners += note(session, ids, now=now)
    return owners


def _still_held(session: Session, model: Model, answered: Sequence[Answered]) -> Sequence[Answered]:
    """Return what is of rows that are still this worker's; nobody else writes to these any more."""
    claims = {one[0].row_id: one for one in answered if one[0].model is model}
    if not claims:
        return []
    statement = (
        select(model.id, model.claims)
        .where(model.id.in_(claims), model.state == "sending")
        .order_by(model.id)
        .with_for_update()
    )
    held = session.execute(statement).all()
    return [claims[row.id] for row in held if claims[row.id][0].claim == row.claims]


def _announce(session: Session, state: str, recipients: int) -> None:
    if recipients:
        announce(session, signals.messages_ended, state=state, recipients=recipients)


def _count_recipients(session: Session, model: Model, ids: Sequence[int]) -> int:
    if model is OutboxMessage:
        return len(ids)
    count = select(func.sum(OutboxBatch.recipients)).where(OutboxBatch.id.in_(ids))
    return session.scalar(count) or 0


def _follow(session: Session, model: Model, ids: Sequence[int], now: datetime) -> None:
    """Let what hangs on ended rows end with them: a batch's messages, and campaigns."""
    if ids and model is OutboxBatch:
        _end_messages(session, ids)
    if ids:
        _end_campaigns(session, model, ids, now)


def _end_messages(session: Session, ids: Sequence[int]) -> None:
    state = select(OutboxBatch.state).where(OutboxBatch.id == OutboxMessage.batch_id)
    accepted_at = select(OutboxBatch.accepted_at).where(OutboxBatch.id == OutboxMessage.batch_id)
    request_id = select(OutboxBatch.line_request_id).where(OutboxBatch.id == OutboxMessage.batch_id)
    error = select(OutboxBatch.error).where(OutboxBatch.id == OutboxMessage.batch_id)
    is_ended = OutboxBatch.id.in_(ids), OutboxBatch.next_attempt_at.is_(None)
    ended = select(OutboxBatch.id).where(*is_ended)
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.batch_id.in_(ended), OutboxMessage.state == "sending")
        .values(
            state=state.scalar_subquery(),
            accepted_at=accepted_at.scalar_subquery(),
            line_request_id=request_id.scalar_subquery(),
            error=error.scalar_subquery(),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(OutboxBatch)
        .where(*is_ended)
        .values(line_user_ids=None)
        .execution_options(synchronize_session=False)
    )


def _end_campaigns(session: Session, model: Model, ids: Sequence[int], now: datetime) -> None:
    """End the campaigns of these rows of which nothing is on its way any more."""
    concerned = set(session.scalars(select(model.campaign_id).where(model.id.in_(ids))))
    if model is OutboxBatch:
        carried = select(OutboxMessage.campaign_id).where(OutboxMessage.batch_id.in_(ids))
        concerned |= set(session.scalars(carried.distinct()))
    campaign_ids = concerned - {None}
    if campaign_ids:
        end_campaigns(session, Campaign.id.in_(campaign_ids), now=now)


def _write(session: Session, request: Request, **changes: Any) -> bool:
    """Write to a claimed row, unless it is another worker's by now, or written already."""
    model = request.model
    statement = (
        update(model)
        .where(
            model.id == request.row_id,
            model.claims == request.claim,
            model.state == "sending",
        )
        .values(**changes)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).first() is not None


def _try_again(session: Session, request: Request, answer: SendAnswer, at: datetime) -> None:
    """Let the same request be made again: LINE may have taken it."""
    _write(session, request, next_attempt_at=at, error=answer.why)


def put_back(
    session: Session, request: Request, why: str | None, *, at: datetime, attempts: int = 0
) -> None:
    """Let a request that LINE did not take be none, unless an earlier try may have been taken."""
    changes: dict[str, Any] = {
        "state": "queued",
        "next_attempt_at": at,
        "attempts": attempts,
        "error": why,
    }
    if request.is_uncertain:
        _write(session, request, **changes)
        return
    # The retry key stays: LINE has not taken it, and a restored backup has it, too.
    changes |= {"first_tried_at": None, "quota_month": None}
    if _write(session, request, **changes):
        budget.give_back(session, request.quota_month, request.recipients)
        if request.model is OutboxBatch:
            grouping.forget_recipients(session, [request.row_id])


def _note_limit(
    session: Session,
    request: Request,
    answer: SendAnswer,
    quota: QuotaReading | None,
    recorded: Recorded,
    now: datetime,
) -> None:
    """Tell the month's limit from the second's, and wait accordingly."""
    month = budget.lock(session, now)
    if month.granted is None or not _is_gone(month, quota, request):
        recorded.too_fast.add(request.kind)
        wait = min(RATE_BACKOFF * 2 ** min(request.attempt - 1, 10), LONGEST_RATE_BACKOFF)
        put_back(session, request, answer.why, at=now + wait, attempts=request.attempt)
        return
    granted, gone = month.granted, budget.used(month)
    session.flush()
    put_back(session, request, answer.why, at=now)
    recorded.notices += pauses.pause_for_quota(session, granted, min(granted, gone), now=now)


def _is_gone(month: QuotaMonth, quota: QuotaReading | None, request: Request) -> bool:
    """Tell whether LINE, or LINE and we together, count more than LINE grants.

    What we count has this request in it already.
    """
    granted = month.granted or 0
    by_line = 0 if quota is None else quota.used + request.recipients
    return max(by_line, budget.used(month)) > granted


def _refuse(
    session: Session, request: Request, answer: SendAnswer, now: datetime
) -> list[touches.Owner]:
    """End what LINE will never take; of a batch, only what LINE blames.

    :return: to what the messages belong that have ended so.
    """
    has_several = request.kind == "multicast" and request.recipients > 1
    is_about_one = answer.status == HTTPStatus.BAD_REQUEST and has_several
    if is_about_one and not _BAD_MESSAGE.search(answer.text):
        _split(session, request, answer, now)
        return []
    if not _write(session, request, state="refused", next_attempt_at=None, error=answer.why):
        return []
    budget.give_back(session, request.quota_month, request.recipients)
    _announce(session, "refused", request.recipients)
    _follow(session, request.model, [request.row_id], now)
    return touches.owners_of_refused(session, request.model, request.row_id, now=now)


def _split(session: Session, request: Request, answer: SendAnswer, now: datetime) -> None:
    """Put a refused batch's recipients into two others: whom LINE blames, or the halves.

    Nothing was sent to anyone, also not at an earlier try: LINE would have said that it has it. So
    these are new requests with keys of their own.
    """
    if not _write(session, request, state="refused", next_attempt_at=None, error=answer.why):
        return
    whole = session.get_one(OutboxBatch, request.row_id, populate_existing=True)
    account_ids = json.loads(whole.chosen_ids or "[]")
    blamed = _BAD_RECIPIENT.search(answer.text)
    index = int(blamed[1]) if blamed else None
    if index is not None and index < len(account_ids):
        parts = [[account_ids[index]], account_ids[:index] + account_ids[index + 1 :]]
    else:
        middle = len(account_ids) // 2
        parts = [account_ids[:middle], account_ids[middle:]]
    for part in parts:
        batch = grouping.make_batch(session, whole, part, now=now)
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.batch_id == whole.id, OutboxMessage.account_id.in_(part))
            .values(batch_id=batch.id, first_tried_at=None)
            .execution_options(synchronize_session=False)
        )
    # Its recipients are in others now.
    whole.chosen_ids, whole.recipients, whole.line_user_ids = "[]", 0, None
    session.flush()
    budget.give_back(session, request.quota_month, request.recipients)


def _backoff(since_first_try: timedelta, chance: float) -> timedelta:
    """Wait as long as it has been tried already, about: each wait doubles that."""
    longest = min(max(since_first_try, FIRST_BACKOFF), LONGEST_BACKOFF)
    wait: timedelta = longest * (0.5 + chance / 2)
    return wait
