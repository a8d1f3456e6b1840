"""The extension's own LIFF pages: the point card; others are in modules of their own."""

from __future__ import annotations

from typing import Any

from ..pages import render_page
from ..state import current_line
from .blueprint import LiffBlueprint
from .blueprint import page_account


def register(blueprint: LiffBlueprint) -> None:
    """Add the LIFF pages to the extension's blueprint."""
    blueprint.page("/liff")(card)


def card(member: Any) -> str:
    """Show the member's point card."""
    shop = current_line.shop
    return render_page(
        "lineconnect/liff/card.html",
        number=shop.card_number(member),
        balance=shop.points(member),
        member_name=shop.member_name(member),
        line_name=page_account().display_name,
        tab="card",
    )
