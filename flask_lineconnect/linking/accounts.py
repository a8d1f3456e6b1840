"""LINE accounts: find them, keep them true, tie and untie them and the shop's members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import signals
from ..after_commit import announce
from ..errors import Refused
from ..errors import UsageError
from ..i18n import gettext as _
from ..marketing import member_events
from ..marketing.event_kinds import LINKED
from ..models import Account
from ..models import AuditEntry
from ..models.base import insert_if_absent
from ..models.violations import is_unique_violation
from ..state import LineState
from . import languages
from . import unlinking
from .marks import MemberMarks

if TYPE_CHECKING:
    from ..login.oidc import Identity


def ensure_account(session: Session, line_user_id: str, *, now: datetime) -> Account:
    """Return the account of a LINE user; made now if it is the first time."""
    statement = select(Account).where(Account.line_user_id == line_user_id)
    account = session.scalars(statement).one_or_none()
    if account is not None:
        return account
    insert_if_absent(
        session,
        Account,
        line_user_id=line_user_id,
        display_name="",
        session_generation=0,
        created_at=now,
    )
    return session.scalars(statement).one()


def note_login(
    session: Session,
    identity: Identity,
    *,
    is_friend: bool | None,
    sealed_tokens: str,
    at: datetime,
) -> Account:
    """Keep what a login told of a person, in one statement; made now if it is the first time.

    Friendship follows the rule of :func:`note_friendship`.

    :param is_friend: ``None`` when LINE did not say.
    """
    values: dict[str, Any] = {
        "picture_url": identity.picture_url,
        "sealed_tokens": sealed_tokens,
        "consent_checked_at": at,
    }
    if identity.display_name:
        values["display_name"] = identity.display_name
    if is_friend is not None:
        is_newest = _is_newest(at)
        values["is_friend"] = case((is_newest, is_friend), else_=Account.is_friend)
        values["friend_evidence_at"] = case((is_newest, at), else_=Account.friend_evidence_at)
    statement = (
        update(Account)
        .where(Account.line_user_id == identity.line_user_id)
        .values(values)
        .returning(Account)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    account = session.scalars(statement).one_or_none()
    if account is None:
        ensure_account(session, identity.line_user_id, now=at)
        account = session.scalars(statement).one()
    return account


def account_of(session: Session, member_id: Any) -> Account | None:
    """Return the LINE account to which a member is linked."""
    if member_id is None:
        return None
    return session.scalars(select(Account).where(Account.member_id == member_id)).one_or_none()


def account_of_member(line: LineState, member: Any) -> Account | None:
    """Return the LINE account to which this very member is linked.

    The link of somebody before them, whose row had the same key, is none of theirs.
    """
    account = account_of(line.session, None if member is None else member_key(line.session, member))
    if account is None or not line.part(MemberMarks).is_same(account.member_mark, member):
        return None
    return account


def member_of_account(line: LineState, account: Account) -> Any | None:
    """Return the member to whom a LINE account is linked; ``None`` if that one is there no more."""
    if account.member_id is None:
        return None
    member = line.session.get(line.shop.model, account.member_id)
    if member is None or not line.part(MemberMarks).is_same(account.member_mark, member):
        return None
    return member


def former_member(line: LineState, account: Account) -> Any | None:
    """Return the member to whom this LINE account still leads back; ``None`` if it leads nowhere.

    Only LINE ever proved who they are, and they left by themselves.
    """
    if not account.may_return or account.is_linked or account.former_member_id is None:
        return None
    member = line.session.get(line.shop.model, account.former_member_id)
    is_same = line.part(MemberMarks).is_same
    if member is None or not is_same(account.former_member_mark, member):
        return None
    if not line.shop.may_log_in(member) or line.shop.has_other_login(member):
        return None
    return member if account_of_member(line, member) is None else None


def remember_member(line: LineState, account: Account, member: Any) -> None:
    """Keep what tells the member from the next one, for links from before it was kept."""
    mark = line.part(MemberMarks).of(member)
    if mark is not None and account.member_mark != mark:
        account.member_mark = mark


def member_key(session: Session, member: Any) -> Any:
    """Return the primary key of a member; a new member is flushed to get one.

    :raises UsageError: this is no instance of a mapped model.
    """
    state = inspect(member, raiseerr=False)
    if state is None or not hasattr(state, "mapper"):
        raise UsageError(f"{member!r} is no member: an instance of the shop's model is needed")
    if not state.has_identity:
        session.add(member)
        session.flush()
    return state.mapper.primary_key_from_instance(member)[0]


def note_friendship(
    session: Session, account: Account, is_friend: bool | None, *, at: datetime
) -> bool:
    """Keep what LINE told us about friendship, unless something newer is known; one statement.

    :param is_friend: ``None`` when LINE did not say.
    :return: whether it was the newest evidence.
    """
    if is_friend is None:
        return False
    statement = (
        update(Account)
        .where(Account.id == account.id, _is_newest(at))
        .values(is_friend=is_friend, friend_evidence_at=at)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    is_newest = session.execute(statement).first() is not None
    session.refresh(account, ["is_friend", "friend_evidence_at"])
    return is_newest


def _is_newest(at: datetime) -> ColumnElement[bool]:
    return or_(Account.friend_evidence_at.is_(None), Account.friend_evidence_at <= at)


def link(
    line: LineState, account: Account, member_id: Any, *, source: str | None, now: datetime
) -> None:
    """Tie a LINE account to a member, in one statement that a race can't get past.

    The signal :data:`~flask_lineconnect.signals.account_linked` follows the commit. Whoever opens
    this door to people tells both sides, see ``telling.py``.

    :raises Refused: either side is tied already; the transaction is as before.
    """
    session = line.session
    member = session.get(line.shop.model, member_id)
    unlinking.end_left_over(line, member_id, member, now=now)
    unlinking.end_if_left_over(line, account, now=now)
    statement = (
        update(Account)
        .where(Account.id == account.id, Account.member_id.is_(None))
        .values(
            member_id=member_id,
            member_mark=_mark_in_database(line, member),
            linked_at=now,
            link_source=source,
            in_doubt_since=None,
            former_member_id=None,
            former_member_mark=None,
            may_return=None,
        )
    )
    try:
        with session.begin_nested():
            is_tied = getattr(session.execute(statement), "rowcount", 0) == 1
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
        raise member_taken() from None
    if not is_tied:
        raise account_taken()
    session.refresh(account)
    languages.show_menu(line, account)
    session.add(
        AuditEntry(
            at=now,
            action="linked",
            actor="member",
            account_id=account.id,
            member_key=str(member_id),
        )
    )
    session.flush()
    member_events.adopt(session, account, member_id)
    facts = {"source": source}
    member_events.record(line, LINKED, member_id=member_id, account=account, at=now, facts=facts)
    announce(session, signals.account_linked, account=account, member=member)


def _mark_in_database(line: LineState, member: Any) -> str | None:
    """Return a member's mark as the database gives it back, in its precision and zone."""
    if member is None or line.part(MemberMarks).of(member) is None:
        return None
    line.session.flush()
    line.session.refresh(member)
    return line.part(MemberMarks).of(member)


