"""The emulator as a WSGI application: all of LINE's hosts at one origin, and our own pages."""

from __future__ import annotations

import re
from pathlib import Path

from babel import negotiate_locale
from flask import Flask
from flask import g
from flask import jsonify
from flask import render_template
from flask import request
from flask_babel import Babel
from flask_babel import get_locale
from werkzeug.exceptions import BadHost
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.wrappers import Response

from . import api_errors
from . import api_faults
from . import call_log
from .addresses import LOOPBACK
from .addresses import has_readable_host
from .addresses import is_loopback
from .audiences.api import audiences
from .consoles.views import consoles
from .control.api import control
from .control.views import control_pages
from .insight.api import insight
from .liff.api import liff_apps
from .liff.common_profile import common_profile
from .liff.messages import liff_messages
from .liff.opening import liff
from .liff.permissions import permissions
from .liff.sdk import sdk_files
from .liff.subwindows import subwindows
from .login.api import login_tokens
from .login.profile import login_profile
from .login.views import login_pages
from .messaging.account_link import account_link
from .messaging.account_link import link_tokens
from .messaging.api import messaging
from .messaging.content import content
from .messaging.narrowcasts import narrowcasts
from .phone.url_scheme import url_scheme
from .phone.views import phone
from .platform import Platform
from .rich_menus.aliases import aliases
from .rich_menus.batches import batches
from .rich_menus.links import links
from .rich_menus.menus import menus
from .tokens.api import channel_tokens
from .tokens.channel_tokens_v21 import key_ids
from .webhooks.api import webhook_settings

#: LINE's own limit for a request body, in bytes.
MAX_BODY = 2 * 1024 * 1024
#: What answers, in the order in which it may look at requests and answers.
BLUEPRINTS = (
    # LINE Login and the tokens of channels.
    *(login_pages, login_tokens, login_profile, channel_tokens, key_ids),
    # The Messaging API.
    *(messaging, content, narrowcasts, link_tokens, audiences, insight),
    *(menus, links, aliases, batches, webhook_settings),
    # LIFF.
    *(liff, liff_apps, sdk_files, common_profile, liff_messages, subwindows, permissions),
    # What people see: LINE's pages, then our own.
    *(account_link, url_scheme, phone, control_pages, consoles, control),
)
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
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.extensions["line_platform"] = platform
    app.url_map.converters["regex"] = RegexConverter
    _set_up_languages(app)
    app.before_request(lambda: _refuse_host(is_exposed=is_exposed))
    # Called last where it is registered first: it notes what the others made of an answer.
    call_log.register(app)
    app.after_request(_set_headers)
    api_errors.register(app)
    api_faults.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
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
    # Werkzeug's own choice of `ja-JP,en` would be the one that is spelled exactly as ours.
    asked = [tag.replace("-", "_") for tag in request.accept_languages.values()]
    return negotiate_locale(asked, LANGUAGES) or "ja"


def _refuse_host(*, is_exposed: bool) -> tuple[Response, int] | None:
    """Refuse a host that is none, or not ours, before a page is made that would name it."""
    if isinstance(request.routing_exception, BadHost) or not has_readable_host():
        text = "The Host of this request is no host"
    elif not is_exposed and not is_loopback(request.host_url):
        text = f"The emulator answers as {', '.join(sorted(LOOPBACK))} only"
    else:
        return None
    is_api = _is_api(request.path)
    return jsonify(message=text) if is_api else Response(text, mimetype="text/plain"), 400


def _show_error(error: HTTPException) -> tuple[Response | str, int]:
    """Answer an HTTP error as JSON on LINE's API paths and as a page elsewhere."""
    status = error.code or 500
    if _is_api(request.path):
        return jsonify(message="Not found" if status == 404 else error.name), status
    page = render_template("error.html", status=status, title=error.name, text=error.description)
    return page, status


def _is_api(path: str) -> bool:
    return _API.match(path) is not None and _PAGES.match(path) is None


def _set_headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
