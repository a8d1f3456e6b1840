"""What the console says when something can't be done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError

from ..errors import LineApiError
from ..errors import Refused
from ..state import current_line
from ..web.guards import wants_page
from ..web.pages import json_error
from .i18n import gettext as _
from .pages import render


def closed_page(title: str, text: str, *, status: int, **context: Any) -> Response:
    """Return a page that says why there is nothing to see, and the way on."""
    page = render("closed", title=title, text=text, **context)
    return Response(page, status=status)


def show_refusal(refused: Refused) -> Response:
    """Say what a rule refused; nothing was changed."""
    current_line.session.rollback()
    status = HTTPStatus.TOO_MANY_REQUESTS if refused.step == "rate" else HTTPStatus.BAD_REQUEST
    return _explain(_("変更していません"), refused.message, step=refused.step, status=status)


def show_error(error: LineApiError | HTTPException) -> Any:
    """Answer what went wrong; Flask has logged what is the shop's or our own mistake.

    :param error: of LINE's, or of HTTP.
    """
    current_line.session.rollback()
    if isinstance(error, LineApiError):
        text = _("LINEにつながりにくくなっています。少し待ってからもう一度お試しください。")
        return _explain(_("LINEにつながりません"), text, step="line", status=HTTPStatus.BAD_GATEWAY)
    if isinstance(error, InternalServerError):
        text = _("問題が起きました。変更は行われていません。時間をおいてもう一度お試しください。")
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return _explain(_("画面を開けませんでした"), text, step="failed", status=status)
    if error.response is not None or (error.code or 500) < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    if error.code == HTTPStatus.NOT_FOUND:
        text = _("この画面はありません。消されたか、アドレスが違います。")
        return _explain(_("見つかりません"), text, step="not-found", status=HTTPStatus.NOT_FOUND)
    text = _("この操作はできません。前の画面に戻って、もう一度お試しください。")
    return _explain(_("操作できません"), text, step="request", status=error.code or 400)


def _explain(title: str, text: str, *, step: str, status: int) -> Response:
    if not wants_page():
        return json_error(text=text, step=step, status=status)
    return closed_page(title, text, status=status)
