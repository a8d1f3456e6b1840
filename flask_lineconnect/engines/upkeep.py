"""What nobody asks for and must be done: consents that ended at LINE, members who are gone.

LINE sends no webhook when a person ends the consent in LINE's settings, so every link's token is
tried now and then. Run by the engines; every step may run twice.
"""

from __future__ import annotations

import logging
from datetime import datetime
from datetime import timedelta

from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import inspect
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import LineApiError
from ..linking import unlinking
from ..log_fields import log_fields
from ..login.tokens import LoginTokenApi
from ..login.tokens import LoginTokens
from ..login.tokens import TokenVault
from ..models import Account
from ..models import CardCode
from ..models import ChatLink
from ..models import EndedLink
from ..models import InboxEvent
from ..models import KeptForm
from ..models import LoginAttempt
from ..models import OpenDialogue
from ..outbox.mending import mend
from ..outbox.pruning import prune
from ..outbox.rules import Rules
from ..state import LineState
from ..webhooks.inbox import CLOCK_SKEW
from ..webhooks.inbox import CONTENT_KEPT
from ..webhooks.inbox import KEPT

logger = logging.getLogger(__name__)

#: How long a link is believed without asking LINE.
CHECK_EVERY = timedelta(days=7)
#: When to ask again after LINE did not say.
RETRY_AFTER = timedelta(hours=1)
#: How many links are looked at before other work has its turn.
BATCH = 20
#: How often this process looks for members who are gone, and clears away what expired.
SWEEP_EVERY = timedelta(minutes=10)


def look_after(line: LineState) -> int:
    """Do what is due; return how much there was."""
    now = line.clock()
    if line.next_sweep_at is None or line.next_sweep_at <= now:
        line.next_sweep_at = now + SWEEP_EVERY
        with line.work_context():
            end_links_without_members(line)
            clear_expired(line.session, now=now)
            mend(line.session, now=now)
            line.session.commit()
            prune(line.session, line.part(Rules).policy, now=now)
    return check_consents(line)


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

    Where the database keeps foreign keys, it took the member's key out; elsewhere the key points
    nowhere, until the database gives it to the next member.
    """
    key = inspect(line.shop.model).primary_key[0]
    if key.table.metadata is not line.db.metadata:
        # Members of another database can't be asked for in one statement.
        return
    has_member = select(key).where(key == Account.member_id).exists()
    is_left_over = or_(
        and_(Account.member_id.is_(None), Account.linked_at.is_not(None)),
        and_(Account.member_id.is_not(None), ~has_member),
    )
    for account in line.session.scalars(select(Account).where(is_left_over).limit(BATCH)).all():
        unlinking.erase(line, account, now=line.clock())


def clear_expired(session: Session, *, now: datetime) -> None:
    """Delete what waited too long for its person."""
    for model in (LoginAttempt, ChatLink, EndedLink, KeptForm, OpenDialogue, CardCode):
        session.execute(delete(model).where(model.expires_at <= now - timedelta(hours=1)))
    clear_inbox(session, now=now)


def clear_inbox(session: Session, *, now: datetime) -> None:
    """Forget what answered events said, and, once LINE can't send them again, that they were."""
    is_old = InboxEvent.finished_at <= now - CONTENT_KEPT
    session.execute(
        update(InboxEvent)
        .where(InboxEvent.state == "done", is_old)
        .values(state="cleared", payload="", reply=None)
    )
    is_past = InboxEvent.finished_at <= now - KEPT - CLOCK_SKEW
    session.execute(
        delete(InboxEvent).where(InboxEvent.state.in_(("done", "cleared", "dead")), is_past)
    )
