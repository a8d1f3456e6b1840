"""The pages on which a member links a LINE account; they begin and end with a press."""

from __future__ import annotations

from flask import Blueprint
from flask import request
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..linking import accounts
from ..linking import credentials
from ..state import current_line
from ..web.names import line_profile
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import finish
from . import flow
from . import guard
from . import sessions
from .decide import Intent
from .labels import PROOF
from .labels import made_label
from .start import start


def register(blueprint: Blueprint) -> None:
    """Add the routes to the extension's blueprint."""
    blueprint.add_url_rule("/link", view_func=link, methods=["GET", "POST"])
    blueprint.add_url_rule("/link/confirm", view_func=confirm_link, methods=["GET", "POST"])


def link() -> Response | str:
    """Show the link button to a member who is logged in; its press begins a link."""
    member = guard.require_recent_member()
    sessions.require_may_log_in(member)
    if request.method == "POST":
        return start(
            Intent.LINK,
            next_path=flow.local_path(request.form.get("next")),
            source=made_label(request.form.get("source"), request.form.get(PROOF)) or "member-page",
            began_as=str(guard.current_member_id()),
        )
    line = current_line
    account = accounts.account_of_member(line, member)
    return render_page(
        "lineconnect/link.html",
        member_name=name_on_page(member, account),
        linked=account is not None,
        next=flow.local_path(request.args.get("next")),
    )


def confirm_link() -> Response | str:
    """Show whose LINE account is to be linked with which member, and wait for the press."""
    line = current_line
    waiting = flow.held(line.session, sessions.handle(), intent=Intent.LINK, now=line.clock())
    member_id = guard.current_member_id()
    if member_id is None or str(member_id) != waiting.attempt.member_key:
        raise Refused(
            _("連携を始めた会員と、いまログインしている会員が違います。"), step="person-changed"
        )
    began_at = waiting.attempt.consumed_at
    credentials.require_unchanged(line.session, member_id, since=began_at)
    if request.method == "POST":
        return finish.tie(waiting, member_id)
    return render_page(
        "lineconnect/confirm_link.html",
        profile=line_profile(waiting.account),
        member_name=name_on_page(guard.current_member(), None),
    )
