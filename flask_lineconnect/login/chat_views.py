"""The page to which the chat leads: which member is it, and do they want this link?"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint
from flask import Flask
from flask import redirect
from flask import request
from flask_login import user_logged_out
from werkzeug.wrappers import Response

from ..linking import accounts
from ..linking import chat_link
from ..state import current_line
from ..web.names import line_profile
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import auto
from . import guard
from . import sessions


def register(blueprint: Blueprint) -> None:
    """Add the route to the extension's blueprint."""
    blueprint.add_url_rule("/chat-link", view_func=chat_link_page, methods=["GET", "POST"])


def watch_logouts(app: Flask) -> None:
    """Let what waits for a member end when they log out."""
    user_logged_out.connect(_end_waiting, app)


def chat_link_page() -> Response | str:
    """Show whose LINE account is to be linked with which member; a press leads on to LINE."""
    line = current_line
    link_token = request.args.get("linkToken", "")
    account = chat_link.account_behind(line.session, link_token, now=line.clock())
    # The shop's own login is what must be proven here, and LINE's would prove the other side.
    auto.stay_off()
    member = guard.require_recent_member()
    sessions.require_may_log_in(member)
    member_id = accounts.member_key(line.session, member)
    if account.member_id is not None:
        raise accounts.account_taken()
    if accounts.account_of_member(line, member) is not None:
        raise accounts.member_taken()
    if request.method == "POST":
        nonce = chat_link.confirm(line.session, link_token, member_id, now=line.clock())
        line.session.commit()
        query = urlencode({"linkToken": link_token, "nonce": nonce})
        return redirect(f"{line.config.hosts.access}/dialog/bot/accountLink?{query}")
    return render_page(
        "lineconnect/confirm_link.html",
        profile=line_profile(account),
        member_name=name_on_page(member, None),
    )


def _end_waiting(_app: Flask, user: object, **_extra: object) -> None:
    line = current_line
    if isinstance(user, line.shop.model):
        chat_link.end_waiting(line.session, accounts.member_key(line.session, user))
        line.session.commit()
