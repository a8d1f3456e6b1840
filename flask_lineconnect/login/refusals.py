"""What people and programs are told when a rule refused a login, a link, or a form."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect
from flask import request
from flask import url_for
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..state import current_line
from ..web.addresses import here
from ..web.guards import wants_page
from ..web.pages import json_error
from ..web.pages import render_error
from ..web.said import say
from . import sessions

#: For programs; whatever else was refused is forbidden.
_JSON_STATUS = {
    "exp": HTTPStatus.UNAUTHORIZED,
    "iat": HTTPStatus.UNAUTHORIZED,
    "ended": HTTPStatus.UNAUTHORIZED,
    "session": HTTPStatus.UNAUTHORIZED,
    "rate": HTTPStatus.TOO_MANY_REQUESTS,
}
#: Pages that ask once for what a login still needs.
_FINISHED_ONCE = {"lineconnect.sign_up", "lineconnect.liff_sign_up", "lineconnect.confirm_link"}


def show_refusal(refused: Refused) -> Response:
    """Answer a refusal in the form that was asked for; nothing of the request is kept."""
    current_line.session.rollback()
    if not wants_page():
        status = _JSON_STATUS.get(refused.step, HTTPStatus.FORBIDDEN)
        return json_error(text=refused.message, step=refused.step, status=status)
    if _is_done_elsewhere(refused.step):
        say(_("LINEと連携しています"))
        return redirect(url_for("lineconnect.card"), HTTPStatus.SEE_OTHER)
    attempt = sessions.newest_attempt()
    next_path = attempt["next_path"] if attempt else None
    sessions.try_cookies()
    is_about_linking = refused.step in {"account-taken", "member-taken", "person-changed"}
    if is_about_linking or (attempt and attempt["intent"] == "link"):
        title, label = _("連携できませんでした"), _("連携のページへ")
        url = url_for("lineconnect.link", next=next_path)
    elif _is_sent_from_liff():
        title, label, url = _title(refused.step), _("画面を開き直す"), here()
    else:
        title, label = _title(refused.step), _("LINEログインをもう一度はじめる")
        url = url_for("lineconnect.login", fresh=1, next=next_path)
    return render_error(
        title=title,
        text=refused.message,
        step=refused.step,
        action_label=label,
        action_url=url,
        status=HTTPStatus.TOO_MANY_REQUESTS if refused.step == "rate" else HTTPStatus.BAD_REQUEST,
    )


def _is_done_elsewhere(step: str) -> bool:
    """Tell whether a form is left over in a tab: another one of the same person has finished."""
    if step not in {"csrf", "expired"} or request.endpoint not in _FINISHED_ONCE:
        return False
    return sessions.came_from_line() and sessions.logged_in_user() is not None


def _is_sent_from_liff() -> bool:
    """Tell whether a form of a LIFF page was refused: opened anew, the page finds its member."""
    return request.method == "POST" and here().startswith(url_for("lineconnect.card") + "/")


def _title(step: str) -> str:
    if step == "consent":
        return _("ログインをキャンセルしました")
    if step in {"expired", "csrf", "session"}:
        return _("時間が経ちすぎました")
    return _("ログインできませんでした")
