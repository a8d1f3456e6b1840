"""LIFF: the addresses that open apps, what LINE's app hands to a page, and the server API.

Source: LIFF documentation, "Opening a LIFF app"; LIFF server API reference.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import Flask
from flask import current_app
from flask import jsonify
from flask import redirect
from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from . import chats
from . import id_tokens
from .api_errors import ApiError
from .authorize import APP_USER_COOKIE
from .authorize import is_in_app
from .channel_tokens import bearer
from .channel_tokens import require_channel
from .login_tokens import LIFF_TOKEN_LIFE
from .login_tokens import issue
from .message_checks import check_messages
from .platform import is_loopback
from .platform import platform
from .world import AuthorizationCode
from .world import LiffApp
from .world import User

MAX_APPS = 30
#: Paths that pages of other origins call, with an Authorization header.
CORS_PATHS = (
    "/liff/v2/",
    "/oauth2/v2.1/certs",
    "/oauth2/v2.1/token",
    "/oauth2/v2.1/verify",
    "/v2/profile",
    "/friendship/v1/status",
    "/message/v3/share",
)


def register(app: Flask) -> None:
    """Add the endpoints, and the CORS answers that the SDK's calls need."""
    for rule, view, methods in (
        ("/liff/v1/apps", list_apps, ["GET"]),
        ("/liff/v1/apps", add_app, ["POST"]),
        ("/liff/v1/apps/<liff_id>", update_app, ["PUT"]),
        ("/liff/v1/apps/<liff_id>", delete_app, ["DELETE"]),
        ("/liff/v2/apps/<liff_id>/contextToken", context_token, ["GET"]),
        ("/liff/v2/apps/<liff_id>/featureToken", feature_token, ["GET"]),
        ("/message/v3/share", share, ["POST"]),
        ("/liff/edge/2/sdk.js", sdk, ["GET"]),
        (r"/<regex('\d+-\w+'):liff_id>", open_liff, ["GET"]),
        (r"/<regex('\d+-\w+'):liff_id>/<path:path>", open_liff, ["GET"]),
    ):
        app.add_url_rule(rule, f"liff.{view.__name__}", view, methods=methods)
    app.before_request(_answer_preflight)
    app.after_request(_allow_other_origins)


def open_liff(liff_id: str, path: str = "") -> Response:
    """Open ``liff.line.me/{liffId}/…``: in the LIFF browser inside the app, else as a page."""
    user = platform().user(request.cookies.get(APP_USER_COOKIE, "")) if is_in_app() else None
    query = request.query_string.decode()
    return redirect(primary_url(_app(liff_id), f"/{path}" if path else "", query, user))


def open_liff_url(user: User, url: str) -> Response:
    """Open a LIFF address on a user's phone.

    :raises NotFound: there is no such LIFF app.
    """
    parts = urlsplit(url)
    liff_id, _, path = parts.path.lstrip("/").partition("/")
    extra = f"/{path}" if path else ""
    return redirect(primary_url(_app(liff_id), extra, parts.query, user, parts.fragment))


def primary_url(app: LiffApp, path: str, query: str, user: User | None, fragment: str = "") -> str:
    """Return the primary redirect URL; inside the app its fragment carries the credentials."""
    endpoint = urlsplit(app.endpoint_url)
    state = path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    parameters = [endpoint.query] if endpoint.query else []
    if state:
        parameters.append(f"liff.state={quote(state, safe='')}")
    credentials = _credentials(app, user) if user is not None else ""
    return urlunsplit((*endpoint[:3], "&".join(parameters), credentials))


def list_apps() -> Response:
    """Return all LIFF apps of the login channel."""
    _require_login_channel()
    apps = platform().world.liff_apps.values()
    if not apps:
        raise ApiError(404, "not found")
    return jsonify(apps=[_json(app) for app in apps])


def add_app() -> Response:
    """Add a LIFF app."""
    _require_login_channel()
    world = platform().world
    body = _body()
    if len(world.liff_apps) >= MAX_APPS:
        raise ApiError(400, "The maximum number of LIFF apps has been reached")
    view = body.get("view")
    if not isinstance(view, dict) or view.get("type") not in {"compact", "tall", "full"}:
        raise ApiError(400, "invalid view")
    liff_id = f"{world.login_channel.id}-{secrets.token_hex(4)}"
    made = LiffApp(liff_id=liff_id, scope=["profile", "chat_message.write"], bot_prompt="none")
    _apply(made, body)
    with platform().change() as changed:
        changed.liff_apps[liff_id] = made
    return jsonify(liffId=liff_id)


def update_app(liff_id: str) -> Response:
    """Change some fields of a LIFF app."""
    _require_login_channel()
    app, body = _app_or_404(liff_id), _body()
    with platform().change():
        _apply(app, body)
    return Response("", status=200)


