"""Whose browser a request comes from: LINE's app on somebody's phone, or one logged in to LINE."""

from __future__ import annotations

import re

from flask import request

from .platform import platform
from .world import User

#: Whose phone the browser is; set when something opens in it, read when a login begins there.
APP_USER_COOKIE = "line_emulator_app_user"
#: Names the LINE user who logged in to LINE in this browser.
SSO_COOKIE = "line_emulator_session"
_LINE_APP = re.compile(r"\bLine/\d+\.\d+")


def is_in_app() -> bool:
    """Tell whether the browser is the LINE app's, or a frame of the phone page."""
    return (
        _LINE_APP.search(request.user_agent.string) is not None
        or request.headers.get("Sec-Fetch-Dest") == "iframe"
    )


def app_user() -> User | None:
    """Return the user whose phone this browser is."""
    return _user_named_by(APP_USER_COOKIE) if is_in_app() else None


def sso_user() -> User | None:
    """Return the user who logged in to LINE in this browser."""
    return _user_named_by(SSO_COOKIE)


def _user_named_by(cookie: str) -> User | None:
    return platform().user(request.cookies.get(cookie, ""))
