"""Whose a click on a link that many got was: who is logged in on the page behind it.

The browser keeps for ten minutes which click was its last, in a cookie that names nobody. The first
page of the shop's on which somebody is logged in, be it by LINE's auto-login, tells.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from flask import Response
from flask import current_app
from flask import g
from flask import request
from itsdangerous import BadSignature
from itsdangerous import TimestampSigner
from sqlalchemy import inspect

from ..error_words import for_log
from ..log_fields import log_fields
from ..state import current_line

if TYPE_CHECKING:
    from ..marketing.links.addresses import Code

logger = logging.getLogger(__name__)

#: Seconds for which a click waits for its person.
WAITS = 600


class LastClick(NamedTuple):
    """What a browser remembers of its last click.

    :ivar click_id: 0 if it is known whose it was, or if it was not stored.
    """

    named: Code
    click_id: int


def remember(response: Response, named: Code, click_id: int) -> None:
    """Let the browser remember a click."""
    interface = current_app.session_interface
    text = f"{named.link_id}.{named.message_id or 0}.{click_id}"
    response.set_cookie(
        _cookie_name(),
        _signer().sign(text).decode(),
        max_age=WAITS,
        path=interface.get_cookie_path(current_app),
        domain=interface.get_cookie_domain(current_app),
        secure=interface.get_cookie_secure(current_app),
        httponly=True,
        samesite=interface.get_cookie_samesite(current_app),
    )


def read_cookie(max_age: int = WAITS) -> LastClick | None:
    """Return the browser's last click, if it was not longer ago, in seconds."""
    from ..marketing.links.addresses import Code

    given = request.cookies.get(_cookie_name())
    if given is None:
        return None
    try:
        parts = _signer().unsign(given, max_age=max_age).decode().split(".")
    except BadSignature:
        return None
    link_id, message_id, click_id = map(int, parts)
    return LastClick(Code(link_id, message_id or None), click_id)


def name_click(response: Response) -> Response:
    """Write down whose the last click was, if somebody is logged in on this page."""
    if _cookie_name() not in request.cookies:
        return response
    member_id = _member_id()
    last = None if member_id is None else read_cookie()
    if last is not None and last.click_id and _write(last, member_id):
        remember(response, last.named, 0)
    return response


def _member_id() -> Any | None:
    """Return the key of the member whom this page has asked for; nobody is loaded for it."""
    user = g.get("_login_user")
    if not isinstance(user, current_line.shop.model) or not getattr(
        user, "is_authenticated", False
    ):
        return None
    identity = inspect(user).identity
    return None if identity is None else identity[0]


def _write(last: LastClick, member_id: Any) -> bool:
    """Write it past the shop's session, in which there may be what is to be undone."""
    from ..marketing.links.writer import ClickWriter
    from ..marketing.links.writer import NamedClick
    from ..marketing.results.counts import day_of
    from ..models.helpers import NotWritten

    line = current_line
    now = line.clock()
    day = day_of(now, line.config.zone)
    named = NamedClick(last.click_id, last.named.link_id, member_id, day)
    try:
        line.part(ClickWriter).write([named], now=now)
    except NotWritten as error:
        logger.warning(
            "whose a click was could not be stored; the next page tries again",
            exc_info=for_log(error),
            extra=log_fields("click_not_named"),
        )
        return False
    if named.is_told:
        line.engine.wake("schedule")
    return True


def _signer() -> TimestampSigner:
    # The last one signs, all are believed.
    keys = [
        *reversed(current_app.config.get("SECRET_KEY_FALLBACKS") or ()),
        current_app.secret_key or "",
    ]
    return TimestampSigner(keys, salt="lineconnect last click")


def _cookie_name() -> str:
    """Name it like the session's: shops side by side on one host keep theirs apart."""
    return f"{current_app.config['SESSION_COOKIE_NAME']}_click"
