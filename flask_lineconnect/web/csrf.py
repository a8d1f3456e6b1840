"""The token that every change must carry, under the names that the shop's Flask-WTF gives it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from flask import request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

#: Flask-WTF's own names; a shop's replaced template of ours may still have them.
FIELD = "csrf_token"
HEADERS = ("X-CSRFToken", "X-CSRF-Token")
#: What stands between the prefix of a form and a field's name. Source: WTForms, "BaseForm".
_AFTER_PREFIX = "-_;:/."


def field_name() -> str:
    """Return the name of the field in forms."""
    name: str = current_app.config.get("WTF_CSRF_FIELD_NAME") or FIELD
    return name


def header_name() -> str:
    """Return the header in which our scripts send the token."""
    return next(iter(_headers()), HEADERS[0])


def takes_headers() -> bool:
    """Tell whether the shop's protection looks for the token in a header at all."""
    return bool(_headers())


def hidden_field() -> Markup:
    """Return the field for a form."""
    field = Markup('<input type="hidden" name="{}" value="{}">')
    return field.format(field_name(), generate_csrf())


def given_token() -> str | None:
    """Return the token that came with this request."""
    for name in (field_name(), FIELD):
        if name in request.form:
            return request.form[name]
    names = (*_headers(), *HEADERS)
    return next((request.headers[name] for name in names if name in request.headers), None)


def given_fields() -> list[str]:
    """Return the names under which this request's form brought tokens.

    A form of Flask-WTF's with a prefix writes it before the name.
    """
    field = field_name()
    with_prefix = tuple(f"{mark}{field}" for mark in _AFTER_PREFIX)
    return [name for name in request.form if name == field or name.endswith(with_prefix)]


def _headers() -> Sequence[str]:
    names: Sequence[str] = current_app.config.get("WTF_CSRF_HEADERS", HEADERS)
    return names
