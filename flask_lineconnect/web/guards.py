"""What stands around every page of the extension: limits and CSRF before it, refusals after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Response as FlaskResponse
from flask import current_app
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response
from wtforms import ValidationError

from ..errors import LineApiError
from ..errors import Refused
from ..i18n import gettext as _
from ..log_fields import log_fields
from ..state import current_line
from .csrf import given_token
from .neighbours import WEBHOOK
from .neighbours import let_past
from .pages import json_error
from .pages import render_error

if TYPE_CHECKING:
    from .rate_limits import Purpose

logger = logging.getLogger(__name__)

#: Counted by address, like everything that is sent by POST; a callback needs a login before it.
LOGIN = "lineconnect.login"
_PURPOSES: dict[str, Purpose] = {
    LOGIN: "login",
    "lineconnect.liff_session": "exchange",
    "lineconnect.liff_link_proof": "exchange",
}


def guard(
    blueprint: Blueprint,
    show_refusal: Callable[[Refused], Response],
    put_headers: Callable[[FlaskResponse], FlaskResponse],
) -> None:
    """Put the guards around all pages of a blueprint.

    :param show_refusal: answers what a rule refused.
    :param put_headers: puts our headers on an answer.
    """
    let_past(blueprint)
    blueprint.before_request(_guard)
    blueprint.after_request(put_headers)
    blueprint.register_error_handler(Refused, show_refusal)
    blueprint.register_error_handler(LineApiError, _show_line_error)
    blueprint.register_error_handler(InternalServerError, _show_failure)


def wants_page() -> bool:
    """Tell whether a person asked for a page, and not a script for data."""
    accepted = request.accept_mimetypes
    return not request.is_json and (not accepted or accepted.accept_html)


def is_fetched_ahead() -> bool:
    """Tell whether a browser asks before anybody opens the page, by its new or its old names."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose"))
    said = " ".join([*purposes, request.headers.get("X-Moz", "")]).lower()
    return any(word in said for word in ("prefetch", "prerender", "preview"))


def _guard() -> None:
    """Refuse what should not reach a view; a webhook's own guard is its signature."""
    if request.endpoint != WEBHOOK:
        _check_rate()
        _check_csrf()


def _check_rate() -> None:
    """Refuse an address that asks for logins without end.

    :raises Refused: it is over ``LINECONNECT_RATE_LIMIT``.
    """
    if request.endpoint != LOGIN and request.method != "POST":
        return
    from .rate_limits import RateLimits  # at the first count, see parts.py

    purpose = _PURPOSES.get(request.endpoint or "", "form")
    current_line.part(RateLimits).count("address", request.remote_addr or "", purpose)


def _check_csrf() -> None:
    """Refuse every change that does not come from a page of this session.

    :raises Refused: the token is missing, foreign or too old.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    try:
        validate_csrf(given_token())
    except ValidationError:
        raise Refused(
            _("画面を開いてから時間が経ちました。もう一度お試しください。"), step="csrf"
        ) from None


def _show_line_error(error: LineApiError) -> Response:
    logger.warning(
        "LINE could not be reached during a login: %s",
        error.text,
        extra=log_fields("login_unreachable", error),
    )
    current_line.session.rollback()
    text = _("ただいまLINEにつながりにくくなっています。少し待ってからもう一度お試しください。")
    return _explain(_("LINEにつながりません"), text, step="line", status=HTTPStatus.BAD_GATEWAY)


def _show_failure(error: InternalServerError) -> ResponseReturnValue:
    """Answer what Flask has logged as the shop's error; a page of the shop's own goes first."""
    current_line.session.rollback()
    own = _handler_of_shop(error)
    if own is not None:
        answer: ResponseReturnValue = current_app.ensure_sync(own)(error)
        return answer
    text = _("お店の側で問題が起きました。時間をおいて、もう一度お試しください。")
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _explain(_("うまくいきませんでした"), text, step="failed", status=status)


def _explain(title: str, text: str, *, step: str, status: HTTPStatus) -> Response:
    """Say in the form that was asked for what went wrong, and that a login may be tried again."""
    if not wants_page():
        return json_error(text=text, step=step, status=status)
    return render_error(
        title=title,
        text=text,
        step=step,
        action_label=_("もう一度ためす"),
        action_url=url_for("lineconnect.login"),
        status=status,
    )


def _handler_of_shop(error: InternalServerError) -> Callable[[Any], Any] | None:
    """Return what the app itself shows for errors, which Flask would ask after the blueprint."""
    of_app = current_app.error_handler_spec[None]
    found = (
        handlers.get(kind)
        for handlers in (of_app[error.code], of_app[None])
        for kind in type(error).__mro__
    )
    return next(filter(None, found), None)
