"""The door of the console: staff pass whose role is enough, everybody else is told where to go."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from typing import get_args

from flask import abort
from flask import url_for
from werkzeug.wrappers import Response

from ..errors import UsageError
from ..login import guard
from ..login import sessions
from ..person_names import Name
from ..shop.adapter import StaffRole
from ..state import current_line
from ..web.addresses import here_with_query
from ..web.guards import wants_page
from ..web.pages import json_error
from .errors import closed_page
from .i18n import gettext as _
from .routes import Route
from .routes import may
from .staff import ROLE_NAMES
from .staff import Staff
from .staff import note_arrival


def let_in(route: Route) -> Response | None:
    """Let staff pass whose role is enough; answer everybody else."""
    user = sessions.logged_in_user()
    if user is None:
        return _ask_to_log_in()
    # LINE proves who holds a phone, and a link is a customer's.
    role = None if sessions.came_from_line() else _role_of(user)
    if role is None:
        return _turn_away()
    note_arrival(Staff(sessions.user_id() or "", _name_of(user), role))
    if not may(role, route.role):
        needed = str(ROLE_NAMES[route.role])
        text = _(
            "この操作ができるのは「%(role)s」の方です。お店の方にご相談ください。", role=needed
        )
        return _refuse(_("この画面は使えません"), text, step="role")
    return None


def require_recent_login() -> None:
    """Go on only with staff who logged in lately: before what can't be undone.

    Lately is ``LINECONNECT_RECENT_LOGIN_SECONDS``; a remember cookie is no login.
    """
    line = current_line
    lately = line.clock() - timedelta(seconds=line.config.recent_login_seconds)
    if sessions.logged_in_since(lately):
        return
    text = _("元に戻せない操作の前に、ご本人であることを確かめます。もう一度ログインしてください。")
    abort(_refuse(_("もう一度ログインしてください"), text, step="recent", can_log_in=True))


def _role_of(user: Any) -> StaffRole | None:
    role = current_line.shop.staff_role(user)
    if role is not None and role not in get_args(StaffRole):
        known = ", ".join(get_args(StaffRole))
        raise UsageError(f"ShopAdapter.staff_role returned {role!r}; it must be {known} or None")
    return role


def _name_of(user: Any) -> Name:
    shop = current_line.shop
    name = shop.member_name(user) if isinstance(user, shop.model) else getattr(user, "name", None)
    return Name(name if isinstance(name, str) else None, _("スタッフ"))


def _ask_to_log_in() -> Response:
    if not wants_page():
        return json_error(
            text=_("ログインしてください。"), step="session", status=HTTPStatus.UNAUTHORIZED
        )
    answer = guard.ask_to_log_in()
    if answer is not None:
        return answer
    text = _("お店のスタッフとしてログインしてから、もう一度開いてください。")
    return closed_page(_("ログインしてください"), text, status=HTTPStatus.UNAUTHORIZED)


def _turn_away() -> Response:
    """Tell a customer that this is no page of theirs; staff may log in as themselves."""
    text = _(
        "ここはお店のスタッフの画面です。スタッフの方は、LINEではなくお店のパスワードで"
        "ログインしてください。"
    )
    return _refuse(_("スタッフ用の画面です"), text, step="staff", can_log_in=True)


def _refuse(title: str, text: str, *, step: str, can_log_in: bool = False) -> Response:
    status = HTTPStatus.FORBIDDEN
    if not wants_page():
        return json_error(text=text, step=step, status=status)
    here = here_with_query() if can_log_in and guard.shop_log_in_url("/") else None
    again = url_for("lineconnect.log_in_again") if here else None
    return closed_page(title, text, status=status, log_in_again=again, next_path=here)
