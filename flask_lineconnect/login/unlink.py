"""The page on which a member ends the link, always offered."""

from __future__ import annotations

from flask import Blueprint
from flask import request
from flask import url_for
from werkzeug.wrappers import Response

from ..linking import accounts
from ..linking import unlinking
from ..state import current_line
from ..web.names import line_name
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import guard
from . import sessions

#: The field with which a member confirms to lose the last way in.
WITHOUT_LOGIN = "without_login"


def register(blueprint: Blueprint) -> None:
    """Add the route to the extension's blueprint."""
    blueprint.add_url_rule("/unlink", view_func=unlink, methods=["GET", "POST"])


def unlink() -> Response | str:
    """Say what ends with the link, that LINE is told, and wait for the press.

    Whoever has no other way in is led to one first; to go without one takes a tick besides.
    """
    line = current_line
    member = guard.require_recent_member()
    account = accounts.account_of_member(line, member)
    is_last_way_in = not line.shop.has_other_login(member)
    context = {
        "member_name": name_on_page(member, account),
        "account": account,
        "line_name": None if account is None else line_name(account),
        "is_last_way_in": is_last_way_in,
        "set_password_url": _set_password_url(),
        "is_done": False,
    }
    is_sure = not is_last_way_in or WITHOUT_LOGIN in request.form
    if request.method == "POST" and account is not None and is_sure:
        # Who unlinks in a session of the password's may do it to get rid of a stranger's LINE.
        may_return = is_last_way_in and sessions.rests_on_account(account.id)
        unlinking.unlink(line, account, actor="member", now=line.clock(), may_return=may_return)
        line.session.commit()
        if sessions.came_from_line():
            sessions.end()
        context["is_done"] = True
    return render_page("lineconnect/unlink.html", **context)


def _set_password_url() -> str | None:
    """Return the shop's page on which a member sets a password, which leads back here."""
    endpoint = current_line.shop.set_password_endpoint
    return url_for(endpoint, next=url_for("lineconnect.unlink")) if endpoint else None
