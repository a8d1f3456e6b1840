"""Passwords: set by a member who is logged in, or by whoever reads the member's mail."""

from __future__ import annotations

import hashlib

from flask import current_app
from itsdangerous import BadData
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from .models import User
from .signals import password_changed

#: Of a link in a mail, in seconds.
LINK_LIFETIME = 3_600


def set_password(user: User, password: str) -> None:
    """Set a member's password in the caller's transaction; links of before are worth nothing."""
    user.password_hash = generate_password_hash(password)
    password_changed.send(None, user=user)


def link_token(session: Session, email: str) -> str | None:
    """Return what lets the reader of a member's mail set a password; ``None`` for nobody's."""
    user = session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()
    if user is None or not user.is_active:
        return None
    return _serializer().dumps([user.id, _fingerprint(user)])


def member_behind(session: Session, token: str) -> User | None:
    """Return whose password a link sets, once and within the hour."""
    try:
        user_id, fingerprint = _serializer().loads(token, max_age=LINK_LIFETIME)
    except (BadData, ValueError, TypeError):
        return None
    user = session.get(User, user_id)
    is_good = user is not None and user.is_active and fingerprint == _fingerprint(user)
    return user if is_good else None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="set-password")


def _fingerprint(user: User) -> str:
    """Return what changes with the password, so that a link is good for one change."""
    state = f"{user.id}:{user.email}:{user.password_hash}"
    return hashlib.sha256(state.encode()).hexdigest()[:16]