def count_by_source(
    session: Session, *, since: datetime | None = None
) -> list[tuple[str | None, int]]:
    """Return how many linked members came from where, the most first."""
    count = func.count().label("count")
    statement = (
        select(Account.link_source, count)
        .where(Account.member_id.is_not(None), *_since(since))
        .group_by(Account.link_source)
        .order_by(count.desc(), func.coalesce(Account.link_source, ""))
    )
    return [(source, number) for source, number in session.execute(statement)]


def accounts_from(
    session: Session, source: str, *, since: datetime | None = None
) -> Sequence[Account]:
    """Return the linked accounts that came from one source, the latest first."""
    statement = (
        select(Account)
        .where(Account.member_id.is_not(None), Account.link_source == source, *_since(since))
        .order_by(Account.linked_at.desc())
    )
    return session.scalars(statement).all()


def _since(since: datetime | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [Account.linked_at >= since]


def account_taken() -> Refused:
    """Return the refusal for a LINE account that another member is linked to."""
    return Refused(
        _("このLINEアカウントは、すでに別の会員と連携されています。"), step="account-taken"
    )


def member_taken() -> Refused:
    """Return the refusal for a member who is linked to another LINE account."""
    return Refused(
        _("この会員は、すでに別のLINEアカウントと連携されています。"), step="member-taken"
    )
