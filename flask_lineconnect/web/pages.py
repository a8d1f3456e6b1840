"""How the extension's own pages are served: their templates' context and their headers."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Response
from flask import g
from flask import jsonify
from flask import render_template
from flask import request
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from ..i18n import ngettext
from ..i18n import page_gettext
from ..state import current_line
from . import own_headers
from .theme import style_sheet


def csp_nonce() -> str:
    """Return this answer's nonce for scripts and styles."""
    if "_lineconnect_nonce" not in g:
        g._lineconnect_nonce = secrets.token_urlsafe(16)
    nonce: str = g._lineconnect_nonce
    return nonce


def render_page(template: str, **context: Any) -> str:
    """Render one of the extension's pages; a shop's template of the same name goes first."""
    return render_template(
        template, **{"_": page_gettext, "ngettext": ngettext} | page_context() | context
    )


def page_context() -> dict[str, Any]:
    """Return what the layouts need; ``_`` is not in it, so that a shop's page keeps its own."""
    shop = current_line.shop
    return {
        "home_url": current_line.config.home,
        "shop_name": shop.name,
        "theme": Markup(style_sheet(tuple(shop.theme.items()))),
        "mark": Markup(shop.mark),
        # HTML writes languages with hyphens.
        "lang": str(get_locale() or "ja").replace("_", "-"),
        "csp_nonce": csp_nonce,
        "csrf_token": generate_csrf,
    }


def render_error(
    *,
    title: str,
    text: str,
    step: str,
    action_label: str,
    action_url: str,
    status: int = 400,
) -> Response:
    """Return the page that says what happened and what to do; ``step`` is its small print."""
    page = render_page(
        "lineconnect/error.html",
        title=title,
        text=text,
        step=step,
        action_label=action_label,
        action_url=action_url,
    )
    return Response(page, status=status)


def json_error(*, text: str, step: str, status: int) -> Response:
    """Return the same for a program."""
    response = jsonify(message=text, step=step)
    response.status_code = status
    return response


def set_headers(response: Response) -> Response:
    """Forbid caching, foreign scripts and foreign frames on the extension's pages.

    Other hosts learn no address of ours; our own must, because Flask-WTF's protection takes no
    secure POST without a referrer.
    """
    if (request.endpoint or "").endswith("static"):
        return response
    is_page = response.mimetype == "text/html"
    ours = {
        **_strict(response),
        # A policy of the shop's own would also bind our service worker.
        "Content-Security-Policy": _content_security_policy() if is_page else None,
        # LINE's script comes without the header that this one would demand of it.
        "Cross-Origin-Embedder-Policy": None,
    }
    own_headers.keep(ours)
    return response


def set_closed_headers(response: Response) -> Response:
    """Do the same for pages that need nobody: nothing foreign is loaded, sent to, or framed by.

    Also of texts that a browser might take for a page.
    """
    own = f"'self' 'nonce-{csp_nonce()}'"
    directives = (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    own_headers.keep({**_strict(response), "Content-Security-Policy": directives})
    return response


def _strict(response: Response) -> dict[str, str | None]:
    return {
        "Cache-Control": response.headers.get("Cache-Control", "no-store"),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _content_security_policy() -> str:
    hosts = current_line.config.hosts
    sdk = _origin(hosts.liff_sdk)
    # LINE's SDK talks to several hosts of line.me; its stand-in to the one it came from.
    connect = " ".join({"https://*.line.me", "https://*.line-scdn.net", sdk, hosts.api})
    own = f"'self' 'nonce-{csp_nonce()}'"
    directives = {
        "default-src": "'none'",
        "script-src": " ".join(dict.fromkeys([own, sdk, _origin(hosts.quick_fill)])),
        "style-src": own,
        "img-src": "'self' data: https: " + " ".join(hosts.frame_ancestors),
        "connect-src": f"'self' {connect}",
        # A form that begins a link is led on by LINE, also over hosts of the app's hand-over.
        "form-action": f"'self' {_origin(hosts.access)} https://*.line.me",
        "frame-ancestors": " ".join(hosts.frame_ancestors) or "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in directives.items())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
