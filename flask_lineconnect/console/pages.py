"""How the console's pages are served: their layout's context, and what a change has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask import session
from flask import url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from ..marketing.scenarios.declared import Scenarios
from ..state import current_line
from ..web.pages import render_page
from . import writing
from .i18n import LANGUAGES
from .i18n import gettext
from .i18n import lazy_gettext as _
from .i18n import spoken
from .routes import BY_ENDPOINT
from .staff import ROLE_NAMES
from .staff import is_allowed
from .staff import staff_here
from .waiting import waiting_inquiries

_SAID = "_lineconnect_console_said"
ENDPOINT = "lineconnect_console."


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation.

    :ivar endpoint: in the table of routes; an entry without a page there is not shown.
    :ivar on_phone: whether it stands in the bar at the bottom, and not behind 「その他」.
    :ivar key: pressed after ``g``.
    :ivar under: endpoints of pages that belong to it.
    """

    endpoint: str
    label: Any
    icon: str
    group: int
    on_phone: bool = False
    key: str = ""
    under: frozenset[str] = frozenset()


ITEMS = (
    Item("home", _("ホーム"), "home", 0, on_phone=True, key="h"),
    Item("inbox", _("受信箱"), "inbox", 0, on_phone=True, key="i"),
    Item(
        "campaigns",
        _("配信"),
        "send",
        0,
        True,
        "c",
        frozenset(
            {"new_campaign", "campaign_audience", "campaign_message", "campaign_time"}
            | {"campaign_confirm", "begin_campaign", "ask_approval", "campaign_results"}
        ),
    ),
    Item(
        "scenarios",
        _("シナリオ"),
        "flow",
        0,
        True,
        "s",
        frozenset({"scenario", "scenario_changes", "rehearsal"}),
    ),
    Item("people", _("会員"), "people", 1, True, "m", frozenset({"member"})),
    Item(
        "segments",
        _("絞り込み"),
        "filter",
        1,
        True,
        "f",
        frozenset({"segment", "new_segment", "edit_segment"}),
    ),
    Item(
        "messages",
        _("メッセージ"),
        "message",
        1,
        False,
        "t",
        frozenset({"new_message", "edit_message"}),
    ),
    Item(
        "menus", _("メニュー"), "menu", 2, False, "n", frozenset({"menu", "new_menu", "edit_menu"})
    ),
    Item("store_qr", _("店頭QR"), "qr", 2, False, "q", frozenset({"print_qr"})),
    Item("points", _("ポイント"), "point", 2, key="o"),
    Item("reports", _("レポート"), "report", 3, False, "p", frozenset({"rfm", "cohorts"})),
    Item("checks", _("点検"), "check", 3),
    Item("audit", _("操作の記録"), "log", 3),
)
#: The bar at the bottom of a phone has room for so many, and 「その他」.
ON_PHONE = 4


def render(template: str, /, **context: Any) -> str:
    """Render a page of the console; a shop's template of the same name goes first."""
    staff = staff_here()
    items = [] if staff is None else shown_items()
    phone = [item for item in items if item.on_phone][:ON_PHONE]
    return render_page(
        f"lineconnect/console/{template}.html",
        **{
            "_": gettext,
            "lang": spoken(),
            "languages": LANGUAGES,
            "staff": staff,
            "items": items,
            "phone_items": phone,
            "said": None if staff is None else session.pop(_SAID, None),
            "is_allowed": is_allowed,
            "to": to,
            "w": writing,
            "role_names": ROLE_NAMES,
            "endpoints": BY_ENDPOINT,
            "endpoint": (request.endpoint or "").rpartition(".")[2],
            "waiting_count": 0 if staff is None else len(waiting_inquiries(current_line)),
        }
        | context,
    )


def shown_items() -> list[Item]:
    """Return the entries of the navigation for who is here, in this shop."""
    line = current_line
    absent = set()
    if line.shop.point_ledger is None:
        absent.add("points")
    if line.shop.inquiries is None:
        absent.add("inbox")
    if not list(line.part(Scenarios)):
        absent.add("scenarios")
    return [
        item
        for item in ITEMS
        if item.endpoint in BY_ENDPOINT
        and item.endpoint not in absent
        and is_allowed(BY_ENDPOINT[item.endpoint].role)
    ]


def to(endpoint: str, **values: Any) -> str:
    """Return the address of a page of the console."""
    return url_for(ENDPOINT + endpoint, **values)


def say(text: str) -> None:
    """Let the next page of the console say that something is done."""
    session[_SAID] = text


def go(endpoint: str, **values: Any) -> Response:
    """Lead on to a page after a change."""
    return redirect(to(endpoint, **values), 303)
