"""What the browser session keeps of LINE: attempts on their way, and who LINE logged in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import astuple
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any
from typing import TypedDict

from flask import Flask
from flask import current_app
from flask import g
from flask import has_request_context
from flask import request
from flask import session
from flask_login import COOKIE_NAME
from flask_login import current_user
from flask_login import login_fresh
from flask_login import login_user
from flask_login import logout_user
from flask_login import user_accessed
from flask_login import user_logged_in
from flask_login import user_logged_out

from ..errors import Refused
from ..i18n import LANGUAGE_KEY
from ..i18n import gettext as _
from ..state import current_line
from ..web import csrf
from . import last_login
from .basis import Basis
from .basis import find
from .basis import user_id_of
from .decide import Intent
from .flow import ATTEMPT_LIFETIME

if TYPE_CHECKING:
    from .oidc import Authorization

_ATTEMPTS = "_lineconnect_attempts"
_OVERTAKEN = "_lineconnect_overtaken"
_HANDLE = "_lineconnect_handle"
_ACCOUNT = "_lineconnect_account"
_FORM = "_lineconnect_form"
_LOGGED_IN_AT = "_lineconnect_logged_in_at"
_COOKIES = "_lineconnect_cookies"
_DAY = "_lineconnect_day"
_RENEWED = "_lineconnect_renewed"
#: How many values a session keeps of what it rests on.
_PARTS = len(fields(Basis))
#: Flask-Login's word to itself to take the remember cookie back.
_REMEMBER = "_remember"

#: The cookie holds 4 kB, and a foreign page can make the browser begin attempts.
MAX_ATTEMPTS = 3
#: All attempts together, as JSON; one alone always fits.
MAX_ATTEMPTS_BYTES = 1_800
#: Those of other tabs, which a login left behind; one with a short address always fits.
MAX_OVERTAKEN_BYTES = 900


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
    #: Whom this attempt may replace, because they pressed for it.
    pressed_as: str | None
    at: float


def remember_attempt(
    authorization: Authorization,
    *,
    intent: Intent,
    began_as: str | None,
    next_path: str | None,
    source: str | None,
    silent: bool,
    pressed_as: str | None = None,
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
        pressed_as=pressed_as,
        at=round(current_line.clock().timestamp(), 3),
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
    if not found or found[0]["at"] < (current_line.clock() - ATTEMPT_LIFETIME).timestamp():
        raise Refused(
            _(
                "ログインを始めたブラウザと戻ってきたブラウザが違うか、時間が経ちすぎています。"
                "このブラウザでもう一度お試しください。"
            ),
            step="state",
        )
    session[_ATTEMPTS] = [attempt for attempt in attempts if attempt is not found[0]]
    return found[0]


def take_overtaken(states: list[str]) -> Attempt | None:
    """Return the attempt of another tab, which was under way when this session was logged in.

    It proves nothing any more and only says where that tab was going.
    """
    attempts: list[Attempt] = session.get(_OVERTAKEN, [])
    found = [attempt for attempt in attempts if [attempt["state"]] == states]
    if not found or logged_in_user() is None:
        return None
    session[_OVERTAKEN] = [attempt for attempt in attempts if attempt is not found[0]]
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

    Whoever logs in last is who the browser is. A session that LINE gave is looked at whenever its
    user is loaded, be it for a page, an error page or an address that does not exist; a page that
    loads no user costs nothing.
    """
    last_login.register(app)
    user_accessed.connect(_end_unless_it_stands, app)
    user_logged_in.connect(_person_changed, app)
    user_logged_in.connect(_note_login, app)
    user_logged_out.connect(_forget, app)


def _end_unless_it_stands(_app: Flask, **_extra: Any) -> None:
    """End a session that LINE gave when something that it rests on has changed."""
    if "_lineconnect_checking" in g:
        return
    if last_login.is_of_before():
        # Without a word of a logout, which would be taken for one of who logged in since.
        session.pop(_REMEMBER, None)
        renew(current_line.config.keep_session_keys)
    if _ACCOUNT not in session:
        return
    # Logging out, and the shop's answers, ask who is logged in, which would begin this anew.
    g._lineconnect_checking = True
    try:
        _check(session[_ACCOUNT])
    finally:
        g.pop("_lineconnect_checking")


def _check(given: object) -> None:
    if not isinstance(given, list) or len(given) != _PARTS:
        return end()
    rests_on = Basis(*given)
    if session.get("_user_id") != rests_on.user_id:
        # Somebody came in by another way since, for example by a remember cookie.
        session.pop(_ACCOUNT)
        return None
    found = find(current_line, rests_on)
    # The database session keeps no object alive that nobody holds.
    g._lineconnect_member = found.member
    if not found.stands:
        return end(found.member)
    if session.permanent and session.get(_DAY) != _today():
        # Flask sends an unchanged session only where every answer would bring an old one back.
        session[_DAY] = _today()
    return None


