"""How a login ends: the member is in, linked if they pressed, and asked once to be a friend."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import redirect
from flask import url_for
from sqlalchemy import update
from werkzeug.wrappers import Response

from .. import signals
from ..after_commit import after_commit
from ..after_commit import announce
from ..i18n import gettext as _
from ..linking import accounts
from ..linking import telling
from ..models import Account
from ..person_names import shown_name
from ..shop.adapter import LineProfile
from ..state import LineState
from ..state import current_line
from ..web.locales import agree_on_language
from ..web.locales import note_language
from ..web.said import say_at
from . import flow
from . import kept_forms
from . import sessions
from .basis import basis_of
from .basis import user_id_of


def log_in(account: Account, next_path: str | None, *, by_itself: bool = False) -> Response:
    """Log in the member to whom an account is linked, commit, and return to where they were going.

    :param by_itself: LINE's app began it without a touch, and it goes on without one.
    :raises Refused: the shop does not let this member in through LINE.
    """
    line = current_line
    member = accounts.member_of_account(line, account)
    config = line.config
    sessions.require_may_log_in(member)
    rests_on = basis_of(line, account, member)
    accounts.remember_member(line, account, member)
    agree_on_language(account)
    kept_forms.expect(next_path, by_itself=by_itself)
    sessions.log_in(member, rests_on, keep=config.keep_session_keys, remember=config.remember)
    announce(line.session, signals.member_logged_in, account=account, member=member)
    target = next_path or line.config.default_page
    is_to_be_asked = not by_itself and _is_to_be_asked(line, account)
    line.session.commit()
    return redirect(url_for("lineconnect.friend", next=target) if is_to_be_asked else target)


def is_occupied(account: Account) -> bool:
    """Tell whether somebody is logged in who is not the account's member; staff are somebody."""
    line, user = current_line, sessions.logged_in_user()
    member = accounts.member_of_account(line, account)
    if user is None or member is None or not isinstance(user, line.shop.model):
        return user is not None
    return user_id_of(line, user) != user_id_of(line, member)


def enter(waiting: flow.Held) -> Response:
    """Log in the linked person who waited, unless something must be asked before."""
    line = current_line
    account, next_path = waiting.account, waiting.attempt.next_path
    if account.in_doubt_since is not None:
        return redirect(url_for("lineconnect.link_again", next=next_path))
    flow.release(line.session, waiting)
    sessions.drop_handle()
    return log_in(account, next_path)


def tie(waiting: flow.Held, member_id: Any, *, is_new: bool = False) -> Response:
    """Link what waited, commit, log in, go where the attempt was going, and say so there.

    :param is_new: whether the member registered just now; they get the card that was promised.
    :raises Refused: either side is linked already.
    """
    line = current_line
    account, next_path = waiting.account, waiting.attempt.next_path
    if is_new and next_path is None:
        next_path = url_for("lineconnect.card")
    accounts.link(line, account, member_id, source=waiting.attempt.source, now=line.clock())
    note_language(account)
    telling.tell(line, account, accounts.member_of_account(line, account), "linked")
    flow.release(line.session, waiting)
    from ..webhooks import inbox  # at the first link, see parts.py

    if inbox.ask_again(line.session, account.line_user_id, now=line.clock()):
        after_commit(line.session, partial(line.engine.wake, "inbox"))
    sessions.drop_handle()
    answer = log_in(account, next_path)
    done = _("会員登録が完了しました。") if is_new else _("LINEと連携しました。")
    say_at(next_path or line.config.default_page, done)
    return answer


def profile_of(waiting: flow.Held) -> LineProfile:
    """Return what LINE said of the person who waits."""
    account = waiting.account
    return LineProfile(
        line_user_id=account.line_user_id,
        display_name=shown_name(account.display_name),
        picture_url=account.picture_url,
        email=waiting.attempt.email,
    )


def _is_to_be_asked(line: LineState, account: Account) -> bool:
    """Tell, once in an account's life, that its person is no friend and was never asked."""
    if not line.config.ask_for_friendship or account.is_friend is not False:
        return False
    statement = (
        update(Account)
        .where(Account.id == account.id, Account.friend_asked_at.is_(None))
        .values(friend_asked_at=line.clock())
        .returning(Account.id)
    )
    return line.session.execute(statement).first() is not None
