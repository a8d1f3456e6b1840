"""Jinja templates that render LINE's JSON.

In a template that ends in ``.json`` every value is put in as JSON: text is escaped for the inside
of a JSON string, so that a name with a quotation mark can't break the message or add to it.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from flask import current_app
from jinja2 import Environment

from ..errors import InvalidMessage
from ..hooks.table import HookTable
from ..state import current_line
from .objects import RawMessage


class _Json(str):
    """Text that is JSON already, the result of ``|tojson``."""

    __slots__ = ()


def _to_json(value: object) -> _Json:
    return _Json(json.dumps(value, ensure_ascii=False))


def _inside_json(value: object) -> object:
    """Return a value as it must stand in a JSON template."""
    if isinstance(value, _Json):
        return value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if value is None or isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def json_environment(app: Flask) -> Environment:
    """Return the app's Jinja environment, changed for JSON templates; made once per app."""
    environment = app.jinja_env.overlay(finalize=_inside_json, autoescape=False)
    environment.filters = {**environment.filters, "tojson": _to_json}
    return environment


def render_json(template: str, **context: Any) -> Any:
    """Render a JSON template of the app and parse it.

    The template sees ``url_for``, which always gives absolute addresses under
    ``LINECONNECT_BASE_URL``, ``liff_url(path)`` and ``postback_for(hook, …)``.

    :raises InvalidMessage: what came out is not JSON; names the template and the place.
    """
    line = current_line
    text = line.json_environment.get_template(template).render(
        {
            "shop_name": line.shop.name,
            "url_for": line.url_for,
            "liff_url": line.liff_url,
            "postback_for": line.part(HookTable).postback_data,
        }
        | context
    )
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidMessage(
            f"{template} of {current_app.name} did not render JSON: {error.msg} "
            f"at line {error.lineno}, column {error.colno}"
        ) from None


def render_message(template: str, **context: Any) -> RawMessage | list[RawMessage]:
    """Render a JSON template to one message, or to several if it holds a list.

    :raises InvalidMessage: what came out is no message object.
    """
    rendered = render_json(template, **context)
    parts = rendered if isinstance(rendered, list) else [rendered]
    if not all(isinstance(part, dict) and "type" in part for part in parts):
        raise InvalidMessage(f"{template} must render a LINE message object or a list of them")
    messages = [RawMessage(part) for part in parts]
    return messages if isinstance(rendered, list) else messages[0]
