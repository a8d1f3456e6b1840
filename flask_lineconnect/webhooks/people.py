"""Who is behind a webhook event: their LINE account, and the shop's member."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ..linking import accounts
from ..models import Account
from ..state import current_line
from .events import Event


def account_for(event: Event) -> Account | None:
    """Return the LINE account of the person who caused an event."""
    if event.line_user_id is None:
        return None
    statement = select(Account).where(Account.line_user_id == event.line_user_id)
    return current_line.session.scalars(statement).one_or_none()


def member_for(event: Event) -> Any | None:
    """Return the shop's member who caused an event, or ``None`` for people without a link."""
    account = account_for(event)
    member = None if account is None else accounts.member_of_account(current_line, account)
    return member if member and current_line.shop.may_log_in(member) else None


class _Reach:
    """The way of an event to its people; see :class:`~.events.Reach`."""

    account_for = staticmethod(account_for)
    member_for = staticmethod(member_for)


#: What dispatch hands to each event.
REACH = _Reach()
