"""The page on which a member ends the link, always offered."""

from __future__ import annotations

from flask import Blueprint
from flask import request
from flask_login import logout_user
from werkzeug.wrappers import Response

from ..linking import accounts
from ..linking import unlinking
from ..state import current_line
from ..web.pages import render_page
from . import guard
from . import sessions


def register(blueprint: Blueprint) -> None:
    """Add the route to the extension's blueprint."""
    blueprint.add_url_rule("/unlink", view_func=unlink, methods=["GET", "POST"])


def unlink() -> Response | str:
    """Say what ends with the link, that LINE is told, and wait for the press."""
    line = current_line
    member = guard.require_recent_member()
    account = accounts.account_of(line.session, accounts.member_key(line.session, member))
    context = {
        "member_name": line.shop.member_name(member),
        "account": account,
        "is_last_way_in": not line.shop.has_other_login(member),
        "is_done": False,
    }
    if request.method == "POST" and account is not None:
        unlinking.unlink(line.session, account, actor="member", now=line.clock())
        line.session.commit()
        if sessions.came_from_line():
            logout_user()
            sessions.renew(line.config.keep_session_keys)
        context["is_done"] = True
    return render_page("lineconnect/unlink.html", **context)
