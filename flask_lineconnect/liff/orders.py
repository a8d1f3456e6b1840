"""The order pages inside LINE: list, one order, what can be done with it.

Whose orders they are is decided by the session alone; the shop's :class:`OrderDesk` answers for one
member, and another's order is one that does not exist.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote

from flask import make_response
from flask import redirect
from flask import request
from flask import url_for
from flask_babel import force_locale
from werkzeug.wrappers import Response

from ..errors import Refused
from ..errors import UsageError
from ..i18n import gettext as _
from ..state import current_line
from . import answers
from .blueprint import LiffBlueprint

if TYPE_CHECKING:
    from ..shop.order_desk import DeliveryOffer
    from ..shop.order_desk import OrderDesk
    from ..shop.order_desk import OrderDetail

logger = logging.getLogger(__name__)
#: Orders on one page of the list.
PAGE_SIZE = 10
#: Pages of the list that can be asked for; nobody turns further.
MAX_PAGE = 1_000


def register(blueprint: LiffBlueprint) -> None:
    """Add the pages to the extension's blueprint."""
    one = "/liff/orders/<number>"
    blueprint.page("/liff/orders")(orders)
    blueprint.page(one)(order)
    blueprint.page(f"{one}/receipt.pdf")(receipt)
    blueprint.page(f"{one}/reorder", methods=["POST"])(reorder)
    blueprint.page(f"{one}/delivery", methods=["GET", "POST"])(delivery)


def orders(member: Any) -> str:
    """List the member's orders, page by page."""
    desk = _desk()
    number = min(max(request.args.get("page", 1, int), 1), MAX_PAGE)
    # One more than is shown tells whether there is a next page.
    found = desk.page(member, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE + 1)
    return answers.page(
        "orders.html",
        tab="orders",
        orders=found[:PAGE_SIZE],
        number=number,
        has_more=len(found) > PAGE_SIZE,
    )


def order(member: Any, number: str) -> str:
    """Show one order: its way, its parcels, its lines, and what can be done with it."""
    desk = _desk()
    found = _find(member, number)
    return answers.page(
        "order.html",
        tab="orders",
        order=found,
        has_receipt=_has_receipt(desk, found),
        chat_url=_chat_url(desk, number),
    )


def receipt(member: Any, number: str) -> Response:
    """Give the receipt of a paid order as a PDF."""
    desk = _desk()
    # In the language of the receipt, whatever that of the page.
    with force_locale("ja"):
        found = _find(member, number)
    if desk.issuer is None or not _has_receipt(desk, found):
        answers.not_found()
    from .receipt import receipt_pdf

    response = make_response(receipt_pdf(found, desk.issuer))
    response.mimetype = "application/pdf"
    response.headers.set("Content-Disposition", "inline", filename=f"receipt-{quote(number)}.pdf")
    return response


def reorder(member: Any, number: str) -> Response:
    """Let the shop prepare the same purchase again, and go where it says."""
    if not _find(member, number).can_reorder:
        answers.not_found()
    line = current_line
    try:
        path = _desk().reorder(member, number)
        line.session.commit()
    except Refused as refused:
        return answers.refuse(refused, back=_url(number))
    return redirect(path, 303)


def delivery(member: Any, number: str) -> Response | str:
    """Show when an order can be delivered, and change it."""
    offer = _find(member, number).delivery
    if offer is None and request.method != "POST":
        answers.not_found()
    if request.method != "POST":
        return answers.page("delivery.html", tab="orders", number=number, offer=offer)
    change = partial(_change_delivery, member, number, offer)
    return answers.settle(change, done=_("お届け日時を変更しました。"), back=_url(number))


def _change_delivery(member: Any, number: str, offer: DeliveryOffer | None) -> None:
    if offer is None:
        raise Refused(_("このご注文のお届け日時は、もう変更できません。"))
    day = {day.isoformat(): day for day in offer.days}.get(request.form.get("day", ""))
    slot = request.form.get("slot") if offer.slots else None
    if day is None or (offer.slots and slot not in offer.slots):
        raise Refused(_("この日時には、お届けできません。もう一度お選びください。"))
    _desk().change_delivery(member, number, day, slot)


def _desk() -> OrderDesk[Any]:
    return current_line.shop.orders or answers.not_found()


def _find(member: Any, number: str) -> OrderDetail:
    return _desk().find(member, number) or answers.not_found()


def _has_receipt(desk: OrderDesk[Any], order: OrderDetail) -> bool:
    """Tell whether there is a receipt; the shop learns from its log why a paid order has none."""
    if desk.issuer is None or order.paid_on is None:
        return False
    from .receipt import checked  # for shops that give receipts

    try:
        checked(order)
    except UsageError as mistake:
        logger.error("no receipt is offered: %s", mistake)
        return False
    return True


def _url(number: str) -> str:
    return url_for("lineconnect.order", number=number)


def _chat_url(desk: OrderDesk[Any], number: str) -> str | None:
    """Return the address that opens the chat with the question about an order typed in."""
    line = current_line
    if desk.question is None or line.config.basic_id is None:
        return None
    return line.config.hosts.chat_url(line.config.basic_id, desk.question.format(number=number))