def _today() -> int:
    return int(time.time() // 86_400)


def end(user: Any | None = None) -> None:
    """Log out whoever is in this session, and renew it.

    :param user: who that is, where it must not be loaded from the session any more.
    """
    if "_lineconnect_checking" in g:
        manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
        manager._update_request_context_with_user(user)
    logout_user()
    renew(current_line.config.keep_session_keys)


def _person_changed(_app: Flask, **_extra: Any) -> None:
    drop_handle()
    session.pop(_ACCOUNT, None)


def _forget(_app: Flask, **_extra: Any) -> None:
    # Of an interrupted form there is a row besides, see kept_forms.py.
    for key in (_ATTEMPTS, _OVERTAKEN, _HANDLE, _ACCOUNT, _LOGGED_IN_AT):
        session.pop(key, None)


def _note_login(_app: Flask, **_extra: Any) -> None:
    session[_LOGGED_IN_AT] = current_line.clock().timestamp()


def logged_in_since(moment: datetime) -> bool:
    """Tell whether the person logged in, in this session, then or later."""
    return login_fresh() and bool(session.get(_LOGGED_IN_AT, 0) >= moment.timestamp())


def keep_through_change(rests_on: Basis | None) -> None:
    """Let this session go on where its own person has changed their credentials.

    :param rests_on: what it rests on now, if LINE gave it.
    """
    session[_LOGGED_IN_AT] = current_line.clock().timestamp()
    if rests_on is not None and _ACCOUNT in session:
        session[_ACCOUNT] = list(astuple(rests_on))


def rests_on_account(account_id: int) -> bool:
    """Tell whether it was this LINE account that logged this session in."""
    given = session.get(_ACCOUNT)
    return given is not None and bool(given[0] == account_id)


def keep_form(handle: str) -> None:
    """Keep the handle of an interrupted form."""
    session[_FORM] = handle


def drop_form() -> None:
    """Forget it."""
    session.pop(_FORM, None)


def form_handle() -> str | None:
    """Return the handle of the form that an auto-login interrupted in this session."""
    handle: str | None = session.get(_FORM)
    return handle


def renew(keep: Iterable[str]) -> None:
    """Give the session a new id where it has one, and clear it except for the declared keys."""
    kept = {key: session[key] for key in (*keep, _REMEMBER, LANGUAGE_KEY) if key in session}
    regenerate = getattr(current_app.session_interface, "regenerate", None)
    if callable(regenerate):
        # Flask-Session leaves an empty session its id, which somebody else may have chosen.
        session[_RENEWED] = True
        regenerate(session)
    session.clear()
    session.update(kept)
    # Flask-WTF keeps the token of this request there, which belongs to the session before.
    g.pop(csrf.field_name(), None)


def log_in(member: Any, rests_on: Basis, *, keep: Iterable[str], remember: bool = False) -> None:
    """Log a member in through their LINE account, in a renewed session.

    :param rests_on: as it was read in the transaction in which the account was found.
    :param remember: let the session outlive the browser. It is Flask's permanent session and not
        Flask-Login's remember cookie, which would outlive the link.
    :raises Refused: the shop does not let this member in through LINE.
    """
    require_may_log_in(member)
    user = logged_in_user()
    is_same = user is not None and user_id_of(current_line, user) == rests_on.user_id
    overtaken = [*session.get(_OVERTAKEN, ()), *session.get(_ATTEMPTS, ())][-MAX_ATTEMPTS:]
    while overtaken and len(json.dumps(overtaken)) > MAX_OVERTAKEN_BYTES:
        overtaken.pop(0)
    renew((*keep, _FORM))
    if overtaken:
        # What could be used for a login stays behind with the session before.
        session[_OVERTAKEN] = [
            attempt | {"nonce": "", "code_verifier": ""} for attempt in overtaken
        ]
    if not is_same and _remember_cookie_name() in request.cookies:
        # Somebody else's remember cookie would bring them back one day.
        session[_REMEMBER] = "clear"
    if not login_user(member):
        raise _not_for_line()
    if remember:
        session.permanent = True
        session[_DAY] = _today()
    session[_ACCOUNT] = list(astuple(rests_on))
    _tell_neighbours()


def _tell_neighbours() -> None:
    """Let Flask-Security know what it notes at logins of its own: when, and a new CSRF cookie.

    Source: Flask-Security, "Freshness"; ``flask_security.login_user``.
    """
    if "security" in current_app.extensions:
        session["fs_paa"] = time.time()
        session["fs_cc"] = "set"


def user_id() -> str | None:
    """Return what Flask-Login keeps of whoever is logged in."""
    user = logged_in_user()
    return None if user is None else user_id_of(current_line, user)


def is_of(member: Any) -> bool:
    """Tell whether this is a request of this very member's own session."""
    user = logged_in_user() if has_request_context() else None
    return isinstance(user, type(member)) and user.get_id() == member.get_id()


def logged_in_user() -> Any | None:
    """Return who is logged in to the shop, a member or somebody else; ``None`` for nobody.

    Where a shop has no anonymous users, ``current_user`` is ``None`` itself.
    """
    user = current_user._get_current_object()
    return user if user is not None and user.is_authenticated else None


def _remember_cookie_name() -> str:
    name: str = current_app.config.get("REMEMBER_COOKIE_NAME", COOKIE_NAME)
    return name


def came_from_line() -> bool:
    """Tell whether it was LINE that logged this session in."""
    return _ACCOUNT in session


def require_may_log_in(member: Any) -> None:
    """Go on only with a member whom the shop lets in through LINE; ``None`` is a deleted one.

    :raises Refused: the member is gone, locked, or not for LINE.
    """
    if member is None or not current_line.shop.may_log_in(member):
        raise _not_for_line()


def _not_for_line() -> Refused:
    return Refused(
        _("この会員ではLINEログインを使えません。お店までお問い合わせください。"), step="member"
    )
