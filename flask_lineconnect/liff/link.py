"""The page on which an existing member links inside LINE.

The shop's own login proves the member, LINE's ID token proves the person (``api.py``), and nothing
is linked before the press on the page that shows both (``login/link.py``).
"""

from __future__ import annotations

from flask import Blueprint
from flask import redirect
from flask import url_for
from werkzeug.wrappers import Response

from ..linking import accounts
from ..login import guard
from ..login import sessions
from ..state import current_line
from ..web.names import member_name as name_on_page
from ..web.pages import render_page


def register(blueprint: Blueprint) -> None:
    """Add the page to the extension's blueprint; like every LIFF page it never redirects."""
    blueprint.add_url_rule("/liff/link", view_func=liff_link, strict_slashes=False)
    blueprint.add_url_rule("/liff/link/not-me", view_func=liff_not_me, methods=["POST"])


def liff_link() -> str:
    """Show the link button to a member who has logged in lately, and the way there to others."""
    line = current_line
    member = guard.current_member()
    account = accounts.account_of_member(line, member)
    is_recent = member is not None and guard.is_recent(member)
    here = url_for("lineconnect.liff_link")
    return render_page(
        "lineconnect/liff/link.html",
        tab=None,
        member_name=None if member is None else name_on_page(member, account),
        is_linked=account is not None,
        is_recent=is_recent,
        here=here,
        log_in_url=guard.shop_log_in_url(here),
    )


def liff_not_me() -> Response:
    """Log the member out; the card then asks LINE anew, and registers who is new."""
    sessions.end()
    return redirect(url_for("lineconnect.card"), 303)
