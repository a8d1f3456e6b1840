"""The control pages: what tests and demos do with the platform itself, apart from LINE's paths."""

from __future__ import annotations

import math
import secrets
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import Blueprint
from flask import jsonify
from flask import request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..checks import is_number
from ..clock import Clock
from ..faults import Fault
from ..login.signing_keys import rotate
from ..messaging import chats
from ..messaging.narrowcasts import deliver_due
from ..own_requests import body_of_ours
from ..own_requests import known_user
from ..own_requests import optional_text_in
from ..own_requests import require_own_origin
from ..phone.user_actions import BY_CONTROL
from ..phone.user_actions import perform
from ..platform import platform
from ..tokens.channel_tokens import issue_long_lived
from ..webhooks.events import emit
from .setup import SetupError
from .setup import apply_setup
from .setup import new_user

#: Within these years no sum of times leaves what a ``datetime`` can hold.
YEARS = range(1971, 3000)

control = Blueprint("control", __name__, url_prefix="/_emulator")


@control.get("/health")
def health() -> Response:
    """Say that the emulator runs."""
    return jsonify(ok=True)


@control.post("/reset")
def reset() -> Response:
    """Go back to the world that the emulator started with."""
    body_of_ours()
    platform().reset()
    return jsonify(ok=True)


@control.get("/state")
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


@control.put("/setup")
def set_up() -> Response:
    """Change the setup without losing what happened."""
    body = body_of_ours()
    try:
        apply_setup(platform(), body)
    except SetupError as error:
        raise ApiError(400, str(error)) from None
    return jsonify(ok=True)


@control.get("/users")
def list_users() -> Response:
    """Return all users."""
    with platform().lock:
        return jsonify(users=_users_json())


@control.post("/users")
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


@control.get("/users/<user_id>/chat")
def chat(user_id: str) -> Response:
    """Return a user's chat, oldest message first."""
    return jsonify(messages=chats.chat_json(known_user(user_id).user_id))


@control.post("/users/<user_id>/<action>")
def act(user_id: str, action: str) -> Response:
    """Let a user do something; the answer tells what came of it, if anything."""
    return jsonify(perform(user_id, action, BY_CONTROL) or {"ok": True})


@control.get("/calls")
def calls() -> Response:
    """Return the API calls after the first ``since`` ones, as far as they are still known."""
    since = request.args.get("since", "0")
    if not since.isdecimal():
        raise ApiError(400, "'since' must be a number of calls")
    with platform().lock:
        known = list(platform().calls)
    return jsonify(calls=[call for call in known if call["number"] > int(since[:18])])


@control.get("/webhooks")
def webhooks() -> Response:
    """Return the webhooks that were sent, with their outcome."""
    with platform().lock:
        return jsonify(webhooks=list(platform().webhooks), statistics=platform().webhook_counts)


@control.post("/events")
def send_events() -> Response:
    """Send one webhook with any events, also such as LINE sends to partners or will invent.

    The body has ``events``, each with a ``type`` and a ``user_id`` or ``source``; all other common
    fields are filled in. ``destination`` and ``signature`` stand in for the right ones.
    """
    body = body_of_ours()
    events = body.get("events")
    is_list = isinstance(events, list) and all(isinstance(event, dict) for event in events)
    if not is_list or not all(isinstance(event.get("type"), str) for event in events or ()):
        raise ApiError(400, "'events' must be a list of objects with a type")
    signature = optional_text_in(body, "signature", 1_000)
    destination = optional_text_in(body, "destination", 1_000)
    if not (signature or "").isprintable():
        raise ApiError(400, "'signature' must be printable")
    emit(platform(), *events or (), destination=destination, signature=signature)
    return jsonify(ok=True)


@control.get("/clock")
def tell_clock() -> Response:
    """Return the platform's time, and whether its clock stands."""
    return _clock_json(platform().clock)


@control.post("/clock")
def set_clock() -> Response:
    """Move, stop or release the platform's clock; ``to`` moves it forward to a time."""
    clock, body = platform().clock, body_of_ours()
    if set(body) == {"advance_seconds"}:
        clock.advance(_seconds(body["advance_seconds"], clock.now()))
    elif set(body) == {"to"}:
        _go_to(clock, _time("to", body["to"]))
    elif set(body) == {"freeze"}:
        clock.freeze(_time("freeze", body["freeze"]))
    elif body == {"unfreeze": True}:
        clock.reset()
    else:
        raise ApiError(400, "The clock takes one of advance_seconds, to, freeze and unfreeze: true")
    deliver_due(platform())
    # The phones show today's date.
    platform().notify()
    return _clock_json(clock)


@control.post("/long-lived-token")
def make_long_lived_token() -> Response:
    """Issue the long-lived channel access token that LINE's console shows."""
    body_of_ours()
    return jsonify(access_token=issue_long_lived().access_token)


@control.post("/keys/rotate")
def rotate_keys() -> Response:
    """Sign ID tokens with a new key; the old one is told for ``keep_seconds`` more."""
    keep = body_of_ours().get("keep_seconds", 0)
    return jsonify(kid=rotate(platform(), _seconds(keep, platform().clock.now())))


@control.post("/faults")
def add_fault() -> Response:
    """Switch a fault on."""
    try:
        fault = platform().faults.add(**body_of_ours() | {"id": secrets.token_hex(4)})
    except (ValidationError, TypeError) as error:
        raise ApiError(400, f"This is no fault: {error}") from None
    return jsonify(_fault_json(fault))


@control.get("/faults")
def list_faults() -> Response:
    """Return the faults that are on."""
    return jsonify(faults=[_fault_json(fault) for fault in platform().faults.all()])


@control.delete("/faults")
def clear_faults() -> Response:
    """Switch all faults off."""
    require_own_origin()
    platform().faults.clear()
    return jsonify(ok=True)


@control.delete("/faults/<fault_id>")
def remove_fault(fault_id: str) -> Response:
    """Switch one fault off."""
    require_own_origin()
    if not platform().faults.remove(fault_id):
        raise ApiError(404, "There is no such fault")
    return jsonify(ok=True)


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {**fault.model_dump(exclude_none=True), "left": fault.left()}


def _users_json() -> list[dict[str, Any]]:
    return [user.model_dump(mode="json") for user in platform().world.users.values()]


def _clock_json(clock: Clock) -> Response:
    return jsonify(now=clock.now().isoformat(), is_stopped=clock.stopped_at is not None)


def _go_to(clock: Clock, at: datetime) -> None:
    if at < clock.now():
        raise ApiError(400, f"The clock is at {clock.now().isoformat()}, and goes forward only")
    clock.go_to(at)


def _seconds(value: object, now: datetime) -> float:
    try:
        seconds = float(value) if is_number(value) else math.nan
        if seconds >= 0 and (now + timedelta(seconds=seconds)).year in YEARS:
            return seconds
    except OverflowError:
        pass
    raise ApiError(400, "'advance_seconds' must be a number of seconds to move forward")


def _time(name: str, value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year not in YEARS:
        raise ApiError(400, f"{name!r} must be an ISO 8601 time with its zone")
    return at
