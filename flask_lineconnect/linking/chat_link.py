"""Linking inside the chat: from a message to the shop's own login, and back to a link.

LINE gives a link token for the person who wrote; the shop finds out which member it is and sends
the browser to LINE with a nonce; LINE says in a signed event whether the browser's person is the
token's. Only that event links.

Source: Messaging API documentation, "Link user accounts".
"""

from __future__ import annotations

import secrets
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import Refused
from ..i18n import gettext as _
from ..models import Account
from ..models import ChatLink
from ..vault import hashed

#: As long as LINE's link token.
LIFETIME = timedelta(minutes=10)


def begin(session: Session, account: Account, link_token: str, *, now: datetime) -> None:
    """Remember for whom LINE gave a link token; commits with the caller."""
    session.execute(delete(ChatLink).where(ChatLink.expires_at <= now))
    session.add(
        ChatLink(token_hash=hashed(link_token), account_id=account.id, expires_at=now + LIFETIME)
    )
    session.flush()


def account_behind(session: Session, link_token: str, *, now: datetime) -> Account:
    """Return the account for which we asked a link token.

    :raises Refused: it is not one of ours, was used, or is too old.
    """
    statement = (
        select(Account)
        .join(ChatLink, ChatLink.account_id == Account.id)
        .where(ChatLink.token_hash == hashed(link_token), ChatLink.expires_at > now)
        .where(ChatLink.nonce_hash.is_(None))
    )
    account = session.scalars(statement).one_or_none()
    if account is None:
        raise Refused(
            _("このリンクは使えません。トークでもう一度お試しください。"), step="link-token"
        )
    return account


def confirm(session: Session, link_token: str, member_id: Any, *, now: datetime) -> str:
    """Note that a member pressed; return the nonce with which LINE's event will name them.

    :raises Refused: the token was used meanwhile, or is too old.
    """
    nonce = secrets.token_urlsafe(32)
    statement = (
        update(ChatLink)
        .where(
            ChatLink.token_hash == hashed(link_token),
            ChatLink.nonce_hash.is_(None),
            ChatLink.expires_at > now,
        )
        .values(nonce_hash=hashed(nonce), member_id=member_id)
        .returning(ChatLink.token_hash)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        raise Refused(
            _("このリンクは使えません。トークでもう一度お試しください。"), step="link-token"
        )
    return nonce


def redeem(session: Session, account: Account, nonce: str, *, now: datetime) -> Any | None:
    """Take the nonce of a signed ``accountLink`` event, once.

    :return: the key of the member who waits with it for this very account, or ``None``.
    """
    statement = (
        delete(ChatLink)
        .where(ChatLink.nonce_hash == hashed(nonce), ChatLink.expires_at > now)
        .returning(ChatLink.account_id, ChatLink.member_id)
    )
    waiting = session.execute(statement).one_or_none()
    if waiting is None or waiting.account_id != account.id or waiting.member_id is None:
        return None
    return waiting.member_id


def end_waiting(session: Session, member_id: Any) -> None:
    """Forget what waits for a member: after a logout, or when credentials changed."""
    session.execute(delete(ChatLink).where(ChatLink.member_id == member_id))