def delete_app(liff_id: str) -> Response:
    """Delete a LIFF app."""
    _require_login_channel()
    _app_or_404(liff_id)
    with platform().change() as world:
        del world.liff_apps[liff_id]
    return Response("", status=200)


def context_token(liff_id: str) -> Response:
    """Return the context of a page outside the app."""
    line, app = platform(), _app_or_404(liff_id)
    access_token = bearer() if "Authorization" in request.headers else None
    issued = line.world.login_tokens.get(access_token or "")
    user = line.user(issued.user_id) if issued else None
    token = id_tokens.context_token(
        line, app, user=user, access_token=access_token if user else None, in_client=False
    )
    return jsonify(contextToken=token)


def feature_token(liff_id: str) -> Response:
    """Return a token that LINE's app would look at."""
    _app_or_404(liff_id)
    return jsonify(featureToken=secrets.token_urlsafe(24))


def share() -> Response:
    """Post messages as the user into the chat with the official account."""
    line = platform()
    issued = line.world.login_tokens.get(bearer())
    if issued is None or issued.is_revoked:
        raise ApiError(401, "The access token is invalid")
    if "chat_message.write" not in issued.scope:
        raise ApiError(403, "user doesn't grant required permissions yet")
    messages = (request.get_json(silent=True) or {}).get("messages")
    details = check_messages(messages)
    if details:
        text = f"The request body has {len(details)} error(s)"
        raise ApiError(400, text, details=details)
    for message in messages or ():
        if message["type"] == "text":
            chats.write_text(line, issued.user_id, message["text"])
    return jsonify({})


def sdk() -> Response:
    """Serve the stand-in for LINE's LIFF SDK."""
    response = current_app.send_static_file("sdk.js")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _credentials(app: LiffApp, user: User) -> str:
    """Return what LINE's app hands to a page in the fragment."""
    line = platform()
    with line.change():
        # Inside the app consent was given when the LIFF app was first opened; imitated as given.
        user.granted = sorted({*user.granted, *app.scope})
    issued = issue(user, app.scope, life=LIFF_TOKEN_LIFE)
    values = {
        "access_token": issued.access_token,
        "context_token": id_tokens.context_token(
            line, app, user=user, access_token=issued.access_token, in_client=True
        ),
        "feature_token": secrets.token_urlsafe(24),
        "client_id": line.world.login_channel.id,
        "mst_challenge": secrets.token_urlsafe(24),
    }
    if "openid" in app.scope:
        code = AuthorizationCode(
            code="",
            client_id=line.world.login_channel.id,
            redirect_uri=app.endpoint_url,
            user_id=user.user_id,
            scope=app.scope,
            issued_at=line.clock.now(),
            amr=["linesso"],
            liff_id=app.liff_id,
            is_email_granted="email" in app.scope,
        )
        values["id_token"] = id_tokens.sign_liff(line, id_tokens.claims_for(line, user, code))
    return urlencode(values)


def _app(liff_id: str) -> LiffApp:
    app = platform().world.liff_apps.get(liff_id)
    if app is None or not app.endpoint_url:
        raise NotFound(f"There is no LIFF app {liff_id}, or it has no endpoint URL.")
    return app


def _app_or_404(liff_id: str) -> LiffApp:
    app = platform().world.liff_apps.get(liff_id)
    if app is None:
        raise ApiError(404, "not found")
    return app


def _apply(app: LiffApp, body: dict[str, Any]) -> None:
    view = body.get("view") or {}
    url = view.get("url")
    if url is not None:
        is_secure = str(url).startswith("https://") or is_loopback(str(url))
        if not isinstance(url, str) or not is_secure or "#" in url:
            raise ApiError(400, "invalid view.url")
        app.endpoint_url = url
    app.view_type = view.get("type", app.view_type)
    app.description = str(body.get("description", app.description))
    app.scope = list(body.get("scope", app.scope))
    app.bot_prompt = body.get("botPrompt", app.bot_prompt)


def _json(app: LiffApp) -> dict[str, Any]:
    return {
        "liffId": app.liff_id,
        "view": {"type": app.view_type, "url": app.endpoint_url, "moduleMode": False},
        "description": app.description,
        "features": {"ble": False, "qrCode": False},
        "permanentLinkPattern": "concat",
        "scope": app.scope,
        "botPrompt": app.bot_prompt,
    }


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "The request body could not be parsed as JSON")
    return body


def _require_login_channel() -> None:
    require_channel(platform().world.login_channel.id)


def _answer_preflight() -> Response | None:
    if request.method == "OPTIONS" and request.path.startswith(CORS_PATHS):
        return Response("", status=204)
    return None


def _allow_other_origins(response: Response) -> Response:
    if request.path.startswith(CORS_PATHS):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    return response
