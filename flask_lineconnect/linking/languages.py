"""The language that a member chose: messages, answers and the rich menu speak it.

Whoever chose none is written to in the language of the request that writes, or the shop's own.
"""

from __future__ import annotations

from functools import partial

from flask import g
from flask import has_app_context
from sqlalchemy import select
from sqlalchemy import text

from ..after_commit import after_commit
from ..models import Account
from ..models import RichMenuRelease
from ..models.rich_menu import IS_CURRENT
from ..state import LineState
from ..state import current_line

#: In ``g``: the LINE user whom a hook answers.
_ANSWERED = "_lineconnect_answered"


def choose(line: LineState, account: Account, language: str) -> None:
    """Keep a member's choice, inside the caller's transaction."""
    if account.language == language:
        return
    account.language = language
    show_menu(line, account)
    line.session.flush()


def show_menu(line: LineState, account: Account) -> None:
    """Let LINE be told which rich menu an account sees, where the shop has several."""
    has_own = account.language is not None and line.rich_menu and line.rich_menu.images
    if not has_own and not _has_release(line):
        return
    account.menu_due_at = line.clock()
    after_commit(line.session, partial(line.engine.wake, "upkeep"))


def _has_release(line: LineState) -> bool:
    """Tell whether the shop has rich menus that are data."""
    session = line.session
    with session.no_autoflush:
        released = select(RichMenuRelease.id).where(text(IS_CURRENT))
        return session.scalar(released) is not None


def answer_to(line_user_id: str | None) -> None:
    """Speak the language of a LINE user for the rest of this context."""
    setattr(g, _ANSWERED, line_user_id)


def language_answered() -> str | None:
    """Return the language of whom a hook answers; ``None``: they chose none, or it is no hook.

    Asked for with the first text that is translated: most hooks translate none.
    """
    line_user_id = g.get(_ANSWERED) if has_app_context() else None
    if line_user_id is None:
        return None
    session = current_line.session
    with session.no_autoflush:
        return session.scalar(select(Account.language).where(Account.line_user_id == line_user_id))
