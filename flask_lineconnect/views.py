"""The extension's one Flask blueprint: its routes, its guards, what shops' templates may use."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import current_app
from flask import jsonify
from flask import request
from flask import send_from_directory
from flask import url_for
from flask_babel import format_date
from flask_wtf.csrf import generate_csrf
from flask_wtf.csrf import validate_csrf
from jinja2 import ChoiceLoader
from jinja2 import FileSystemLoader
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import ValidationError

from . import linking
from .errors import LineApiError
from .errors import Refused
from .i18n import gettext
from .i18n import gettext as _
from .liff import api as liff_api
from .liff import codes
from .liff import views as liff_views
from .login import chat_views
from .login import friend
from .login import guard
from .login import kept_forms
from .login import link
from .login import sessions
from .login import sign_up
from .login import unlink
from .login import views as login_views
from .pages import render_error
from .pages import set_headers
from .state import current_line
from .webhooks import views as webhook_views

BLUEPRINT = "lineconnect"
#: Authenticated by its signature instead of a CSRF token; the only one.
WEBHOOK = f"{BLUEPRINT}.webhook"
#: Counted by address, like everything that is sent by POST; a callback needs a login before it.
LOGIN = f"{BLUEPRINT}.login"

#: For programs; whatever else was refused is forbidden.
_JSON_STATUS = {"exp": HTTPStatus.UNAUTHORIZED, "rate": HTTPStatus.TOO_MANY_REQUESTS}

LIFF_PAGES = Path(str(files("flask_lineconnect.liff_pages")))


def make_blueprint(app: Flask) -> Blueprint:
    """Return the blueprint with all routes of the extension, for one app."""
    blueprint = Blueprint(BLUEPRINT, __name__, template_folder="templates", static_folder="static")
    blueprint.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(Path(__file__).with_name("templates")),
            FileSystemLoader(LIFF_PAGES / "templates"),
        ]
    )
    for module in (
        login_views,
        sign_up,
        link,
        guard,
        friend,
        kept_forms,
        chat_views,
        unlink,
        liff_views,
        liff_api,
        webhook_views,
    ):
        module.register(blueprint)
    blueprint.add_url_rule("/liff/static/<path:filename>", view_func=liff_static)
    blueprint.before_request(_guard)
    blueprint.after_request(set_headers)
    blueprint.register_error_handler(Refused, _show_refusal)
    blueprint.register_error_handler(LineApiError, _show_line_error)
    app.jinja_env.filters.setdefault("local_date", local_date)
    exempt_webhook(app)
    return blueprint


def liff_static(filename: str) -> Response:
    """Serve the static files of the LIFF pages."""
    return send_from_directory(LIFF_PAGES / "static", filename)


def local_date(moment: datetime | date) -> str:
    """Return a day as people read it, in the shop's time zone."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(current_line.config.zone).date()
    text: str = format_date(moment, "long")
    return text


class TemplateHelpers:
    """What every template of the app may use as ``lineconnect``, macros included."""

    gettext = staticmethod(gettext)
    csrf_token = staticmethod(generate_csrf)

    @staticmethod
    def store_url(source: str) -> str:
        """Return the address that a store QR code holds; ``source`` names shelf, flyer or store."""
        return current_line.url_for(f"{BLUEPRINT}.login", source=source)

    @staticmethod
    def is_linked(member: Any) -> bool:
        """Tell whether a member is linked to a LINE account."""
        line = current_line
        member = getattr(member, "_get_current_object", lambda: member)()
        key = linking.member_key(line.session, member)
        return linking.account_of(line.session, key) is not None

    @staticmethod
    def qr_svg(data: str, *, label: str) -> Markup:
        """Draw a QR code."""
        return codes.qr_svg(data, label=label)

    @staticmethod
    def code128_svg(number: str, *, label: str) -> Markup:
        """Draw a Code 128 barcode."""
        return codes.code128_svg(number, label=label)


def _guard() -> None:
    """Refuse what should not reach a view; a webhook's own guard is its signature."""
    if request.endpoint != WEBHOOK:
        _check_rate()
        _check_csrf()


def _check_rate() -> None:
    """Refuse an address that asks for logins without end.

    :raises Refused: it is over ``LINECONNECT_RATE_LIMIT``.
    """
    if request.endpoint == LOGIN or request.method == "POST":
        current_line.rates.count("address", request.remote_addr or "")


def _check_csrf() -> None:
    """Refuse every change that does not come from a page of this session.

    :raises Refused: the token is missing, foreign or too old.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token")
    try:
        validate_csrf(token)
    except ValidationError:
        raise Refused(
            _("画面を開いてから時間が経ちました。もう一度お試しください。"), step="csrf"
        ) from None


def exempt_webhook(app: Flask) -> None:
    """Let LINE's webhook past Flask-WTF's own protection, added before or after us.

    Flask asks its guards in the order in which they were added, so a protection that comes later
    can still be told at the first request.
    """

    def exempt() -> None:
        protection = app.extensions.get("csrf")
        if protection is not None:
            protection.exempt(webhook_views.webhook)

    exempt()
    app.before_request(lambda: exempt() if request.endpoint == WEBHOOK else None)


def _show_refusal(refused: Refused) -> Response:
    """Answer a refusal in the form that was asked for; nothing of the request is kept."""
    current_line.session.rollback()
    if request.is_json:
        status = _JSON_STATUS.get(refused.step, HTTPStatus.FORBIDDEN)
        response = jsonify(message=refused.message, step=refused.step)
        response.status_code = status
        return response
    attempt = sessions.newest_attempt()
    next_path = attempt["next_path"] if attempt else None
    sessions.try_cookies()
    is_about_linking = refused.step in {"account-taken", "member-taken", "person-changed"}
    if is_about_linking or (attempt and attempt["intent"] == "link"):
        title, label = _("連携できませんでした"), _("連携のページへ")
        url = url_for(f"{BLUEPRINT}.link", next=next_path)
    else:
        title, label = _title(refused.step), _("LINEログインをもう一度はじめる")
        url = url_for(f"{BLUEPRINT}.login", fresh=1, next=next_path)
    return render_error(
        title=title,
        text=refused.message,
        step=refused.step,
        action_label=label,
        action_url=url,
        status=HTTPStatus.TOO_MANY_REQUESTS if refused.step == "rate" else HTTPStatus.BAD_REQUEST,
    )


def _title(step: str) -> str:
    if step == "consent":
        return _("ログインをキャンセルしました")
    if step in {"expired", "csrf"}:
        return _("時間が経ちすぎました")
    return _("ログインできませんでした")


def _show_line_error(error: LineApiError) -> Response:
    current_app.logger.warning("LINE could not be reached during a login: %s", error)
    current_line.session.rollback()
    text = _("ただいまLINEにつながりにくくなっています。少し待ってからもう一度お試しください。")
    if request.is_json:
        response = jsonify(message=text, step="line")
        response.status_code = 502
        return response
    return render_error(
        title=_("LINEにつながりません"),
        text=text,
        step="line",
        action_label=_("もう一度ためす"),
        action_url=url_for(f"{BLUEPRINT}.login"),
        status=502,
    )
