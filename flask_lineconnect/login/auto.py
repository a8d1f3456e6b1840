"""Auto-login: in LINE's in-app browser a page that needs a login logs in by itself.

The user agent chooses this flow and nothing more; who somebody is comes from LINE Login.
Source: LINE Login, "How auto login works"; LINE platform, user agents.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from flask import Flask
from flask import Request
from flask import after_this_request
from flask import current_app
from flask import g
from flask import request
from flask import session
from flask_login import user_logged_out
from flask_login import user_unauthorized
from werkzeug.wrappers import Response

from ..config.settings import Config
from ..i18n import gettext as _
from ..state import current_line
from ..web.addresses import here_with_query
from ..web.guards import is_fetched_ahead
from ..web.pages import json_error
from ..web.robots import is_robot
from . import kept_forms
from . import quiet
from . import sessions
from .decide import Intent
from .flow import local_path
from .quiet import QuietLogins
from .start import start

V = TypeVar("V", bound=Callable[..., Any])

#: The source of logins that began by themselves.
AUTO_LOGIN = "auto-login"
#: At most one attempt in this many seconds, so that a failure can't loop.
PAUSE = 60
#: Seconds without a further one after an attempt that did not end in a login.
LONG_PAUSE = 600
_TRIED_AT = "_lineconnect_auto_at"
_OFF = "_lineconnect_auto_off"
#: What a page visit may ask for; anything but the first is a program's request.
_FORMS = ("text/html", "application/json")
#: As LINE's app names itself to pages. Observed; see LINE's table of its browsers.
_LINE_APP = re.compile(r"^Mozilla/5\.0 .* Line/\d+\.\d+")
#: A page on its own is asked for as that; older browsers do not say.
_DOCUMENT = "document"


def is_in_app(request: Request, config: Config) -> bool:
    """Tell whether a page is opened in LINE's in-app browser, or in a frame that stands for it."""
    agent = request.user_agent.string
    if _LINE_APP.search(agent) and not is_robot(agent):
        return True
    return _is_in_emulated_phone(request, config)


def _is_in_emulated_phone(request: Request, config: Config) -> bool:
    in_frame = request.headers.get("Sec-Fetch-Dest") == "iframe"
    return in_frame and bool(config.hosts.frame_ancestors)


def register(app: Flask) -> None:
    """Watch this app's requests for pages that may log in by themselves."""
    app.before_request(_log_in_silently)
    user_unauthorized.connect(_note_refusal, app)
    # Flask-Security refuses by a signal of its own. Whoever uses it has imported it by now.
    security = sys.modules.get("flask_security")
    if security is not None:
        security.user_unauthenticated.connect(_note_refusal, app)
    user_logged_out.connect(_note_logout, app)


def auto_login(view: V) -> V:
    """Mark a view whose page logs a linked member in by itself, also where no login is needed.

    Put it below the route's decorator. ``LINECONNECT_AUTO_LOGIN_BLUEPRINTS`` does the same for all
    views of a blueprint.
    """
    view._lineconnect_auto_login = True  # type: ignore[attr-defined]  # a mark that Flask keeps
    return view


def stay_off() -> None:
    """Leave the answer to this request alone, also if the page needs a login."""
    g._lineconnect_auto_off = True


def stay_off_for_a_while() -> None:
    """Try no further one soon: the last one did not end in a login."""
    session[_TRIED_AT] = int(time.time()) + LONG_PAUSE - PAUSE


def _wants_auto_login(config: Config) -> bool:
    names = config.auto_login_blueprints
    if names and not set(names).isdisjoint(request.blueprints):
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    return hasattr(view, "_lineconnect_auto_login")


def _log_in_silently() -> Response | None:
    """Try a login without any page of LINE's, where the settings or the view ask for it."""
    config = current_line.config
    if not _wants_auto_login(config) or not _is_page_visit() or not _is_its_turn(config):
        return None
    here = local_path(here_with_query())
    # A page to which nobody could be led back stays as it is.
    if here is None or sessions.logged_in_user():
        return None
    return _start(here, silent=True)


def _note_refusal(_app: Flask, **_extra: Any) -> None:
    after_this_request(_log_in_instead_of_refusing)


def _note_logout(_app: Flask, **_extra: Any) -> None:
    after_this_request(_stay_off_from_now_on)


def _stay_off_from_now_on(response: Response) -> Response:
    session[_OFF] = True
    return response


def _log_in_instead_of_refusing(response: Response) -> Response:
    """Replace Flask-Login's answer to a page that needs a login."""
    if "_lineconnect_auto_off" in g or not _is_its_turn(current_line.config):
        return response
    if _is_page_visit():
        here = local_path(here_with_query())
        return response if here is None else _start(here)
    if _is_of_a_program():
        # A script can follow no redirect to a login; it must hear that there is none.
        return json_error(text=_("ログインしてください。"), step="login", status=401)
    return _start(kept_forms.keep()) if kept_forms.is_keepable() else response


def _is_page_visit() -> bool:
    if request.method != "GET" or is_fetched_ahead() or _is_of_a_program():
        return False
    destination = request.headers.get("Sec-Fetch-Dest", _DOCUMENT)
    return destination == _DOCUMENT or _is_in_emulated_phone(request, current_line.config)


def _is_of_a_program() -> bool:
    """Tell whether a script asks, and not somebody who opens a page or sends a form."""
    is_navigation = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    best = request.accept_mimetypes.best_match(_FORMS, default=_FORMS[0])
    return request.is_json or not is_navigation or best != _FORMS[0]


def _is_its_turn(config: Config) -> bool:
    """Tell whether this is LINE's browser, in which nobody logged out and none was tried lately."""
    if not is_in_app(request, config) or session.get(_OFF):
        return False
    if quiet.CAME_BACK in request.args or not current_line.part(QuietLogins).may_begin():
        return False
    return bool(session.get(_TRIED_AT, 0) + PAUSE < time.time())


def _start(next_path: str, *, silent: bool = False) -> Response:
    """Begin the login.

    :param next_path: to which it returns: this very page, or that of a form.
    :param silent: come back without any page of LINE's; a customer who would have to do something
        returns unchanged.
    """
    session[_TRIED_AT] = int(time.time())
    return start(
        Intent.LOGIN,
        next_path=next_path,
        source=AUTO_LOGIN,
        parameters={"prompt": "none"} if silent else None,
    )
