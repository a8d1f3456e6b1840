"""Members: made, found by their card, recognised by their password."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash
from werkzeug.security import generate_password_hash

from flask_lineconnect import fold_digits

from .models import User

#: Checked for unknown addresses, so that they cost as much as known ones.
_NOBODY = generate_password_hash(secrets.token_hex())


def new_card_number(*, twelve: str | None = None) -> str:
    """Return a card number: twelve digits that can't be guessed, and their JAN check digit."""
    digits = twelve or f"29{secrets.randbelow(10**10):010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-weighted % 10)


def make_member(
    session: Session,
    *,
    email: str,
    name: str,
    password: str | None = None,
    phone: str | None = None,
) -> User | None:
    """Make a member in the caller's transaction; ``None`` if the e-mail address is in use."""
    member = User(
        email=email.strip().lower(),
        name=name.strip(),
        phone=phone or None,
        password_hash=generate_password_hash(password) if password else None,
        card_number=new_card_number(),
    )
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        return None
    return member


def find_by_card(session: Session, typed: str) -> User | None:
    """Return the member with a card number, however it was typed."""
    is_theirs = User.card_number == fold_digits(typed)
    return session.scalars(select(User).where(is_theirs)).one_or_none()


def recognise(session: Session, *, email: str, password: str) -> User | None:
    """Return the member with this e-mail address and password."""
    member = session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()
    password_hash = member.password_hash if member else None
    is_right = check_password_hash(password_hash or _NOBODY, password)
    return member if is_right and password_hash else None
