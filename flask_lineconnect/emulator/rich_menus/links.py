"""Which rich menu is shown to whom: everybody's, one user's, many users'.

Source: Messaging API reference, "Default rich menu", "Per-user rich menu".
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import bad_property
from ..api_errors import broken_rule
from ..platform import platform
from ..requests_in import check_user_id
from ..requests_in import is_user_id
from ..requests_in import json_body
from ..tokens.guard import messaging_api
from ..world import World

MAX_USERS = 500
NO_IMAGE = "must upload richmenu image before applying it to user"

links = messaging_api("links", "/v2/bot")


@links.post("/user/all/richmenu/<menu_id>")
def set_default(menu_id: str) -> Response:
    """Show a rich menu to everybody who has none of their own."""
    with platform().change() as world:
        _check_usable(world, menu_id)
        world.messaging_channel.default_rich_menu_id = menu_id
    return jsonify({})


@links.get("/user/all/richmenu")
def get_default() -> Response:
    """Return the id of everybody's rich menu."""
    menu_id = platform().world.messaging_channel.default_rich_menu_id
    if menu_id is None:
        raise ApiError(404, "no default richmenu", details=[])
    return jsonify(richMenuId=menu_id)


@links.delete("/user/all/richmenu")
def clear_default() -> Response:
    """Show no rich menu to those who have none of their own."""
    with platform().change() as world:
        world.messaging_channel.default_rich_menu_id = None
    return jsonify({})


@links.post("/user/<user_id>/richmenu/<menu_id>")
def link(user_id: str, menu_id: str) -> Response:
    """Show a rich menu to one user; without effect for people who are no friends."""
    check_user_id(user_id)
    with platform().change() as world:
        _check_usable(world, menu_id)
        _link(world, user_id, menu_id)
    return jsonify({})


@links.get("/user/<user_id>/richmenu")
def get_linked(user_id: str) -> Response:
    """Return the id of a user's own rich menu."""
    check_user_id(user_id)
    user = platform().user(user_id)
    if user is None or user.rich_menu_id is None:
        raise ApiError(404, "the user has no richmenu", details=[])
    return jsonify(richMenuId=user.rich_menu_id)


@links.delete("/user/<user_id>/richmenu")
def unlink(user_id: str) -> Response:
    """Take a user's own rich menu away."""
    check_user_id(user_id)
    with platform().change() as world:
        _unlink(world, user_id)
    return jsonify({})


@links.post("/richmenu/bulk/link")
def link_many() -> tuple[Response, int]:
    """Show a rich menu to many users; LINE takes seconds for what is done here at once."""
    body = json_body()
    user_ids, menu_id = _user_ids(body), body.get("richMenuId")
    if not isinstance(menu_id, str) or not menu_id.startswith("richmenu-"):
        raise broken_rule("invalid richMenuId", "richMenuId")
    with platform().change() as world:
        if menu_id not in world.rich_menus:
            raise ApiError(404, "richmenu not found", details=[])
        _check_usable(world, menu_id)
        for user_id in user_ids:
            _link(world, user_id, menu_id)
    return jsonify({}), 202


@links.post("/richmenu/bulk/unlink")
def unlink_many() -> tuple[Response, int]:
    """Take their own rich menu away from many users."""
    user_ids = _user_ids(json_body())
    with platform().change() as world:
        for user_id in user_ids:
            _unlink(world, user_id)
    return jsonify({}), 202


def _user_ids(body: dict[str, Any]) -> list[str]:
    user_ids = body.get("userIds")
    if not isinstance(user_ids, list) or not 1 <= len(user_ids) <= MAX_USERS:
        raise broken_rule(f"Size must be between 1 and {MAX_USERS}", "userIds")
    for index, user_id in enumerate(user_ids):
        if not is_user_id(user_id):
            raise bad_property(f"'userIds[{index}]'")
    return user_ids


def _link(world: World, user_id: str, menu_id: str) -> None:
    user = world.users.get(user_id)
    if user is not None and user.relation == "friend":
        user.rich_menu_id, user.switched_menu_id = menu_id, None


def _unlink(world: World, user_id: str) -> None:
    user = world.users.get(user_id)
    if user is not None:
        user.rich_menu_id = user.switched_menu_id = None


def _check_usable(world: World, menu_id: str) -> None:
    menu = world.rich_menus.get(menu_id)
    if menu is None:
        raise ApiError(404, "Not found")
    if menu.image_base64 is None:
        raise ApiError(400, NO_IMAGE, details=[])
