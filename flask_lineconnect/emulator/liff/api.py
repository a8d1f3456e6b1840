"""LIFF's server API: the apps of the login channel.

Source: LIFF server API reference.
"""

from __future__ import annotations

import secrets
import string
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask import jsonify
from werkzeug.wrappers import Response

from ..addresses import is_loopback
from ..api_errors import ApiError
from ..platform import platform
from ..requests_in import json_body
from ..tokens.guard import require_login_channel
from ..world import LiffApp

#: Apps that a channel may have.
MAX_APPS = 30
VIEW_TYPES = {"compact", "tall", "full"}
SCOPES = ["openid", "email", "profile", "chat_message.write"]
BOT_PROMPTS = {"none", "normal", "aggressive"}
#: An app's scope when it says nothing; ID tokens need more.
DEFAULT_SCOPE = ["profile", "chat_message.write"]
_TOKENS = {"short-lived", "stateless"}
_LETTERS = string.ascii_letters + string.digits

liff_apps = Blueprint("liff_apps", __name__, url_prefix="/liff/v1/apps")


def known_app(liff_id: str) -> LiffApp:
    """Return an app.

    :raises ApiError: there is none with this id.
    """
    app = platform().world.liff_apps.get(liff_id)
    if app is None:
        raise ApiError(404, "not found")
    return app


@liff_apps.get("")
def list_apps() -> Response:
    """Return all apps of the channel; none at all is an error."""
    require_login_channel(_TOKENS)
    apps = [_json(app) for app in platform().world.liff_apps.values()]
    if not apps:
        raise ApiError(404, "not found")
    return jsonify(apps=apps)


@liff_apps.post("")
def add_app() -> Response:
    """Add an app."""
    require_login_channel(_TOKENS)
    fields = _fields(json_body(), is_new=True)
    with platform().change() as world:
        if len(world.liff_apps) >= MAX_APPS:
            raise ApiError(400, "The maximum number of LIFF apps has been reached")
        number = "".join(secrets.choice(_LETTERS) for _ in range(8))
        liff_id = f"{world.login_channel.id}-{number}"
        new = LiffApp(liff_id=liff_id, description="", scope=DEFAULT_SCOPE, bot_prompt="none")
        world.liff_apps[liff_id] = new.model_copy(update=fields)
    return jsonify(liffId=liff_id)


@liff_apps.put("/<liff_id>")
def update_app(liff_id: str) -> Response:
    """Change the fields that the body names."""
    require_login_channel(_TOKENS)
    with platform().change() as world:
        app = known_app(liff_id)
        world.liff_apps[liff_id] = app.model_copy(update=_fields(json_body(), is_new=False))
    return Response("", status=200)


@liff_apps.delete("/<liff_id>")
def delete_app(liff_id: str) -> Response:
    """Delete an app."""
    require_login_channel(_TOKENS)
    with platform().change() as world:
        known_app(liff_id)
        del world.liff_apps[liff_id]
    return Response("", status=200)


def _fields(body: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Return what a body says of an app, by the names of our fields.

    :raises ApiError: something in it is wrong; LINE documents only the status.
    """
    view, features = _part(body, "view"), _part(body, "features")
    if is_new and not {"type", "url"} <= set(view):
        raise ApiError(400, "view.type and view.url are required")
    _check(body.get("permanentLinkPattern", "concat") == "concat", "permanentLinkPattern")
    found: dict[str, Any] = {}
    for part, name, ours, is_right in (
        (view, "type", "view_type", lambda value: value in VIEW_TYPES),
        (view, "url", "endpoint_url", _is_endpoint),
        (view, "moduleMode", "is_module_mode", lambda value: isinstance(value, bool)),
        (features, "qrCode", "has_qr_code", lambda value: isinstance(value, bool)),
        (body, "description", "description", lambda value: "LINE" not in value),
        (body, "scope", "scope", lambda value: all(one in SCOPES for one in value)),
        (body, "botPrompt", "bot_prompt", lambda value: value in BOT_PROMPTS),
    ):
        if name in part:
            value = part[name]
            wanted = type(getattr(_EXAMPLE, ours))
            _check(isinstance(value, wanted) and is_right(value), name)
            found[ours] = value
    return found


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name, {})
    _check(isinstance(part, dict), name)
    return dict(part)


def _check(is_right: bool, name: str) -> None:
    if not is_right:
        raise ApiError(400, f"{name} is invalid")


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    except ValueError:
        return False
    return is_address and is_safe and "#" not in url and url.isprintable() and " " not in url


def _json(app: LiffApp) -> dict[str, Any]:
    return {
        "liffId": app.liff_id,
        "view": {
            "type": app.view_type,
            "url": app.endpoint_url,
            "moduleMode": app.is_module_mode,
        },
        "description": app.description,
        "features": {"ble": False, "qrCode": app.has_qr_code},
        "permanentLinkPattern": "concat",
        "scope": app.scope,
        "botPrompt": app.bot_prompt,
    }


#: Tells the types that the fields must have.
_EXAMPLE = LiffApp()
