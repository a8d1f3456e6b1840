"""Draw the point card, for whoever opens it and for whoever has just been let in."""

from __future__ import annotations

from typing import Any

from ..folding import fold_code
from ..i18n import gettext as _
from ..models import Account
from ..person_names import Name
from ..shop.adapter import ShopAdapter
from ..state import current_line
from ..web import barcodes
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from ..web.said import take_said
from . import card_codes
from . import offline


def draw_card(member: Any, account: Account, **context: Any) -> str:
    """Draw the point card of a linked member; with it the browser may keep it for offline."""
    shop = current_line.shop
    number = fold_code(shop.card_number(member) or "") or None
    label = _("会員番号のバーコード")
    offline.let_keep()
    return render_page(
        "lineconnect/liff/card.html",
        number=number,
        bars=number and barcodes.card_bars(number, shop.card_barcode, label=label),
        balance=shop.points(member),
        member_name=name_on_page(member, account),
        line_name=Name(account.display_name),
        version=card_codes.version_name(account.id, account.card_version),
        holder=account.id,
        has_history=_has_history(shop),
        has_codes=shop.has_card_codes,
        worker_url=offline.worker_url(),
        said=take_said(),
        tab="card",
        **context,
    )


def _has_history(shop: ShopAdapter[Any]) -> bool:
    is_written = type(shop).point_history is not ShopAdapter.point_history
    return is_written or shop.point_ledger is not None
