"""The page that asks whoever is no friend of the official account to become one; asked once."""

from __future__ import annotations

from flask import Blueprint
from flask import redirect
from flask import request
from werkzeug.wrappers import Response

from ..linking import accounts
from ..state import current_line
from ..web.pages import render_page
from . import flow
from . import guard


def register(blueprint: Blueprint) -> None:
    """Add the route to the extension's blueprint."""
    blueprint.add_url_rule("/friend", view_func=friend, methods=["GET"])


def friend() -> Response | str:
    """Say what friends get, and offer to go on without it."""
    line = current_line
    next_path = flow.local_path(request.args.get("next")) or line.config.default_page
    account = accounts.account_of_member(line, guard.current_member())
    if account is None or account.is_friend is not False:
        return redirect(next_path)
    return render_page("lineconnect/friend.html", next=next_path)
