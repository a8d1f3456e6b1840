"""The last card without a network: a service worker keeps it, bound to a mark of this login.

The mark is a random cookie that gives no access to anything. It ends with the login, whoever ends
it, and the worker shows and keeps nothing without it. So a card can't outlive a logout, an
unlinking or a change of person, even if they happen on pages that know nothing of the worker.
LINE's own browser has no service workers; there this does nothing.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Flask
from flask import after_this_request
from flask import current_app
from flask import g
from flask import has_request_context
from flask import request
from flask import session
from flask import url_for
from flask_login import user_logged_in
from flask_login import user_logged_out
from werkzeug.wrappers import Response

from .. import signals
from ..state import current_line
from ..web.assets import FOLDERS
from ..web.assets import script
from .blueprint import LiffBlueprint

#: The worker keeps answers that name the mark with which they were given.
HEADER = "X-LineConnect-Card"
_COOKIE = "lineconnect_card"
#: As ``token_urlsafe(16)`` makes them.
_MARK = re.compile(r"[A-Za-z0-9_-]{22}")


def register(blueprint: LiffBlueprint) -> None:
    """Add the worker's address to the extension's blueprint."""
    blueprint.add_url_rule("/liff/worker.js", view_func=worker)


def watch(app: Flask) -> None:
    """End the mark whenever somebody logs in or out, by whichever door, and with the link."""
    for signal in (user_logged_in, user_logged_out, signals.account_unlinked):
        signal.connect(_note_change, app)
    app.after_request(_end_mark)


def worker() -> Response:
    """Serve the service worker, which may act for all LIFF pages."""
    code = script(FOLDERS["liff_static"] / "worker.js")
    headers = {"Service-Worker-Allowed": url_for("lineconnect.card")}
    return Response(code, mimetype="text/javascript", headers=headers)


def worker_url() -> str:
    """Return the worker's address, which tells it the mark's name."""
    return url_for("lineconnect.worker", mark=_cookie_name())


def let_keep() -> None:
    """Let the service worker keep the answer to this request, while this login lasts."""
    name = _cookie_name()
    found = request.cookies.get(name, "")
    # Whoever has just logged in starts anew, instead of without a mark.
    is_of_before = g.pop("_lineconnect_card_ended", False)
    # Other pages of the host can set it to anything, and it stands in a header.
    is_ours = not is_of_before and _MARK.fullmatch(found) is not None
    mark = found if is_ours else secrets.token_urlsafe(16)

    def add_mark(response: Response) -> Response:
        response.headers[HEADER] = mark
        if not is_ours:
            lifetime = current_app.permanent_session_lifetime if session.permanent else None
            # Readable by the worker, unlike all other cookies: it is a name, not a key.
            response.set_cookie(
                name, mark, max_age=lifetime, secure=_is_secure(), httponly=False, samesite="Lax"
            )
        return response

    after_this_request(add_mark)


def _note_change(_app: Flask, **_extra: Any) -> None:
    # Links also end in workers and commands, where no browser waits for an answer.
    if has_request_context():
        g._lineconnect_card_ended = True


def _end_mark(response: Response) -> Response:
    if g.pop("_lineconnect_card_ended", False) and _cookie_name() in request.cookies:
        response.delete_cookie(_cookie_name(), secure=_is_secure(), samesite="Lax")
    return response


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if _is_secure() else _COOKIE


def _is_secure() -> bool:
    return current_line.config.base_url.startswith("https://")
