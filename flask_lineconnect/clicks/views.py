"""The page behind every tracked link: one redirect, to the target of the link's own row.

LINE is not asked, and neither is anything but the row, which the process knows after its first
click. Whoever opens a link stays who they are: it names a message, and is no credential.
Next: ``visitors.py`` and ``naming.py``; what is written: ``marketing/links/writer.py``.
"""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request

from ..error_words import for_log
from ..errors import Refused
from ..i18n import gettext as _
from ..log_fields import log_fields
from ..state import LineState
from ..state import current_line
from ..state import itself
from ..web.pages import render_error
from .naming import name_click

if TYPE_CHECKING:
    from ..marketing.links.addresses import Code
    from ..marketing.links.stored import KnownLink

logger = logging.getLogger(__name__)

#: Clicks of one browser on one link in a minute and a process that are not counted.
UNCOUNTED = 10


def register(blueprint: Blueprint) -> None:
    """Add the page to the extension's blueprint; whatever was cut off, it is ours."""
    blueprint.add_url_rule("/l/<path:code>", view_func=click, methods=["GET"])
    blueprint.add_url_rule("/l/", view_func=cut_off, methods=["GET"])
    # Of every page of the app, not of ours alone.
    blueprint.after_app_request(name_click)


def cut_off() -> Response:
    """Say of an address without its code that it leads nowhere."""
    return click("")


def click(code: str) -> Response:
    """Lead on to where a link's row says; anything else ends on a page of ours."""
    # At the first click, see parts.py.
    from ..marketing.links.addresses import LinkAddresses
    from ..marketing.links.stored import KnownLinks
    from ..marketing.links.stored import find
    from ..marketing.links.targets import for_header

    line = itself(current_line)
    named = line.part(LinkAddresses).read(code)
    if named is None:
        _count_failure(line)
        return _nowhere(HTTPStatus.NOT_FOUND)
    link = find(line.session, line.part(KnownLinks), named.link_id)
    if link is None or (link.expires_at is not None and link.expires_at <= line.clock()):
        return _nowhere(HTTPStatus.GONE)
    response = Response(status=HTTPStatus.FOUND, mimetype="text/plain")
    response.headers["Location"] = for_header(link.target)
    response.autocorrect_location_header = False
    _note(line, code, named, link, response)
    return response


def _note(line: LineState, code: str, named: Code, link: KnownLink, response: Response) -> None:
    """Write the click down; a visitor goes on in any case."""
    from ..marketing.links.writer import ClickWriter
    from ..marketing.links.writer import NewClick
    from ..marketing.results.counts import day_of
    from ..models.helpers import NotWritten
    from .naming import remember
    from .visitors import kind_of_visit

    now = line.clock()
    kind = kind_of_visit(named)
    new = NewClick(link, named.message_id, kind, now, day_of(now, line.config.zone))
    if not _is_within_rate(line, code):
        return
    try:
        line.part(ClickWriter).write([new], now=now)
    except NotWritten as error:
        logger.error(
            "a click on link %d was not stored; its visitor was led on",
            link.id,
            exc_info=for_log(error),
            extra=log_fields("click_not_stored", link_id=link.id),
        )
    if new.is_known and kind == "person":
        line.engine.wake("schedule")
    if kind == "person":
        remember(response, named, 0 if new.is_known else new.id)


def _is_within_rate(line: LineState, code: str) -> bool:
    """Tell whether one browser opens one link as often as people do; more fills no table."""
    from ..marketing.links.stored import KnownLinks
    from ..web.rate_limits import RateLimits

    who = f"{request.remote_addr} {code} {request.user_agent.string[:200]}"
    # The first ones cost no look into what may be another machine.
    if line.part(KnownLinks).note_tap(who, int(time.monotonic()) // 60) <= UNCOUNTED:
        return True
    try:
        line.part(RateLimits).count("address", who, "click")
    except Refused:
        logger.warning(
            "clicks were not stored: one address opened one link more often than "
            "LINECONNECT_RATE_LIMIT allows; behind a proxy the shop needs Werkzeug's ProxyFix",
            extra=log_fields("clicks_over_rate"),
        )
        return False
    return True


def _count_failure(line: LineState) -> None:
    """Count addresses that nobody made.

    :raises Refused: it was one too many.
    """
    from ..web.rate_limits import RateLimits

    line.part(RateLimits).count("address", request.remote_addr or "", "click")


def _nowhere(status: HTTPStatus) -> Response:
    """Say that a link leads nowhere, and show the way to the shop."""
    is_gone = status == HTTPStatus.GONE
    text = (
        _("このリンクの期限が切れたか、ご案内が終わりました。")
        if is_gone
        else _("リンクが途中で切れているか、正しくないようです。")
    )
    return render_error(
        title=_("このリンクは開けません"),
        text=text,
        step="link",
        action_label=_("お店のページへ"),
        action_url=current_line.config.home,
        status=status,
    )
