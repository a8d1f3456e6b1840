"""The rules of a login: consume an attempt once, keep the account true, wait for the person.

Everything is handed in; Flask's session and request belong to ``views.py``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from urllib.parse import unquote
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.urls import iri_to_uri

from ..errors import Refused
from ..i18n import gettext as _
from ..models import Account
from ..models import LoginAttempt
from ..models.base import insert_if_absent
from ..vault import hashed
from .decide import Intent

#: How long the way to LINE and back may take.
ATTEMPT_LIFETIME = timedelta(minutes=10)
#: How long a finished login waits for the person's press.
HOLD_LIFETIME = timedelta(minutes=10)
#: How old an ID token may be that proves LINE's side of a link.
LINK_AGE = timedelta(minutes=10)
#: Longest return address that is kept, as it is sent; session cookies hold 4 kB in all.
MAX_NEXT = 500
#: Longest label of a store QR code or button.
MAX_SOURCE = 100
#: What LINE reads off an address to choose the browser; a page that is opened is in one already.
#: Source: LINE, "Using LINE URL scheme".
_OPENING = ("openExternalBrowser=", "openInAppBrowser=")


@dataclass(frozen=True, slots=True)
class Held:
    """A finished login that waits, and the account it belongs to."""

    attempt: LoginAttempt
    account: Account


def consume(
    session: Session,
    proof: str,
    *,
    intent: Intent,
    now: datetime,
    began_as: str | None = None,
    next_path: str | None = None,
    source: str | None = None,
) -> None:
    """Record that a state or token was used, in one statement; commits, so that races see it.

    :raises Refused: it was used before.
    """
    is_new = insert_if_absent(
        session,
        LoginAttempt,
        proof_hash=hashed(proof),
        intent=intent.value,
        member_key=began_as,
        next_path=next_path,
        source=source,
        consumed_at=now,
        expires_at=now + HOLD_LIFETIME,
    )
    session.commit()
    if not is_new:
        raise Refused(
            _("このログインはすでに使われています。もう一度お試しください。"), step="state"
        )


def hold(session: Session, proof: str, account: Account, *, email: str | None) -> str:
    """Keep a finished login until the person presses; return the handle for their session.

    :param proof: the state or token that :func:`consume` recorded.
    """
    handle = secrets.token_urlsafe(32)
    statement = (
        update(LoginAttempt)
        .where(LoginAttempt.proof_hash == hashed(proof))
        .values(handle_hash=hashed(handle), account_id=account.id, email=email)
    )
    session.execute(statement)
    return handle


def held(session: Session, handle: object, *, intent: Intent, now: datetime) -> Held:
    """Return the finished login that a session waits with.

    :raises Refused: there is none, it is of another kind, or it waited too long.
    """
    row = None
    if isinstance(handle, str):
        row = session.execute(
            select(LoginAttempt, Account)
            .join(Account, Account.id == LoginAttempt.account_id)
            .where(
                LoginAttempt.handle_hash == hashed(handle),
                LoginAttempt.intent == intent.value,
                LoginAttempt.expires_at > now,
            )
        ).one_or_none()
    if row is None:
        raise waited_too_long()
    return Held(*row)


def waited_too_long() -> Refused:
    """Return the refusal of what waited for longer than it may, or is there no more."""
    return Refused(_("時間が経ったため、LINEでのログインをもう一度お願いします。"), step="expired")


def release(session: Session, waiting: Held) -> None:
    """Forget what waited, because it was used; its state stays known as used."""
    waiting.attempt.handle_hash = None
    waiting.attempt.email = None
    session.flush()


def require_fresh(issued_at: datetime, *, now: datetime) -> None:
    """Go on only with a login of the last minutes, which proves who holds the phone now.

    :param issued_at: when LINE issued the ID token.
    :raises Refused: that is too long ago.
    """
    if now - issued_at > LINK_AGE:
        raise Refused(
            _("LINEでのログインから時間が経っています。もう一度LINEでログインしてください。"),
            step="iat",
        )


def source_label(text: str | None) -> str | None:
    """Return the label of a store QR code or button as it is kept, or ``None`` for none."""
    return text[:MAX_SOURCE] if text and text.isprintable() else None


def local_path(target: object) -> str | None:
    """Return a return address as a path of our own host, or ``None`` if it is anything else.

    Browsers drop tabs and line ends and read a backslash as a slash, so the address is checked
    with a parser, rebuilt from its parts and refused where the two could differ.
    """
    if not isinstance(target, str) or not target:
        return None
    if not target.isprintable() or "\\" in target or target.startswith("//"):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return None
    # A browser climbs with them, also where their dots are written as %2e.
    if {".", ".."} & set(unquote(parts.path).split("/")):
        return None
    query = "&".join(part for part in parts.query.split("&") if not part.startswith(_OPENING))
    path = iri_to_uri(urlunsplit(("", "", parts.path, query, parts.fragment)))
    return path if len(path) <= MAX_NEXT else None
