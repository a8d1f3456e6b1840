"""What the browser session keeps of LINE: attempts on their way, and who LINE logged in."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from typing import TypedDict

from flask import Flask
from flask import current_app
from flask import request
from flask import session
from flask_login import login_user
from flask_login import logout_user
from flask_login import user_logged_in
from flask_login import user_logged_out
from sqlalchemy import select

from ..errors import Refused
from ..i18n import gettext as _
from ..models import Account
from ..state import current_line
from .decide import Intent
from .flow import ATTEMPT_LIFETIME
from .oidc import Authorization

_ATTEMPTS = "_lineconnect_attempts"
_HANDLE = "_lineconnect_handle"
_ACCOUNT = "_lineconnect_account"

#: The cookie holds 4 kB, and a foreign page can make the browser begin attempts.
MAX_ATTEMPTS = 3


class Attempt(TypedDict):
    """One way to LINE that has not come back yet."""

    state: str
    nonce: str
    code_verifier: str
    intent: str
    began_as: str | None
    next_path: str | None
    source: str | None
    silent: bool
    at: int


def remember_attempt(
    authorization: Authorization,
    *,
    intent: Intent,
    began_as: str | None,
    next_path: str | None,
    source: str | None,
    silent: bool,
) -> None:
    """Keep what must match when the browser comes back; the oldest attempts go first."""
    attempt = Attempt(
        state=authorization.state,
        nonce=authorization.nonce,
        code_verifier=authorization.code_verifier,
        intent=intent.value,
        began_as=began_as,
        next_path=next_path,
        source=source,
        silent=silent,
        at=int(time.time()),
    )
    others = [*session.get(_ATTEMPTS, ())]
    session[_ATTEMPTS] = [*others[1 - MAX_ATTEMPTS :], attempt]


def take_attempt(states: list[str]) -> Attempt:
    """Return the attempt of the one given state and forget it.

    :raises Refused: the state is missing, given twice, foreign, used or too old.
    """
    attempts: list[Attempt] = session.get(_ATTEMPTS, [])
    found = [attempt for attempt in attempts if [attempt["state"]] == states]
    if not found or found[0]["at"] + ATTEMPT_LIFETIME.total_seconds() < time.time():
        raise Refused(
            _(
                "ログインを始めたブラウザと戻ってきたブラウザが違うか、時間が経ちすぎています。"
                "このブラウザでもう一度お試しください。"
            ),
            step="state",
        )
    session[_ATTEMPTS] = [attempt for attempt in attempts if attempt is not found[0]]
    return found[0]


def keep_handle(handle: str) -> None:
    """Keep the handle of a finished login that waits for a press."""
    session[_HANDLE] = handle


def handle() -> object:
    """Return the handle that :func:`keep_handle` kept."""
    return session.get(_HANDLE)


def drop_handle() -> None:
    """Forget the waiting login."""
    session.pop(_HANDLE, None)


def register(app: Flask) -> None:
    """Let a waiting login die whenever somebody logs in or out, by whichever door.

    A session that LINE gave ends at its next request when the link behind it has ended.
    """
    app.before_request(_end_with_the_link)
    user_logged_in.connect(_person_changed, app)
    user_logged_out.connect(_person_changed, app)


def _end_with_the_link() -> None:
    given = session.get(_ACCOUNT)
    # Static files show nobody's data, and there are many of them on a page.
    if given is None or (request.endpoint or "static").endswith("static"):
        return
    line = current_line
    statement = select(Account.session_generation).where(Account.id == given[0])
    if line.session.scalars(statement).one_or_none() != given[1]:
        logout_user()
        renew(line.config.keep_session_keys)


def _person_changed(_app: Flask, **_extra: Any) -> None:
    drop_handle()


def renew(keep: Iterable[str]) -> None:
    """Clear the session except for the declared keys, and give it a new id where it has one."""
    kept = {key: session[key] for key in keep if key in session}
    session.clear()
    session.update(kept)
    regenerate = getattr(current_app.session_interface, "regenerate", None)
    if callable(regenerate):
        regenerate(session)


def log_in(member: Any, account: Account, *, keep: Iterable[str]) -> None:
    """Log a member in through their LINE account, in a renewed session.

    :raises Refused: the shop does not let this member in through LINE.
    """
    require_may_log_in(member)
    renew(keep)
    login_user(member)
    session[_ACCOUNT] = [account.id, account.session_generation]


def came_from_line() -> bool:
    """Tell whether it was LINE that logged this session in."""
    return _ACCOUNT in session


def is_ended(account: Account) -> bool:
    """Tell whether LINE gave this session and the account's link has changed since."""
    given = session.get(_ACCOUNT)
    return given is not None and given != [account.id, account.session_generation]


def require_may_log_in(member: Any) -> None:
    """Go on only with a member whom the shop lets in through LINE; ``None`` is a deleted one.

    :raises Refused: the member is gone, locked, or not for LINE.
    """
    if member is None or not current_line.shop.may_log_in(member):
        raise Refused(
            _("この会員ではLINEログインを使えません。お店までお問い合わせください。"),
            step="member",
        )
