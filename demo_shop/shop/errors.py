"""Answers to requests that went wrong, and the headers of all pages."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from flask import Flask
from flask import Response
from flask import current_app
from flask import render_template
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{}'; img-src 'self' data:; "
    "base-uri 'none'"
)
Answer = tuple[str, int]


def register_errors(app: Flask) -> None:
    """Give errors a page of the shop, and pages their headers."""
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(403, _staff_only)
    app.register_error_handler(404, _not_found)
    app.after_request(_set_headers)


def _theme_hash() -> str:
    """Return the hash by which the policy allows the theme's styles, which stand in every page."""
    helpers: Any = current_app.jinja_env.globals["lineconnect"]
    return b64encode(sha256(str(helpers.theme()).encode()).digest()).decode()


def _form_too_old(_error: Any) -> Answer:
    return _page(
        400,
        _("もう一度お試しください"),
        _("ページの有効時間がすぎました。前のページからやり直してください。"),
    )


def _staff_only(_error: Any) -> Answer:
    return _page(403, _("スタッフ専用のページです"), _("スタッフとしてログインするとひらけます。"))


def _not_found(_error: Any) -> Answer:
    text = _("アドレスが変わったか、商品の取り扱いが終わったのかもしれません。")
    return _page(404, _("ページが見つかりません"), text)


def _page(status: int, title: str, text: str) -> Answer:
    return render_template("errors/error.html", title=title, text=text), status


def _set_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", POLICY.format(_theme_hash()))
        if current_user and current_user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
    return response
