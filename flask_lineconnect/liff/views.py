"""The extension's own LIFF pages: the point card with what belongs to it."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask import request
from flask import url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..login.flow import local_path
from ..shop.points import PointBalance
from ..state import current_line
from ..web import barcodes
from ..web.guards import wants_page
from ..web.pages import render_page
from . import card_codes
from .blueprint import LiffBlueprint
from .blueprint import page_account
from .card import draw_card

#: Lines of the history on one page.
HISTORY = 20
#: Longest address that goes into a QR code for a phone's camera.
MAX_ADDRESS = 300


def register(blueprint: LiffBlueprint) -> None:
    """Add the LIFF pages to the extension's blueprint."""
    blueprint.page("/liff")(card)
    blueprint.page("/liff/points")(points)
    blueprint.page("/liff/code", methods=["POST"])(code)
    blueprint.add_url_rule("/liff/phone.svg", view_func=phone_qr)


def card(member: Any) -> str:
    """Show the member's point card."""
    return draw_card(member, page_account())


def points(member: Any) -> str:
    """Show what happened to the member's points, a page at a time."""
    shop = current_line.shop
    # One more than is shown tells whether there is another page.
    found = shop.point_history(member, before=request.args.get("before"), limit=HISTORY + 1)
    return render_page(
        "lineconnect/liff/points.html",
        balance=shop.points(member) or PointBalance(0),
        changes=found[:HISTORY],
        next_key=found[HISTORY - 1].key if len(found) > HISTORY else None,
        tab="card",
    )


def code(member: Any) -> Response | str:
    """Give out a code that pays once: as JSON to the card's script, as a page to everybody else.

    :raises Refused: this account asked for too many.
    """
    from ..web.rate_limits import RateLimits  # at the first count, see parts.py

    line, account = current_line, page_account()
    line.part(RateLimits).count("account", account.line_user_id, "code")
    text = card_codes.issue(line.session, account, now=line.clock())
    line.session.commit()
    drawn = render_page("lineconnect/liff/_code.html", text=text)
    if not wants_page():
        return jsonify(html=drawn, seconds=int(card_codes.LIFETIME.total_seconds()))
    return render_page("lineconnect/liff/code.html", drawn=Markup(drawn), tab="card")


def phone_qr() -> Response:
    """Draw the QR code that opens a LIFF page on the phone; ``here`` is the page's address.

    :raises Refused: this is no page below the LIFF endpoint.
    """
    here, endpoint = local_path(request.args.get("here")) or "", url_for("lineconnect.card")
    below = here.removeprefix(endpoint)
    if not here.startswith(endpoint) or below[:1] not in {"", "/", "?"} or len(here) > MAX_ADDRESS:
        raise Refused(_("このページはLINEで開けません。"), step="address")
    return Response(barcodes.qr_file(current_line.liff_url(below)), mimetype="image/svg+xml")
