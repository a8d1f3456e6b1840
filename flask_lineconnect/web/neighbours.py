"""Guards that other extensions put around the whole app, and whom they must let past.

LINE's webhook carries a signature in place of a CSRF token, and comes whenever a customer writes.
Guards are told at each request, because they may have been added before or after us.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from flask import Blueprint
from flask import current_app
from flask import g
from flask import request
from werkzeug.wrappers import Response

from .csrf import takes_headers

logger = logging.getLogger(__name__)

#: Authenticated by its signature instead of a CSRF token; the only one.
WEBHOOK = "lineconnect.webhook"
#: Not counted by Flask-Limiter either: what one page asks for by itself, again and again, and what
#: a load balancer does.
_OF_A_PAGE = {
    "lineconnect.static",
    "lineconnect.liff_static",
    "lineconnect.changes",
    "lineconnect.health",
}
#: What scripts send as JSON, with our token in a header; `guards.py` asks for it.
_BY_SCRIPT = {"lineconnect.liff_session", "lineconnect.liff_link_proof", "lineconnect.code"}


def let_past(blueprint: Blueprint) -> None:
    """Let requests for a blueprint of ours past the guards that would stop them wrongly."""
    # Flask calls these before any guard.
    blueprint.url_value_preprocessor(_tell_guards)
    blueprint.before_request(_note_arrival)
    blueprint.after_request(_warn_of_refusal)


def _tell_guards(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    view = current_app.view_functions.get(endpoint or "")
    if view is None:
        return
    if endpoint == WEBHOOK or (endpoint in _BY_SCRIPT and not takes_headers()):
        _exempt_from_flask_wtf(view)
    if endpoint == WEBHOOK or endpoint in _OF_A_PAGE:
        _exempt_from_limiter(view)
    # Its tokens are its own. Ours stand in every form of ours, and `guards.py` asks for them.
    for protection in _seasurfs():
        protection.exempt(view)


def _exempt_from_flask_wtf(view: Callable[..., Any]) -> None:
    protection = current_app.extensions.get("csrf")
    if protection is not None:
        protection.exempt(view)


def _exempt_from_limiter(view: Callable[..., Any]) -> None:
    for limiter in current_app.extensions.get("limiter", ()):
        limiter.exempt(view)


def _seasurfs() -> Iterator[Any]:
    """Find Flask-SeaSurf, which notes itself nowhere, by the guard that it adds."""
    for guard in current_app.before_request_funcs.get(None, ()):
        owner = getattr(guard, "__self__", None)
        if type(owner).__module__ == "flask_seasurf" and hasattr(owner, "exempt"):
            yield owner


def _note_arrival() -> None:
    g._lineconnect_has_arrived = True


def _warn_of_refusal(response: Response) -> Response:
    """Say so where a guard that we don't know keeps LINE's webhook away."""
    if request.endpoint == WEBHOOK and not g.pop("_lineconnect_has_arrived", False):
        logger.error(
            "LINE's webhook was answered with %s before it reached its view, by something that "
            "looks at every request of the app; let the endpoint %s past it",
            response.status,
            WEBHOOK,
        )
    return response
