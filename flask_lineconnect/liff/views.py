"""Serve the LIFF pages: at once to a living session, else through LINE's SDK."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from flask import request
from flask_login import current_user

from .. import linking
from ..login import sessions
from ..models import Account
from ..pages import render_page
from ..state import current_line


def register(blueprint: Blueprint) -> None:
    """Add the LIFF pages to the extension's blueprint.

    Both spellings of an address answer without a redirect: a redirect before ``liff.init`` loses
    the credentials that LINE's app hands over.
    """
    for rule, view in (("/liff", card), ("/liff/orders", orders)):
        blueprint.add_url_rule(rule, view_func=view, methods=["GET"], strict_slashes=False)


def card() -> str:
    """Show the member's point card."""
    return _page("card", _card)


def orders() -> str:
    """Show the member's latest orders."""
    return _page("orders", _orders)


def _page(tab: str, render: Callable[[Account], str]) -> str:
    """Render a page for the member in the session, or the one that asks LINE who this is."""
    # With liff.state the SDK is about to move on to another page; only it may do that.
    account = None if "liff.state" in request.args else _account_in_session()
    if account is None:
        return render_page("lineconnect/liff/opening.html", tab=tab, **_sdk())
    return render(account)


def _account_in_session() -> Account | None:
    line = current_line
    if not current_user.is_authenticated or not isinstance(
        current_user._get_current_object(), line.shop.model
    ):
        return None
    member_id = linking.member_key(line.session, current_user._get_current_object())
    account = linking.account_of(line.session, member_id)
    return None if account is None or sessions.is_ended(account) else account


def _card(account: Account) -> str:
    shop = current_line.shop
    member = current_user._get_current_object()
    return render_page(
        "lineconnect/liff/card.html",
        number=shop.card_number(member),
        balance=shop.points(member),
        member_name=shop.member_name(member),
        line_name=account.display_name,
        tab="card",
        **_sdk(),
    )


def _orders(_account: Account) -> str:
    shop = current_line.shop
    member = current_user._get_current_object()
    found = shop.orders.page(member, offset=0, limit=20) if shop.orders else ()
    return render_page("lineconnect/liff/orders.html", orders=found, tab="orders", **_sdk())


def _sdk() -> dict[str, str | None]:
    config = current_line.config
    return {"liff_sdk_url": config.hosts.liff_sdk, "liff_id": config.liff_id}
