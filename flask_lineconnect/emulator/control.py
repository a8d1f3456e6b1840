"""The control pages: what tests and demos do with the platform itself, apart from LINE's paths."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from . import chats
from . import friendship
from .api_errors import ApiError
from .login_tokens import forget_consent
from .phone import require_own_origin
from .platform import Platform
from .platform import platform
from .rich_menus import shown_to
from .world import LiffApp
from .world import LoginChannel
from .world import MessagingChannel
from .world import User


def register(app: Flask) -> None:
    """Add the routes, all under ``/_emulator``."""
    for rule, view, method in (
        ("/health", health, "GET"),
        ("/reset", reset, "POST"),
        ("/state", state, "GET"),
        ("/setup", set_up, "PUT"),
        ("/users", list_users, "GET"),
        ("/users", add_user, "POST"),
        ("/users/<user_id>/chat", chat, "GET"),
        ("/users/<user_id>/<action>", act, "POST"),
        ("/calls", calls, "GET"),
        ("/webhooks", webhooks, "GET"),
        ("/clock", set_clock, "POST"),
        ("/faults", add_fault, "POST"),
    ):
        endpoint = f"control.{view.__name__}"
        app.add_url_rule(f"/_emulator{rule}", endpoint, view, methods=[method])


def health() -> Response:
    """Say that the emulator runs."""
    return jsonify(ok=True)


def reset() -> Response:
    """Forget everything that happened."""
    _body()
    platform().reset()
    return jsonify(ok=True)


def state() -> Response:
    """Return the platform's setup and users."""
    world = platform().world
    return jsonify(
        login_channel=world.login_channel.model_dump(),
        messaging_channel=world.messaging_channel.model_dump(),
        liff_apps=[app.model_dump() for app in world.liff_apps.values()],
        users=[user.model_dump(mode="json") for user in world.users.values()],
    )


def set_up() -> Response:
    """Change the setup without losing what happened."""
    apply_setup(platform(), _body())
    return jsonify(ok=True)


def apply_setup(line: Platform, setup: dict[str, Any]) -> None:
    """Merge a setup into the world.

    :param setup: ``base_url`` points everything to one shop; ``login_channel``,
        ``messaging_channel`` and ``liff_apps`` change fields; ``users`` adds users.
    :raises ApiError: a part has the wrong form; nothing was changed.
    """
    world = line.world
    try:
        login = world.login_channel.model_dump() | setup.get("login_channel", {})
        messaging = world.messaging_channel.model_dump() | setup.get("messaging_channel", {})
        checked_login = LoginChannel.model_validate(login)
        checked_messaging = MessagingChannel.model_validate(messaging)
        apps = [LiffApp.model_validate(app) for app in setup.get("liff_apps", [])]
        users = [User.model_validate(user) for user in setup.get("users", [])]
    except (ValidationError, TypeError) as error:
        raise ApiError(400, f"The setup has the wrong form: {error}") from None
    with line.change() as changed:
        changed.login_channel, changed.messaging_channel = checked_login, checked_messaging
        changed.liff_apps |= {app.liff_id: app for app in apps}
        changed.users |= {user.user_id: user for user in users}
    if "base_url" in setup:
        line.set_base_url(str(setup["base_url"]).rstrip("/"))


def list_users() -> Response:
    """Return all users."""
    users = platform().world.users.values()
    return jsonify(users=[user.model_dump(mode="json") for user in users])


def add_user() -> Response:
    """Add a user."""
    body = _body()
    number = len(platform().world.users) % 8 + 1
    try:
        user = User.model_validate({"picture_url": f"/static/avatars/user-{number}.svg", **body})
    except ValidationError:
        raise ApiError(400, "A user needs a display_name") from None
    with platform().change() as world:
        world.users[user.user_id] = user
    return jsonify(user.model_dump(mode="json"))


def chat(user_id: str) -> Response:
    """Return a user's chat."""
    _require_user(user_id)
    return jsonify(messages=chats.chat_json(user_id))


def act(user_id: str, action: str) -> Response:
    """Let a user do something."""
    _require_user(user_id)
    line, body = platform(), _body()
    if action in {"friend", "unblock"}:
        friendship.add_friend(line, user_id)
    elif action == "block":
        friendship.block(line, user_id)
    elif action == "text" and body.get("text"):
        chats.write_text(line, user_id, str(body["text"]))
    elif action == "postback" and body.get("data"):
        chats.postback(line, user_id, str(body["data"]), body.get("display_text"))
    elif action == "tap":
        return jsonify(_tap(line, user_id, body.get("area", 0)))
    elif action == "revoke":
        forget_consent(user_id)
    else:
        raise ApiError(400, f"A user can't do {action!r} with this body")
    return jsonify(ok=True)


def calls() -> Response:
    """Return the API calls after the first ``since`` ones."""
    return jsonify(calls=list(platform().calls)[request.args.get("since", 0, int) :])


def webhooks() -> Response:
    """Return the webhooks that were sent, with their outcome."""
    return jsonify(webhooks=list(platform().webhooks))


def set_clock() -> Response:
    """Move, stop or release the clock."""
    clock, body = platform().clock, _body()
    try:
        if "advance_seconds" in body:
            clock.advance(float(body["advance_seconds"]))
        if "freeze" in body:
            clock.freeze(datetime.fromisoformat(str(body["freeze"])))
        if body.get("unfreeze"):
            clock.reset()
    except (ValueError, TypeError, OverflowError):
        raise ApiError(400, "The clock takes advance_seconds, freeze or unfreeze") from None
    return jsonify(now=clock.now().isoformat())


def add_fault() -> Response:
    """Switch a fault on."""
    fault = _body()
    if not {"path", "auto_login", "id_token"} & set(fault):
        raise ApiError(400, "A fault needs a path, auto_login or id_token")
    platform().faults.append(fault)
    return jsonify(ok=True)


def _tap(line: Platform, user_id: str, area: object) -> dict[str, Any]:
    menu = shown_to(line.world, user_id)
    areas = menu.definition.get("areas", []) if menu else []
    if not isinstance(area, int) or not 0 <= area < len(areas):
        raise ApiError(400, "The rich menu has no such area")
    action = areas[area]["action"]
    if action["type"] == "message":
        chats.write_text(line, user_id, action["text"])
    elif action["type"] == "postback":
        chats.postback(line, user_id, action["data"], action.get("displayText"))
    return {"action": action, "uri": action.get("uri")}


def _require_user(user_id: str) -> None:
    if platform().user(user_id) is None:
        raise ApiError(404, "There is no such LINE user")


def _body() -> dict[str, Any]:
    """Return the JSON object of a change; only our own pages and programs may send one."""
    require_own_origin()
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "A JSON object is needed")
    return body
