"""Who is logged in to the shop, and was it lately enough for something that matters?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask import Flask
from flask import abort
from flask import current_app
from flask import make_response
from flask import redirect
from flask import request
from flask import url_for
from flask_login import LOGIN_MESSAGE
from flask_login import REFRESH_MESSAGE
from flask_login import login_url
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response

from ..i18n import gettext as _
from ..linking import accounts
from ..linking import credentials
from ..state import current_line
from ..web.addresses import here_with_query
from ..web.guards import wants_page
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import sessions
from .flow import local_path

logger = logging.getLogger(__name__)


def register(blueprint: Blueprint) -> None:
    """Add the route that leads to a fresh login to the extension's blueprint."""
    blueprint.add_url_rule("/log-in-again", view_func=log_in_again, methods=["POST"])


def speak_our_languages(app: Flask) -> None:
    """Let Flask-Login say its own sentences in the page's language, unless the shop words them."""
    manager = app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    if manager.localize_callback is None:
        manager.localize_callback = _worded


def _worded(sentence: str) -> str:
    if sentence == LOGIN_MESSAGE:
        return _("ログインしてください。")
    if sentence == REFRESH_MESSAGE:
        return _("ご本人の確認のため、もう一度ログインしてください。")
    return sentence


def current_member() -> Any | None:
    """Return the member logged in to the shop, or ``None``; staff of another model are none."""
    user = sessions.logged_in_user()
    return user if isinstance(user, current_line.shop.model) else None


def current_member_id() -> Any | None:
    """Return the key of the member logged in to the shop, or ``None``."""
    member = current_member()
    return None if member is None else accounts.member_key(current_line.session, member)


def require_recent_member() -> Any:
    """Return the member logged in, recently; leave the view for the shop's login otherwise.

    Recently is ``LINECONNECT_RECENT_LOGIN_SECONDS``; a session that Flask-Login restored from a
    remember cookie is none.
    """
    manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    member = current_member()
    if member is None:
        abort(_shops_answer(manager.unauthorized) or _log_in_page())
    if is_recent(member):
        return member
    has_own = manager.needs_refresh_callback or manager.refresh_view
    answer = _shops_answer(manager.needs_refresh) if has_own else None
    abort(answer or make_response(_identity_page(member), HTTPStatus.UNAUTHORIZED))


def ask_to_log_in() -> Response | None:
    """Return how the shop asks for a login; ``None`` where nobody could go on from that."""
    manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    return _shops_answer(manager.unauthorized)


def _shops_answer(ask: Callable[[], Any]) -> Response | None:
    """Return how the shop itself asks for a login; ``None`` where nobody could go on from that.

    Flask-Login refuses with nothing but a status where the shop has no login page, and a shop that
    speaks JSON does so, too; a name that is no endpoint ends in an error.
    """
    try:
        answer = make_response(ask())
    except BuildError as error:
        logger.warning(
            "Flask-Login leads to %r, which is no endpoint of this app; set "
            "login_manager.login_view to one, or to a path that begins with a slash",
            error.endpoint,
        )
        return None
    except HTTPException as error:
        return error.get_response() if error.response is not None else None
    leads_on = answer.location or answer.mimetype == "text/html"
    return answer if leads_on or not wants_page() else None


def _log_in_page() -> Response:
    """Lead on without the shop's login page: LINE's own login is one."""
    page = render_page("lineconnect/log_in.html", here=here_with_query())
    return make_response(page, HTTPStatus.UNAUTHORIZED)


def is_recent(member: Any) -> bool:
    """Tell whether a member logged in lately, and with the credentials that they have now."""
    line = current_line
    lately = line.clock() - timedelta(seconds=line.config.recent_login_seconds)
    if not sessions.logged_in_since(lately):
        return False
    changed = credentials.changed_at(line.session, accounts.member_key(line.session, member))
    return changed is None or sessions.logged_in_since(changed)


def _identity_page(member: Any) -> str:
    """Ask a member who has been logged in for long to show once more who they are."""
    line = current_line
    account = accounts.account_of_member(line, member)
    return render_page(
        "lineconnect/log_in_again.html",
        member_name=name_on_page(member, account),
        here=here_with_query(),
        is_linked=account is not None,
        has_other_login=shop_log_in_url("/") is not None and line.shop.has_other_login(member),
    )


def log_in_again() -> Response:
    """Log the member out and lead to the shop's own login, which returns to where they were."""
    next_path = local_path(request.form.get("next")) or current_line.config.default_page
    sessions.end()
    return redirect(shop_log_in_url(next_path) or url_for("lineconnect.login", next=next_path))


def shop_log_in_url(next_path: str) -> str | None:
    """Return the shop's own login page that leads on to a path; ``None`` if the shop has none.

    Flask-Login takes an endpoint, a path or an address, perhaps one for each blueprint.
    """
    manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    login_view = manager.blueprint_login_views.get(request.blueprint, manager.login_view)
    if not login_view:
        return None
    base = urlsplit(current_line.config.base_url)
    # Flask-Login leaves the host out where the login page is on the same one.
    whole = f"{base.scheme}://{base.netloc}{next_path}"
    try:
        found: str = login_url(login_view, next_url=whole)
    except BuildError:
        return None
    return found


def asks_in_its_own_way() -> bool:
    """Tell whether the shop answers itself whoever is not logged in."""
    manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    return manager.unauthorized_callback is not None
