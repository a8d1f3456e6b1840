"""The control pages: what tests and demos do with the platform itself, apart from LINE's paths."""

from __future__ import annotations

import math
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from . import chats
from .api_errors import ApiError
from .fault_checks import checked_fault
from .own_requests import body_of_ours
from .own_requests import known_user
from .platform import platform
from .setup import SetupError
from .setup import apply_setup
from .setup import new_user
from .user_actions import BY_CONTROL
from .user_actions import perform

#: Within these years no sum of times leaves what a ``datetime`` can hold.
YEARS = range(1971, 3000)


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
        app.add_url_rule(f"/_emulator{rule}", f"control.{view.__name__}", view, methods=[method])


def health() -> Response:
    """Say that the emulator runs."""
    return jsonify(ok=True)


def reset() -> Response:
    """Go back to the world that the emulator started with."""
    body_of_ours()
    platform().reset()
    return jsonify(ok=True)


def state() -> Response:
    """Return channels, LIFF apps and users."""
    with platform().lock:
        world = platform().world
        return jsonify(
            login_channel=world.login_channel.model_dump(),
            messaging_channel=world.messaging_channel.model_dump(),
            liff_apps=[app.model_dump() for app in world.liff_apps.values()],
            users=_users_json(),
        )


def set_up() -> Response:
    """Change the setup without losing what happened."""
    body = body_of_ours()
    try:
        apply_setup(platform(), body)
    except SetupError as error:
        raise ApiError(400, str(error)) from None
    return jsonify(ok=True)


def list_users() -> Response:
    """Return all users."""
    with platform().lock:
        return jsonify(users=_users_json())


def add_user() -> Response:
    """Add a user; all but the display name may be left out."""
    body = body_of_ours()
    try:
        with platform().change() as world:
            user = new_user(world, body)
            world.users[user.user_id] = user
    except SetupError as error:
        raise ApiError(400, str(error)) from None
    return jsonify(user.model_dump(mode="json"))


def chat(user_id: str) -> Response:
    """Return a user's chat, oldest message first."""
    return jsonify(messages=chats.chat_json(known_user(user_id).user_id))


def act(user_id: str, action: str) -> Response:
    """Let a user do something; the answer tells what came of it, if anything."""
    return jsonify(perform(user_id, action, BY_CONTROL) or {"ok": True})


def calls() -> Response:
    """Return the API calls after the first ``since`` ones, as far as they are still known."""
    since = request.args.get("since", "0")
    if not since.isdecimal():
        raise ApiError(400, "'since' must be a number of calls")
    with platform().lock:
        known = list(platform().calls)
    return jsonify(calls=[call for call in known if call["number"] > int(since[:18])])


def webhooks() -> Response:
    """Return the webhooks that were sent, with their outcome."""
    with platform().lock:
        return jsonify(webhooks=list(platform().webhooks))


def set_clock() -> Response:
    """Move, stop or release the platform's clock."""
    clock, body = platform().clock, body_of_ours()
    if set(body) == {"advance_seconds"}:
        clock.advance(_seconds(body["advance_seconds"], clock.now()))
    elif set(body) == {"freeze"}:
        clock.freeze(_time(body["freeze"]))
    elif body == {"unfreeze": True}:
        clock.reset()
    else:
        raise ApiError(400, "The clock takes one of advance_seconds, freeze and unfreeze: true")
    return jsonify(now=clock.now().isoformat())


def add_fault() -> Response:
    """Switch a fault on."""
    fault = checked_fault(body_of_ours())
    with platform().lock:
        platform().faults.append(fault)
    return jsonify(ok=True)


def _users_json() -> list[dict[str, Any]]:
    return [user.model_dump(mode="json") for user in platform().world.users.values()]


def _seconds(value: object, now: datetime) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        seconds = float(value) if is_number else math.nan  # type: ignore[arg-type]
        if seconds >= 0 and (now + timedelta(seconds=seconds)).year in YEARS:
            return seconds
    except OverflowError:
        pass
    raise ApiError(400, "'advance_seconds' must be a number of seconds to move forward")


def _time(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year not in YEARS:
        raise ApiError(400, "'freeze' must be an ISO 8601 time with its zone")
    return at
