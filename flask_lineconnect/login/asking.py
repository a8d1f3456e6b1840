"""What is asked before a login with LINE goes on: to replace somebody, or to keep an old link."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask import redirect
from flask import request
from flask import url_for
from werkzeug.wrappers import Response

from ..linking import accounts
from ..linking import credentials
from ..models import Account
from ..state import current_line
from ..web.names import line_profile
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import finish
from . import flow
from . import guard
from . import sessions
from .decide import Intent
from .flow import local_path


def register(blueprint: Blueprint) -> None:
    """Add the pages to the extension's blueprint, also below the address where LIFF works."""
    for path, view in (("switch", switch), ("link/again", link_again)):
        name, methods = view.__name__, ["GET", "POST"]
        blueprint.add_url_rule(f"/{path}", name, view, methods=methods)
        blueprint.add_url_rule(
            f"/liff/{path}", f"liff_{name}", view, methods=methods, strict_slashes=False
        )


def switch() -> Response | str:
    """Ask whoever is logged in whether LINE's person takes their place."""
    waiting = _waiting()
    if request.method == "POST" or not finish.is_occupied(waiting.account):
        return finish.enter(waiting)
    member = guard.current_member()
    line = current_line
    return render_page(
        "lineconnect/switch.html",
        profile=line_profile(waiting.account),
        member_name=None if member is None else name_on_page(member, None),
        next_path=waiting.attempt.next_path or line.config.default_page,
    )


def link_again() -> Response | str:
    """Show a link from before its member's credentials changed; the member says whether it stays.

    Only the shop's own login, with the new credentials, proves the member, and LINE's does not.
    """
    line, member = current_line, guard.current_member()
    next_path = local_path(request.args.get("next")) or line.config.default_page
    account = accounts.account_of_member(line, member)
    if account is None:
        return _page(_waiting().account, None, next_path)
    if account.in_doubt_since is None:
        return redirect(next_path)
    if request.method == "POST":
        guard.require_recent_member()
        credentials.confirm(line.session, account, now=line.clock())
        line.session.commit()
        sessions.drop_handle()
        return redirect(next_path)
    return _page(account, member if guard.is_recent(member) else None, next_path)


def _page(account: Account, member: Any | None, next_path: str) -> str:
    """Show both sides to the member, and LINE's side alone to anybody else."""
    here = url_for("lineconnect.link_again", next=next_path)
    return render_page(
        "lineconnect/link_again.html",
        profile=line_profile(account),
        member_name=None if member is None else name_on_page(member, None),
        log_in_url=guard.shop_log_in_url(here),
    )


def _waiting() -> flow.Held:
    """Return LINE's login that waits in this session.

    :raises Refused: there is none, or its link has ended meanwhile.
    """
    line = current_line
    waiting = flow.held(line.session, sessions.handle(), intent=Intent.LOGIN, now=line.clock())
    if not waiting.account.is_linked:
        raise flow.waited_too_long()
    return waiting
