"""The emulator as a WSGI application: all of LINE's hosts at one origin, and our own pages."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from flask import g
from flask import jsonify
from flask import render_template
from flask import request
from flask_babel import Babel
from flask_babel import get_locale
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.wrappers import Response

from . import api_errors
from . import api_faults
from . import call_log
from .audiences import api as audiences
from .control import api as control
from .control import faults_page
from .control import inspector
from .insight import api as insight
from .liff import opening as liff
from .login import authorize
from .login import tokens as login_tokens
from .messaging import account_link
from .messaging import api as messaging
from .messaging import content as message_content
from .messaging import narrowcasts
from .phone import url_scheme
from .phone import views as phone
from .platform import Platform
from .rich_menus import menus as rich_menus
from .tokens import channel_tokens
from .tokens import channel_tokens_v21
from .webhooks import settings as webhook_settings

#: LINE's own limit for a request body, in bytes.
MAX_BODY = 2 * 1024 * 1024
#: This machine's own names.
OWN_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
LANGUAGES = ["ja", "en"]
_API = re.compile(r"/(v2|v3|oauth2|liff|message|friendship|user|\.well-known|_emulator)(/|$)")
#: Pages below these paths.
_PAGES = re.compile(r"/(oauth2/v2\.1/(authorize$|liff/shareTargetPicker$|_)|liff/v1/authorize$)")
#: A page may be framed by the phone, and frames whatever a shop wants to show there. A form's
#: answer leads to the shop, which Chromium counts as the form's target.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https: data:; media-src http: https:; frame-src http: https:; "
    "base-uri 'none'; form-action http: https:; "
    "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
)


class RegexConverter(BaseConverter):
    """A part of a path that matches a pattern."""

    def __init__(self, url_map: Map, pattern: str):
        super().__init__(url_map)
        self.regex = pattern


def create_app(platform: Platform, *, is_exposed: bool = False) -> Flask:
    """Return the application for one platform.

    :param is_exposed: answer under any host name; otherwise only under this machine's own, so that
        a foreign site can't reach us by a name of its own.
    """
    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = None if is_exposed else OWN_HOSTS
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.extensions["line_platform"] = platform
    app.url_map.converters["regex"] = RegexConverter
    _set_up_languages(app)
    # Called last where it is registered first: it notes what the others made of an answer.
    call_log.register(app)
    app.after_request(_set_headers)
    for module in (
        api_errors,
        api_faults,
        authorize,
        login_tokens,
        channel_tokens,
        channel_tokens_v21,
        messaging,
        message_content,
        narrowcasts,
        audiences,
        insight,
        rich_menus,
        webhook_settings,
        account_link,
        url_scheme,
        liff,
        phone,
        inspector,
        faults_page,
        control,
    ):
        module.register(app)
    app.register_error_handler(HTTPException, _show_error)
    return app


def _set_up_languages(app: Flask) -> None:
    Babel(
        app,
        default_locale="ja",
        default_domain="emulator",
        default_translation_directories=str(Path(__file__).with_name("translations")),
        locale_selector=_language,
    )
    app.context_processor(lambda: {"ui_language": get_locale().language})


def _language() -> str:
    """Return the language of a page: what the login asks for, else what the browser does."""
    for tag in str(g.get("ui_locales") or request.args.get("ui_locales", "")).split():
        language = tag.lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return request.accept_languages.best_match(LANGUAGES) or "ja"


def _show_error(error: HTTPException) -> tuple[Response | str, int]:
    """Answer an HTTP error as JSON on LINE's API paths and as a page elsewhere."""
    status = error.code or 500
    if _API.match(request.path) and not _PAGES.match(request.path):
        return jsonify(message="Not found" if status == 404 else error.name), status
    page = render_template("error.html", status=status, title=error.name, text=error.description)
    return page, status


def _set_headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
