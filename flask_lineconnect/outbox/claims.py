"""Choose what to send next: claim what is due, ask whether it still may, and fix the requests.

One transaction: afterwards each request's recipients, bytes and retry key are in the database, and
so is what it may cost. Next: ``delivery.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session

from ..line_api.sender import Kind
from ..models import Account
from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import QuotaMonth
from ..models import ScenarioRun
from ..models.outbox import UNSENT
from ..models.sqlite import begin_writing
from . import budget
from . import grouping
from . import of_campaigns
from . import of_runs
from . import pauses
from . import results
from .due import is_anything_due
from .due import is_due
from .policy import MARKETING
from .policy import TRANSACTIONAL
from .rules import Rules
from .send_requests import Claimed
from .send_requests import Model
from .send_requests import Request
from .units import unit_of

#: How long a worker may take for a claim before another takes it over.
LEASE = timedelta(seconds=60)
#: LINE remembers a retry key for 24 hours; afterwards the same key would send again.
RETRY_KEY_LIFE = timedelta(hours=23)
#: For how long a message is left whose campaign is in a state of a newer version.
LEAVE_ALONE = timedelta(minutes=10)
#: What one claim takes: half a second of LINE's push rate, a fifth of its multicast rate.
MESSAGES_AT_ONCE, BATCHES_AT_ONCE = 1_000, 40

_UNKNOWN = "LINE's answer is unknown and the retry key too old to ask again; a person must decide"
_UNKNOWN_AND_UNWANTED = "LINE may have taken it; not asked again, because the person is: "
_LATE = "it was too late to be worth sending"

#: A new state, why, and when to look again.
Verdict = tuple[str, str | None, datetime | None]


def claim_messages(session: Session, rules: Rules, *, now: datetime) -> Claimed:
    """Take messages to single accounts that are due; commits.

    Those that say the same to several people become a batch, which :func:`claim_batches` takes.
    """
    claim = _Claim(session, rules, now, OutboxMessage)
    if ids := claim.take(MESSAGES_AT_ONCE):
        rows = claim.one_advertisement_each(session.execute(claim.messages(ids)).all())
        rows = grouping.gather(session, claim.sort_out(rows), now=now)
        for row in claim.fix(rows):
            claim.add("push", row, f'"{row.line_user_id}"')
    session.commit()
    return claim.claimed


def claim_batches(session: Session, rules: Rules, *, now: datetime) -> Claimed:
    """Take batches that are due; commits."""
    claim = _Claim(session, rules, now, OutboxBatch)
    if ids := claim.take(BATCHES_AT_ONCE):
        rows = claim.sort_out(session.execute(claim.batches(ids)).all())
        ids = [row.id for row in rows]
        grouping.choose_recipients(session, rules.policy, ids, now=now)
        rows = claim.fix(claim.sort_out(session.execute(claim.batches(ids)).all()))
        grouping.note_messages(session, [row.id for row in rows], now=now)
        for row in rows:
            claim.add(row.endpoint or "multicast", row, row.line_user_ids or "[]")
    session.commit()
    return claim.claimed


@dataclass(slots=True)
class _Claim:
    """One claim on one of the two tables, and what it has brought so far."""

    session: Session
    rules: Rules
    now: datetime
    model: Model
    claimed: Claimed = field(default_factory=Claimed)

    def take(self, limit: int) -> list[int]:
        """Claim what has been due for longest, advertising last; skip what others claim just now.

        Where advertisements are counted, nobody else counts until this one has noted its own.
        """
        stopped = pauses.current(self.session, now=self.now)
        if any(not one.is_for_marketing_only for one in stopped) or not is_anything_due(
            self.session, now=self.now, models=[self.model]
        ):
            return []
        begin_writing(self.session)
        ids: list[int] = []
        for priority in (TRANSACTIONAL,) if stopped else (TRANSACTIONAL, MARKETING):
            ids += self.session.scalars(self._claiming(priority, limit - len(ids)))
        self.claimed.count = len(ids)
        if ids and self.rules.policy.marketing_cap is not None:
            budget.lock(self.session, self.now)
        return ids

    def _claiming(self, priority: int, limit: int) -> Any:
        model, now = self.model, self.now
        due = (
            select(model.id)
            .where(*is_due(model, now=now, priorities=[priority]))
            .order_by(model.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        return (
            update(model)
            .where(
                model.id.in_(select(due.c.id)),
                model.next_attempt_at <= now,
                model.state.in_(UNSENT),
            )
            .values(
                state="sending",
                attempts=model.attempts + 1,
                claims=model.claims + 1,
                # Whoever held it before may have sent it and not lived to write that down.
                is_uncertain=or_(model.is_uncertain, model.state == "sending"),
                next_attempt_at=now + LEASE,
                first_tried_at=sure_first_try(model, now),
            )
            .returning(model.id)
            .execution_options(synchronize_session=False)
        )

    def messages(self, ids: Sequence[int]) -> Select[Any]:
        """Return the query of claimed messages, with a reason where one must not be sent."""
        reason = self.rules.policy.reason_against_message(self.session, ids, now=self.now)
        statement = (
            select(
                *_columns(OutboxMessage),
                OutboxMessage.account_id,
                literal(1).label("recipients"),
                Account.line_user_id,
                OutboxMessage.run_id,
                OutboxMessage.dedupe_key,
                ScenarioRun.scenario_id,
                func.coalesce(of_campaigns.campaign_ended(), of_runs.run_ended(), reason).label(
                    "reason"
                ),
                of_campaigns.campaign_is_strange(),
                or_(of_runs.run_is_paused(), of_campaigns.campaign_is_paused()).label("is_paused"),
                of_runs.has_news(),
            )
            .join(Account, Account.id == OutboxMessage.account_id)
            .outerjoin(Campaign, Campaign.id == OutboxMessage.campaign_id)
            .where(OutboxMessage.id.in_(ids))
            .order_by(OutboxMessage.priority, OutboxMessage.id)
        )
        return of_runs.join_runs(statement)

    def batches(self, ids: Sequence[int]) -> Select[Any]:
        """Return the query of claimed batches, with a reason where one must not be sent."""
        nobody = case((OutboxBatch.recipients == 0, literal("nobody may be sent it")), else_=null())
        return (
            select(
                *_columns(OutboxBatch),
                OutboxBatch.recipients,
                OutboxBatch.line_user_ids,
                OutboxBatch.endpoint,
                null().label("run_id"),
                null().label("dedupe_key"),
                null().label("scenario_id"),
                func.coalesce(of_campaigns.campaign_ended(), nobody).label("reason"),
                of_campaigns.campaign_is_strange(),
                of_campaigns.campaign_is_paused().label("is_paused"),
                false().label("has_news"),
            )
            .outerjoin(Campaign, Campaign.id == OutboxBatch.campaign_id)
            .where(OutboxBatch.id.in_(ids))
            .order_by(OutboxBatch.priority, OutboxBatch.id)
        )

    def one_advertisement_each(self, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
        """Leave a person's further advertisements to the next claim, which counts the first."""
        if self.rules.policy.marketing_cap is None:
            return rows
        staying: list[Row[Any]] = []
        later: list[Row[Any]] = []
        seen: set[int] = set()
        for row in rows:
            is_new = row.priority == MARKETING and row.first_tried_at is None
            (later if is_new and row.account_id in seen else staying).append(row)
            if is_new:
                seen.add(row.account_id)
        self._put_off(later, self.now)
        return staying

    def sort_out(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """End or put off what is not to be sent now, in the database; return the rest."""
        quiet_until = self.rules.policy.quiet_until(self.now)
        staying, changes, undecided = [], [], 0
        for row in rows:
            verdict = _verdict(row, quiet_until, self.now)
            if verdict is None:
                staying.append(row)
                continue
            state, error, again_at = verdict
            undecided += row.recipients if row.is_uncertain and state == "expired" else 0
            changes.append(
                {"row_id": row.id, "to_state": state, "why": error, "again_at": again_at}
            )
        if changes:
            results.end(self.session, self.model, changes, now=self.now)
        if undecided:
            notices = pauses.note_undecided(self.session, undecided, now=self.now)
            self.claimed.notices += notices
        return staying

    def fix(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Reserve what the rows may cost, note the first try; put off what is not paid for."""
        paid = self._reserve(rows)
        if paid:
            self.session.execute(
                update(self.model)
                .where(self.model.id.in_([row.id for row in paid]))
                .values(
                    first_tried_at=func.coalesce(self.model.first_tried_at, self.now),
                    quota_month=func.coalesce(self.model.quota_month, budget.month_of(self.now)),
                )
                .execution_options(synchronize_session=False)
            )
        return paid

    def _reserve(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        if all(row.quota_month is not None for row in rows):
            return list(rows)
        quota = budget.lock(self.session, self.now)
        room = self._room(quota)
        paid: list[Row[Any]] = []
        unpaid: list[Row[Any]] = []
        spent = 0
        for row in rows:
            count = 0 if row.quota_month is not None else row.recipients
            most = room[row.priority]
            is_too_much = count > 0 and most is not None and most < spent + count
            (unpaid if is_too_much else paid).append(row)
            spent += 0 if is_too_much else count
        quota.own_used += spent
        self.session.flush()
        if unpaid:
            self._do_without(quota, unpaid)
        else:
            self.claimed.notices += pauses.new_alert(quota, self.rules.budget)
            self.session.flush()
        return paid

    def _room(self, quota: QuotaMonth) -> dict[int, int | None]:
        return {
            priority: self.rules.budget.room(quota, is_marketing=priority == MARKETING)
            for priority in (TRANSACTIONAL, MARKETING)
        }

    def _do_without(self, quota: QuotaMonth, rows: Sequence[Row[Any]]) -> None:
        """Put off what can't be paid for, stop what else could not be, and say so."""
        session, now = self.session, self.now
        allowed, gone, room = self.rules.budget.allowed(quota.granted) or 0, budget.used(quota), {}
        for priority, left in self._room(quota).items():
            room[priority] = left or 0
        notices = self.claimed.notices
        if room[TRANSACTIONAL] == 0:
            reason: pauses.Reason = "quota" if allowed == quota.granted else "budget"
            notices += pauses.pause_for_quota(session, allowed, gone, now=now, reason=reason)
        elif room[MARKETING] == 0 and any(row.priority == MARKETING for row in rows):
            notices += pauses.pause_for_reserve(session, allowed, gone, now=now)
        fitting = [row for row in rows if room[row.priority] == 0]
        unfit = [row for row in rows if room[row.priority] > 0]
        self._put_off(fitting, now)
        # What is smaller goes meanwhile.
        self._put_off(unfit, now + pauses.ASK_AGAIN_AFTER)
        for row in unfit[:1]:
            notices += pauses.note_unfit(session, row.recipients, room[row.priority], now=now)

    def _put_off(self, rows: Sequence[Row[Any]], until: datetime) -> None:
        """Leave untried rows for later, as if they had not been claimed."""
        ids = [row.id for row in rows]
        if ids:
            self.session.execute(
                update(self.model)
                .where(self.model.id.in_(ids))
                .values(state="queued", attempts=0, next_attempt_at=until)
                .execution_options(synchronize_session=False)
            )
        if ids and self.model is OutboxBatch:
            grouping.forget_recipients(self.session, ids)

    def add(self, kind: Kind, row: Row[Any], to: str) -> None:
        """Note a request that is fixed."""
        month = row.quota_month or budget.month_of(self.now)
        self.claimed.requests.append(
            Request(
                kind=kind,
                row_id=row.id,
                claim=row.claims,
                attempt=row.attempts,
                is_uncertain=row.is_uncertain,
                first_tried_at=row.first_tried_at or self.now,
                until=self.now + LEASE,
                to=to,
                messages=row.messages,
                retry_key=row.retry_key,
                recipients=row.recipients,
                quota_month=month,
                campaign_id=row.campaign_id,
                unit=unit_of(row, month) if self.rules.names_units else None,
            )
        )


def sure_first_try(model: Model, now: datetime) -> ColumnElement[datetime | None]:
    """Return since when LINE may have a row's request, the latest.

    A clock that was wrong may have noted a first try that is still to come: by that one the request
    would be repeated when LINE has long forgotten its retry key. It was made after the row itself,
    and before now.
    """
    is_sure = and_(model.created_at > now - RETRY_KEY_LIFE, model.created_at <= now)
    earliest = case((is_sure, model.created_at), else_=literal(now, model.created_at.type))
    return case((model.first_tried_at > now, earliest), else_=model.first_tried_at)


def _columns(model: Model) -> tuple[InstrumentedAttribute[Any], ...]:
    """Return what is needed of each row; half a second's rows are many."""
    return (
        model.id,
        model.category,
        model.priority,
        model.messages,
        model.retry_key,
        model.attempts,
        model.claims,
        model.campaign_id,
        model.is_uncertain,
        model.expires_at,
        model.first_tried_at,
        model.quota_month,
    )


def _verdict(row: Row[Any], quiet_until: datetime | None, now: datetime) -> Verdict | None:
    """Return what becomes of a row instead; ``None``: send it."""
    if row.is_strange:
        return "queued", None, now + LEAVE_ALONE
    if row.first_tried_at is not None and now - row.first_tried_at > RETRY_KEY_LIFE:
        return "expired", _UNKNOWN, None
    if row.expires_at is not None and row.expires_at <= now:
        return "expired", _LATE, None
    if row.reason is not None and row.is_uncertain:
        return "expired", _UNKNOWN_AND_UNWANTED + row.reason, None
    if row.reason is not None:
        return "cancelled", row.reason, None
    is_first = row.first_tried_at is None
    if quiet_until is not None and row.priority == MARKETING and is_first:
        return "queued", None, quiet_until
    if not row.is_uncertain and row.is_paused:
        return "queued", None, now + of_runs.AFTER_PAUSE
    if not row.is_uncertain and row.has_news:
        return "queued", None, now + of_runs.AFTER_EVENTS
    return None
