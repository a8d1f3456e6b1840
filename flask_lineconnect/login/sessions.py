"""What the browser session keeps of LINE: attempts on their way, and who LINE logged in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any
from typing import TypedDict

from flask import Flask
from flask import current_app
from flask import g
from flask import request
from flask import session
from flask_login import COOKIE_NAME
from flask_login import current_user
from flask_login import login_fresh
from flask_login import login_user
from flask_login import logout_user
from flask_login import user_logged_in
from flask_login import user_logged_out
from sqlalchemy import select

from ..errors import Refused
from ..i18n import LANGUAGE_KEY
from ..i18n import gettext as _
from ..models import Account
from ..state import current_line
from .decide import Intent
from .flow import ATTEMPT_LIFETIME

if TYPE_CHECKING:
    from .oidc import Authorization

_ATTEMPTS = "_lineconnect_attempts"
_HANDLE = "_lineconnect_handle"
_ACCOUNT = "_lineconnect_account"
_FORM = "_lineconnect_form"
_LOGGED_IN_AT = "_lineconnect_logged_in_at"
_COOKIES = "_lineconnect_cookies"
#: Flask-Login's word to itself to take the remember cookie back.
_REMEMBER = "_remember"

#: The cookie holds 4 kB, and a foreign page can make the browser begin attempts.
MAX_ATTEMPTS = 3
#: All attempts together, as JSON; one alone always fits.
MAX_ATTEMPTS_BYTES = 1_800


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
    attempts = [*session.get(_ATTEMPTS, ()), attempt][-MAX_ATTEMPTS:]
    while len(attempts) > 1 and len(json.dumps(attempts)) > MAX_ATTEMPTS_BYTES:
        attempts.pop(0)
    session[_ATTEMPTS] = attempts


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


def newest_attempt() -> Attempt | None:
    """Return the attempt that this session began last and that has not come back."""
    attempts: list[Attempt] = session.get(_ATTEMPTS, [])
    return attempts[-1] if attempts else None


def try_cookies() -> None:
    """Leave a mark by which the next request shows that the browser keeps cookies."""
    session[_COOKIES] = True


def keeps_cookies() -> bool:
    """Tell whether the browser brought something back."""
    return bool(session)


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
    user_logged_in.connect(_note_login, app)
    user_logged_out.connect(_forget, app)


def _end_with_the_link() -> None:
    # Static files show nobody's data, and there are many of them on a page. The session is not even
    # looked at, or browsers would fetch them anew for each session (`Vary: Cookie`).
    if (request.endpoint or "static").endswith("static"):
        return
    given = session.get(_ACCOUNT)
    if given is None:
        return
    line = current_line
    statement = select(Account.session_generation).where(Account.id == given[0])
    if line.session.scalars(statement).one_or_none() != given[1]:
        logout_user()
        renew(line.config.keep_session_keys)


def _person_changed(_app: Flask, **_extra: Any) -> None:
    drop_handle()


def _forget(_app: Flask, **_extra: Any) -> None:
    for key in (_ATTEMPTS, _HANDLE, _ACCOUNT, _FORM, _LOGGED_IN_AT):
        session.pop(key, None)


def _note_login(_app: Flask, **_extra: Any) -> None:
    session[_LOGGED_IN_AT] = int(time.time())


def is_recent(seconds: float) -> bool:
    """Tell whether the person logged in, in this session, within the last so many seconds."""
    return login_fresh() and bool(session.get(_LOGGED_IN_AT, 0) + seconds > time.time())


def keep_form(handle: str) -> str | None:
    """Keep the handle of an interrupted form; return the one that it replaces."""
    before: str | None = session.get(_FORM)
    session[_FORM] = handle
    return before


def form_handle() -> str | None:
    """Return the handle of the form that an auto-login interrupted in this session."""
    handle: str | None = session.get(_FORM)
    return handle


def renew(keep: Iterable[str]) -> None:
    """Clear the session except for the declared keys, and give it a new id where it has one."""
    kept = {key: session[key] for key in (*keep, _REMEMBER, LANGUAGE_KEY) if key in session}
    session.clear()
    session.update(kept)
    # Flask-WTF keeps the token of this request there, which belongs to the session before.
    g.pop(current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"), None)
    regenerate = getattr(current_app.session_interface, "regenerate", None)
    if callable(regenerate):
        regenerate(session)


def log_in(member: Any, account: Account, *, keep: Iterable[str], remember: bool = False) -> None:
    """Log a member in through their LINE account, in a renewed session.

    :param remember: let the session outlive the browser. It is Flask's permanent session and not
        Flask-Login's remember cookie, which would outlive the link.
    :raises Refused: the shop does not let this member in through LINE.
    """
    require_may_log_in(member)
    is_same = current_user.is_authenticated and current_user.get_id() == member.get_id()
    renew((*keep, _FORM))
    if not is_same and _remember_cookie_name() in request.cookies:
        # Somebody else's remember cookie would bring them back one day.
        session[_REMEMBER] = "clear"
    login_user(member)
    if remember:
        session.permanent = True
    session[_ACCOUNT] = [account.id, account.session_generation]


def _remember_cookie_name() -> str:
    name: str = current_app.config.get("REMEMBER_COOKIE_NAME", COOKIE_NAME)
    return name


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
