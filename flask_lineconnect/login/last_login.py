"""Who logged in last is who the browser is, also when an answer to the one before comes late.

A session in a cookie comes back with any answer, and the answer to a request that was on its way
during a login carries the session of before. So every login and logout puts a mark beside the
session, in a cookie of its own, which no other answer carries: a session with another mark is of
before, and counts no more.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask
from flask import current_app
from flask import g
from flask import request
from flask import session
from flask_login import user_logged_in
from flask_login import user_logged_out
from werkzeug.wrappers import Response

_MARK = "_lineconnect_login"
_NEW = "_lineconnect_login_mark"


def register(app: Flask) -> None:
    """Mark every login and logout of this app."""
    user_logged_in.connect(_note_login, app)
    user_logged_out.connect(_note_logout, app)
    app.after_request(_set_cookie)


def is_of_before() -> bool:
    """Tell whether another login or logout followed the one of this session, in this browser."""
    mark = session.get(_MARK)
    found = request.cookies.get(_cookie_name())
    # A browser that has lost the cookie has not logged anybody else in.
    return mark is not None and found is not None and found != mark and _NEW not in g


def _note_login(_app: Flask, **_extra: Any) -> None:
    session[_MARK] = g._lineconnect_login_mark = secrets.token_urlsafe(16)


def _note_logout(_app: Flask, **_extra: Any) -> None:
    session.pop(_MARK, None)
    g._lineconnect_login_mark = secrets.token_urlsafe(16)


def _set_cookie(response: Response) -> Response:
    mark = g.pop(_NEW, None)
    if mark is not None:
        interface = current_app.session_interface
        response.set_cookie(
            _cookie_name(),
            mark,
            max_age=current_app.permanent_session_lifetime if session.permanent else None,
            path=interface.get_cookie_path(current_app),
            domain=interface.get_cookie_domain(current_app),
            secure=interface.get_cookie_secure(current_app),
            httponly=True,
            samesite=interface.get_cookie_samesite(current_app),
        )
    return response


def _cookie_name() -> str:
    """Name it like the session's: shops side by side on one host keep theirs apart."""
    return f"{current_app.config['SESSION_COOKIE_NAME']}_login"
