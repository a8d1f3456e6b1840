"""The extension's own LIFF pages: the point card with what belongs to it."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask import request
from flask import url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from .. import cards
from ..errors import Refused
from ..i18n import gettext as _
from ..login.flow import local_path
from ..models import Account
from ..page_guards import wants_page
from ..pages import render_page
from ..shop import PointBalance
from ..shop import ShopAdapter
from ..state import current_line
from . import codes
from . import offline
from .blueprint import LiffBlueprint
from .blueprint import page_account

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


def draw_card(member: Any, account: Account, **context: Any) -> str:
    """Draw the point card of a linked member; with it the browser may keep it for offline."""
    shop = current_line.shop
    number = shop.card_number(member)
    offline.let_keep()
    return render_page(
        "lineconnect/liff/card.html",
        number=number,
        bars=number and codes.card_bars(number, shop.card_barcode, label=_("会員番号のバーコード")),
        balance=shop.points(member),
        member_name=shop.member_name(member),
        line_name=account.display_name,
        version=account.card_version,
        holder=account.id,
        has_history=_has_history(shop),
        has_codes=shop.has_card_codes,
        worker_url=offline.worker_url(),
        tab="card",
        **context,
    )


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
    line, account = current_line, page_account()
    line.rates.count("account", account.line_user_id)
    text = cards.issue(line.session, account, now=line.clock())
    line.session.commit()
    drawn = render_page("lineconnect/liff/_code.html", text=text)
    if not wants_page():
        return jsonify(html=drawn, seconds=int(cards.LIFETIME.total_seconds()))
    return render_page("lineconnect/liff/code.html", drawn=Markup(drawn), tab="card")


def phone_qr() -> Response:
    """Draw the QR code that opens a LIFF page on the phone; ``here`` is the page's address.

    :raises Refused: this is no page below the LIFF endpoint.
    """
    here, endpoint = local_path(request.args.get("here")) or "", url_for("lineconnect.card")
    below = here.removeprefix(endpoint)
    if not here.startswith(endpoint) or below[:1] not in {"", "/", "?"} or len(here) > MAX_ADDRESS:
        raise Refused(_("このページはLINEで開けません。"), step="address")
    return Response(codes.qr_file(current_line.liff_url(below)), mimetype="image/svg+xml")


def _has_history(shop: ShopAdapter[Any]) -> bool:
    return type(shop).point_history is not ShopAdapter.point_history
