"""What nobody asks for and must be done: consents that ended at LINE, members who are gone.

LINE sends no webhook when a person ends the consent in LINE's settings, so every link's token is
tried now and then. Run by the engines; every step may run twice.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..linking import unlinking
from ..log_fields import log_fields
from ..login.tokens import LoginTokenApi
from ..login.tokens import LoginTokens
from ..login.tokens import TokenVault
from ..marketing import member_events
from ..marketing.links import pruning as clicks
from ..marketing.results import people
from ..marketing.results.counts import day_of
from ..marketing.results.recounting import late_steps
from ..marketing.scenarios import pruning as scenario_runs
from ..marketing.segments.audience import members_in
from ..models import Account
from ..models import CardCode
from ..models import ChatLink
from ..models import CredentialChange
from ..models import EndedLink
from ..models import InboxEvent
from ..models import KeptForm
from ..models import LoginAttempt
from ..models import OpenDialogue
from ..models.account import IS_STRANGER
from ..models.inbox import ENDED
from ..models.portions import Portions
from ..models.portions import Step
from ..models.portions import deleting
from ..models.portions import updating
from ..outbox.mending import mending_steps
from ..outbox.mending import report_strangers
from ..outbox.pruning import pruning_steps
from ..outbox.rules import Rules
from ..outbox.touches import touch_pruning_steps
from ..rich_menus.rounds import show_some
from ..rich_menus.showing import show_due
from ..state import LineState
from ..webhooks.event_times import CLOCK_SKEW
from ..webhooks.event_times import KEPT
from ..webhooks.event_times import newest_of
from ..webhooks.event_times import times_stored
from ..webhooks.inbox import CONTENT_KEPT
from .presence import Presence

logger = logging.getLogger(__name__)

#: How long a link is believed without asking LINE.
CHECK_EVERY = timedelta(days=7)
#: When to ask again after LINE did not say.
RETRY_AFTER = timedelta(hours=1)
#: How many links are looked at before other work has its turn.
BATCH = 20
#: Of how many accounts it is asked at once whether their members are still there.
ACCOUNTS_AT_ONCE = 2_000
#: How often this process looks for members who are gone, and clears away what expired.
SWEEP_EVERY = timedelta(minutes=10)
#: How long a person is remembered who never became a member, from the last time they were seen.
STRANGERS_KEPT = timedelta(days=30)
#: Seconds after which it looks at what is more urgent, before it goes on.
SWEEP_SECONDS = 5.0


def look_after(line: LineState) -> int:
    """Do what is due; return how much there was."""
    line.part(Presence).note(line)
    now = line.clock()
    is_left = False
    if line.next_sweep_at is None or line.next_sweep_at <= now:
        line.next_sweep_at = now + SWEEP_EVERY
        is_left = not sweep(line, seconds=SWEEP_SECONDS)
        if is_left:
            line.next_sweep_at = now
        if line.config.line_insight:
            # With the libraries that talk to LINE.
            from ..marketing.results.insight import fetch_insight

            fetch_insight(line)
    return check_consents(line) + show_menus(line) + is_left


def show_menus(line: LineState) -> int:
    """Show people their rich menus, where those have changed; return how much was due."""
    of_segment = partial(members_in, line)
    return show_due(line, of_segment) + show_some(line, of_segment)


def sweep(line: LineState, *, seconds: float) -> bool:
    """Clear away, for so many seconds at the most; return whether all of it was looked at.

    A step that fails costs no other.
    """
    with line.work_context():
        now, is_stopping = line.clock(), line.stopping.is_set
        with Portions(line.session, seconds=seconds, is_stopping=is_stopping) as portions:
            for step in _steps(line, now):
                try:
                    portions.run(step)
                except Exception:  # another step's rows may be as they should be
                    line.session.rollback()
                    logger.exception("upkeep: a step failed", extra=log_fields("upkeep_failed"))
                if portions.is_over():
                    return False
        report_strangers(line.session)
        line.session.commit()
    return True


def _steps(line: LineState, now: datetime) -> Iterator[Step]:
    yield from _clearing_steps(now)
    yield from _inbox_steps(line.session, now)
    yield from mending_steps(now=now)
    yield from pruning_steps(line.part(Rules).policy, now=now)
    kept = timedelta(days=line.config.member_event_days)
    yield from member_events.pruning_steps(line.session, kept, now=now)
    yield from touch_pruning_steps(line.session, kept, now=now)
    yield from scenario_runs.pruning_steps(line, now=now)
    yield from late_steps(line, now=now)
    kept = timedelta(days=line.config.click_days)
    yield clicks.pruning_step(kept, line.config.zone, now=now)
    yield from people.pruning_steps(
        day_of(now, line.config.zone), kept, timedelta(days=line.config.member_event_days)
    )
    if line.config.forward_webhooks:
        yield from forwarding_steps(line, now)
    yield from _orphan_steps(line)
    yield from _stranger_steps(line, now)


def forwarding_steps(line: LineState, now: datetime) -> Iterator[Step]:
    """Return what gives up webhooks that a further address does not take."""
    from ..webhooks.forwarding import pruning_steps as steps_of  # where there are any

    yield from steps_of(line, now=now)


def check_consents(line: LineState) -> int:
    """Ask LINE for each link whose consent was not seen for a week; return how many were asked."""
    for count in range(BATCH):
        with line.work_context():
            account_id = _claim(line.session, now=line.clock())
            if account_id is None:
                return count
            _check(line, account_id)
    return BATCH


def _claim(session: Session, *, now: datetime) -> int | None:
    """Take the link that was asked for longest ago, and commit."""
    is_due = and_(
        Account.consent_checked_at <= now - CHECK_EVERY,
        Account.member_id.is_not(None),
        Account.sealed_tokens.is_not(None),
    )
    account_id = session.scalar(
        select(Account.id).where(is_due).order_by(Account.consent_checked_at).limit(1)
    )
    if account_id is None:
        session.rollback()
        return None
    statement = (
        update(Account)
        .where(Account.id == account_id, is_due)
        .values(consent_checked_at=now)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    claimed = session.execute(statement).scalar_one_or_none()
    session.commit()
    return claimed


def _check(line: LineState, account_id: int) -> None:
    account = line.session.get_one(Account, account_id)
    sealed_tokens, now = account.sealed_tokens, line.clock()
    line_user_id = account.line_user_id
    tokens = line.part(TokenVault).open(line_user_id, sealed_tokens)
    # Nothing is held open while LINE is waited for.
    line.session.commit()
    if tokens is None or tokens.refresh_expires_at <= now.timestamp():
        _forget_tokens(line.session, account_id, sealed_tokens)
        return
    try:
        living = _living_tokens(line, tokens)
    except LineApiError as error:
        logger.warning(
            "LINE did not say whether a consent still stands: %s",
            error.text,
            extra=log_fields("consent_unknown", error),
        )
        account.consent_checked_at = now - CHECK_EVERY + RETRY_AFTER
        line.session.commit()
        return
    if living is None:
        _end(line, account_id, sealed_tokens)
    elif living is not tokens:
        account.sealed_tokens = line.part(TokenVault).seal(line_user_id, living)
        line.session.commit()


def _living_tokens(line: LineState, tokens: LoginTokens) -> LoginTokens | None:
    """Return tokens that LINE takes now, refreshed if need be; ``None``: the consent has ended.

    :raises LineApiError: LINE did not say.
    """
    if line.part(LoginTokenApi).is_alive(tokens):
        return tokens
    return line.part(LoginTokenApi).refresh(tokens, now=line.clock())


def _end(line: LineState, account_id: int, sealed_tokens: str | None) -> None:
    """End the link, unless the person logged in with LINE again in the meantime."""
    statement = (
        select(Account)
        .where(Account.id == account_id, Account.sealed_tokens == sealed_tokens)
        .with_for_update()
    )
    account = line.session.scalars(statement).one_or_none()
    if account is not None and unlinking.unlink(line, account, actor="line", now=line.clock()):
        logger.info(
            "account %d ended its consent at LINE; its link has ended",
            account_id,
            extra=log_fields("consent_ended", account_id=account_id),
        )
    line.session.commit()


def _forget_tokens(session: Session, account_id: int, sealed_tokens: str | None) -> None:
    """Remove tokens that are no use any more; the link stays."""
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.sealed_tokens == sealed_tokens)
        .values(sealed_tokens=None, consent_checked_at=None)
    )
    session.commit()


def end_links_without_members(line: LineState) -> None:
    """Erase the accounts of members whom the shop deleted by SQL, past the session.

    With foreign keys the member is gone from the account, without them its key points nowhere; in
    both cases the link must not pass to the next member.
    """
    with Portions(line.session) as portions:
        for step in _orphan_steps(line):
            portions.run(step)


def _orphan_steps(line: LineState) -> Iterator[Step]:
    key = inspect(line.shop.model).primary_key[0]
    # Members of another database can't be asked for in one statement.
    if key.table.metadata is line.db.metadata:
        has_member = select(key).where(key == Account.member_id).exists()
        is_left_over = or_(
            and_(Account.member_id.is_(None), Account.linked_at.is_not(None)),
            and_(Account.member_id.is_not(None), ~has_member),
        )
        erase = partial(_erase, line=line, is_left_over=is_left_over)
        for first, last in _ranges_of_accounts(line.session):
            found = select(Account.id).where(Account.id.between(first, last), is_left_over)
            # One at a time: what a person leaves behind may be much.
            yield Step(found, erase, most=1)


def _stranger_steps(line: LineState, now: datetime) -> Iterator[Step]:
    """Forget who met the shop and never became a member; a friend is no more than a friend."""
    until = now - STRANGERS_KEPT
    is_stranger = and_(
        text(IS_STRANGER),
        Account.created_at <= until,
        or_(Account.consent_checked_at.is_(None), Account.consent_checked_at <= until),
        or_(Account.friend_evidence_at.is_(None), Account.friend_evidence_at <= until),
    )
    is_gone = and_(is_stranger, Account.is_friend.is_not(True))
    found = select(Account.id).where(is_gone).order_by(Account.created_at)
    yield Step(found, partial(_erase, line=line, is_left_over=is_gone), most=1)
    nothing = {"display_name": "", "picture_url": None, "sealed_tokens": None}
    yield updating(
        Account.id, Account.created_at, is_stranger, Account.is_friend.is_(True), **nothing
    )


def _ranges_of_accounts(session: Session) -> list[tuple[int, int]]:
    """Return ranges of ids, from anywhere on: who is last this time may be first the next."""
    last = session.scalar(select(func.max(Account.id))) or 0
    session.rollback()
    starts = range(1, last + 1, ACCOUNTS_AT_ONCE)
    begin = secrets.randbelow(max(1, len(starts)))
    return [(start, start + ACCOUNTS_AT_ONCE - 1) for start in (*starts[begin:], *starts[:begin])]


def _erase(
    session: Session, ids: Sequence[int], *, line: LineState, is_left_over: ColumnElement[bool]
) -> None:
    for account in session.scalars(select(Account).where(Account.id.in_(ids), is_left_over)).all():
        unlinking.erase(line, account, now=line.clock())


def clear_expired(session: Session, *, now: datetime) -> None:
    """Delete what waited too long for its person; commits."""
    with Portions(session) as portions:
        for step in _clearing_steps(now):
            portions.run(step)


def _clearing_steps(now: datetime) -> Iterator[Step]:
    until = now - timedelta(hours=1)
    for key in (
        LoginAttempt.proof_hash,
        ChatLink.token_hash,
        CredentialChange.member_key,
        EndedLink.line_user_hash,
        KeptForm.handle_hash,
        OpenDialogue.line_user_id,
        CardCode.account_id,
    ):
        expires_at = key.class_.expires_at
        yield deleting(key, expires_at, expires_at <= until)


def clear_inbox(session: Session, *, now: datetime) -> None:
    """Forget who said what, and, once LINE can't send the events again, that there were any.

    Commits.
    """
    with Portions(session) as portions:
        for step in _inbox_steps(session, now):
            portions.run(step)


def _inbox_steps(session: Session, now: datetime) -> Iterator[Step]:
    key, at = InboxEvent.webhook_event_id, InboxEvent.occurred_at
    newest = newest_of(times_stored(session.connection()), now=now)
    session.rollback()
    if newest is None:
        return
    nothing = {"payload": "", "reply": None, "line_user_id": None, "error": None}
    # A clock that is behind must not keep what people wrote, nor may a time that is still to come.
    latest = max(now, newest)
    for state, kept in (("done", CONTENT_KEPT), ("dead", KEPT)):
        for is_past in (at <= latest - kept, at > latest + KEPT):
            is_of_it = ENDED, InboxEvent.state == state, is_past
            yield updating(key, at, *is_of_it, state="cleared", **nothing)
    # By the events' own times, as they are let in: with an id that a clock forgot too early, a
    # captured event would come in once more.
    is_past = at < newest - KEPT - CLOCK_SKEW
    yield deleting(key, at, ENDED, InboxEvent.state == "cleared", is_past)
