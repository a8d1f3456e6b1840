"""Batches: many links to rich menus changed with one request.

Source: Messaging API reference, "Replace or unlink the linked rich menus in batches".
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import broken_rule
from ..platform import platform
from ..request_ids import request_id
from ..requests_in import json_body
from ..times import iso_time
from ..tokens.guard import messaging_api
from ..world import RichMenuBatch
from ..world import World

MAX_OPERATIONS = 1_000
PROGRESS_LIFE = timedelta(days=14)
#: LINE takes a while; so long the phase is ``ongoing``.
TAKES = timedelta(seconds=1)
_RESUME_KEY = re.compile(r"[0-9a-zA-Z_-]{1,100}")
_NEEDS = {"link": ("from", "to"), "unlink": ("from",), "unlinkAll": ()}

batches = messaging_api("batches", "/v2/bot/richmenu")


@batches.post("/batch")
def start() -> tuple[Response, int]:
    """Change the links of all users who have certain rich menus."""
    body = json_body()
    with platform().change() as world:
        operations = _checked(world, body)
        # All look at the links as they were: no operation sees what another one did.
        moves = {one["from"]: one.get("to") for one in operations if "from" in one}
        for user in world.users.values():
            if operations[0]["type"] == "unlinkAll":
                user.rich_menu_id = None
            elif user.rich_menu_id in moves:
                user.rich_menu_id = moves[user.rich_menu_id]
        accepted = RichMenuBatch(request_id=request_id(), accepted_at=platform().clock.now())
        accepted.resume_key = body.get("resumeRequestKey")
        world.rich_menu_batches[accepted.request_id] = accepted
    return jsonify({}), 202


@batches.post("/validate/batch")
def validate() -> Response:
    """Check a batch without doing it."""
    with platform().lock:
        _checked(platform().world, json_body())
    return jsonify({})


@batches.get("/progress/batch")
def progress() -> Response:
    """Tell how far a batch is."""
    line = platform()
    found = line.world.rich_menu_batches.get(request.args.get("requestId", ""))
    now = line.clock.now()
    if found is None or found.accepted_at + PROGRESS_LIFE <= now:
        raise ApiError(404, "Not found")
    accepted, completed = found.accepted_at, found.accepted_at + TAKES
    if now < completed:
        return jsonify(phase="ongoing", acceptedTime=iso_time(accepted))
    return jsonify(
        phase="succeeded", acceptedTime=iso_time(accepted), completedTime=iso_time(completed)
    )


def _checked(world: World, body: dict[str, Any]) -> list[dict[str, Any]]:
    operations = body.get("operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        raise broken_rule(f"Size must be between 1 and {MAX_OPERATIONS}", "operations")
    for index, one in enumerate(operations):
        _check_operation(world, one, f"operations[{index}]")
    types = {one["type"] for one in operations}
    if "unlinkAll" in types and len(operations) > 1:
        raise broken_rule("'unlinkAll' type can't be combined with other type", "operations")
    sources = [one["from"] for one in operations if "from" in one]
    for source in sources:
        if sources.count(source) > 1:
            raise broken_rule(f"from richmenu ({source}) is duplicated", "operations")
    key = body.get("resumeRequestKey")
    if key is not None and not (isinstance(key, str) and _RESUME_KEY.fullmatch(key)):
        raise broken_rule("invalid resumeRequestKey", "resumeRequestKey")
    return operations


def _check_operation(world: World, operation: object, where: str) -> None:
    kind = operation.get("type") if isinstance(operation, dict) else None
    if not isinstance(operation, dict) or not isinstance(kind, str) or kind not in _NEEDS:
        words = ", ".join(_NEEDS)
        raise broken_rule(f"Must be one of the following values: [{words}]", f"{where}.type")
    for side in _NEEDS[kind]:
        menu_id = operation.get(side)
        menu = world.rich_menus.get(menu_id) if isinstance(menu_id, str) else None
        if menu is None:
            raise broken_rule(f"Richmenu ({menu_id}) is not found", f"{where}.{side}", status=404)
        if side == "to" and menu.image_base64 is None:
            text = f"'to' richmenu ({menu_id}) must have image but it doesn't"
            raise broken_rule(text, f"{where}.to")
