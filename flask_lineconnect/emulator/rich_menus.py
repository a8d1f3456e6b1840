"""Rich menus: made, given an image, shown to everybody or to one user.

Source: Messaging API reference, "Rich menu", "Per-user rich menu", "Rich menu alias".
"""

from __future__ import annotations

import base64
import re
import secrets
import struct
from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .api_errors import ApiError
from .channel_tokens import needs_messaging_token
from .messaging import json_body
from .platform import platform
from .world import RichMenu
from .world import World

MAX_IMAGE = 1_000_000
MAX_AREAS = 20
MIN_RATIO = 1.45
_USER_ID = re.compile(r"U[0-9a-f]{32}")


def register(app: Flask) -> None:
    """Add the endpoints."""
    menu = "/v2/bot/richmenu"
    for rule, view, method in (
        (menu, create, "POST"),
        (f"{menu}/validate", validate, "POST"),
        (f"{menu}/list", list_all, "GET"),
        (f"{menu}/<menu_id>", get, "GET"),
        (f"{menu}/<menu_id>", delete, "DELETE"),
        (f"{menu}/<menu_id>/content", upload, "POST"),
        (f"{menu}/<menu_id>/content", download, "GET"),
        ("/v2/bot/user/all/richmenu/<menu_id>", set_default, "POST"),
        ("/v2/bot/user/all/richmenu", get_default, "GET"),
        ("/v2/bot/user/all/richmenu", clear_default, "DELETE"),
        ("/v2/bot/user/<user_id>/richmenu/<menu_id>", link, "POST"),
        ("/v2/bot/user/<user_id>/richmenu", get_linked, "GET"),
        ("/v2/bot/user/<user_id>/richmenu", unlink, "DELETE"),
    ):
        guarded = needs_messaging_token(view)
        app.add_url_rule(rule, f"rich_menus.{view.__name__}", guarded, methods=[method])


def shown_to(world: World, user_id: str) -> RichMenu | None:
    """Return the rich menu that a user sees: their own, or everybody's."""
    user = world.users[user_id]
    menu_id = user.rich_menu_id or world.messaging_channel.default_rich_menu_id
    return world.rich_menus.get(menu_id or "")


def create() -> Response:
    """Make a rich menu, still without an image."""
    definition = json_body()
    _check(definition)
    menu_id = f"richmenu-{secrets.token_hex(16)}"
    with platform().change() as world:
        world.rich_menus[menu_id] = RichMenu(rich_menu_id=menu_id, definition=definition)
    return jsonify(richMenuId=menu_id)


def validate() -> Response:
    """Check a rich menu without making it."""
    _check(json_body())
    return jsonify({})


def list_all() -> Response:
    """Return all rich menus."""
    menus = platform().world.rich_menus.values()
    return jsonify(richmenus=[_json(menu) for menu in menus])


def get(menu_id: str) -> Response:
    """Return one rich menu."""
    return jsonify(_json(_menu(menu_id)))


def delete(menu_id: str) -> Response:
    """Delete a rich menu, wherever it is shown."""
    _menu(menu_id)
    with platform().change() as world:
        del world.rich_menus[menu_id]
        if world.messaging_channel.default_rich_menu_id == menu_id:
            world.messaging_channel.default_rich_menu_id = None
        for user in world.users.values():
            if user.rich_menu_id == menu_id:
                user.rich_menu_id = None
    return jsonify({})


def upload(menu_id: str) -> Response:
    """Give a rich menu its image, once."""
    menu, body = _menu(menu_id), request.get_data()
    if menu.image_base64 is not None:
        raise ApiError(400, "An image has already been uploaded to the richmenu")
    content_type = request.mimetype
    if content_type not in {"image/png", "image/jpeg"}:
        raise ApiError(415, f"The content type, {content_type}, is not supported")
    if len(body) > MAX_IMAGE:
        raise ApiError(413, "Request Entity Too Large")
    size = menu.definition["size"]
    if image_size(body) != (size["width"], size["height"]):
        raise ApiError(400, "The image size is not allowed for richmenu")
    with platform().change() as world:
        kept = world.rich_menus[menu_id]
        kept.image_base64 = base64.b64encode(body).decode()
        kept.image_type = content_type
    return jsonify({})


def download(menu_id: str) -> Response:
    """Return a rich menu's image."""
    return image_response(_menu(menu_id))


def image_response(menu: RichMenu) -> Response:
    """Return the image itself.

    :raises ApiError: there is none.
    """
    if menu.image_base64 is None:
        raise ApiError(404, "Not found")
    return Response(base64.b64decode(menu.image_base64), mimetype=menu.image_type)


def set_default(menu_id: str) -> Response:
    """Show a rich menu to everybody who has none of their own."""
    _menu_with_image(menu_id)
    with platform().change() as world:
        world.messaging_channel.default_rich_menu_id = menu_id
    return jsonify({})


def get_default() -> Response:
    """Return the id of everybody's rich menu."""
    menu_id = platform().world.messaging_channel.default_rich_menu_id
    if menu_id is None:
        raise ApiError(404, "no default richmenu")
    return jsonify(richMenuId=menu_id)


def clear_default() -> Response:
    """Show no rich menu to those who have none of their own."""
    with platform().change() as world:
        world.messaging_channel.default_rich_menu_id = None
    return jsonify({})


def link(user_id: str, menu_id: str) -> Response:
    """Show a rich menu to one user; without effect for people who are no friends."""
    _check_user_id(user_id)
    _menu_with_image(menu_id)
    with platform().change() as world:
        user = world.users.get(user_id)
        if user is not None and user.relation == "friend":
            user.rich_menu_id = menu_id
    return jsonify({})


def get_linked(user_id: str) -> Response:
    """Return the id of a user's own rich menu."""
    _check_user_id(user_id)
    user = platform().user(user_id)
    if user is None or user.rich_menu_id is None:
        raise ApiError(404, "the user has no richmenu")
    return jsonify(richMenuId=user.rich_menu_id)


def unlink(user_id: str) -> Response:
    """Take a user's own rich menu away."""
    _check_user_id(user_id)
    with platform().change() as world:
        if user_id in world.users:
            world.users[user_id].rich_menu_id = None
    return jsonify({})


def image_size(image: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG or JPEG, or ``None`` for anything else."""
    if image.startswith(b"\x89PNG\r\n\x1a\n") and len(image) >= 24:
        width, height = struct.unpack(">II", image[16:24])
        return width, height
    return _jpeg_size(image) if image.startswith(b"\xff\xd8") else None


def _jpeg_size(image: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(image) and image[place] == 0xFF:
        marker, length = image[place + 1], int.from_bytes(image[place + 2 : place + 4], "big")
        # The start-of-frame markers hold the size; C4, C8 and CC look like them and are not.
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", image[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return None


def _check(definition: dict[str, Any]) -> None:
    details = []
    size = definition.get("size")
    width, height = (size or {}).get("width"), (size or {}).get("height")
    if (
        not isinstance(width, int)
        or not isinstance(height, int)
        or not 800 <= width <= 2_500
        or height < 250
        or width / height < MIN_RATIO
    ):
        details.append({"message": "invalid size", "property": "size"})
    if not 1 <= len(str(definition.get("chatBarText", ""))) <= 14:
        text = "Length must be between 1 and 14"
        details.append({"message": text, "property": "chatBarText"})
    areas = definition.get("areas")
    if not isinstance(areas, list) or len(areas) > MAX_AREAS:
        text = f"Size must be between 0 and {MAX_AREAS}"
        details.append({"message": text, "property": "areas"})
    if details:
        text = f"The request body has {len(details)} error(s)"
        raise ApiError(400, text, details=details)


def _menu(menu_id: str) -> RichMenu:
    menu = platform().world.rich_menus.get(menu_id)
    if menu is None:
        raise ApiError(404, "Not found")
    return menu


def _menu_with_image(menu_id: str) -> None:
    if _menu(menu_id).image_base64 is None:
        raise ApiError(400, "must upload richmenu image before applying it to user")


def _check_user_id(user_id: str) -> None:
    if not _USER_ID.fullmatch(user_id):
        raise ApiError(400, "The value for the 'userId' parameter is invalid")


def _json(menu: RichMenu) -> dict[str, Any]:
    return {"richMenuId": menu.rich_menu_id, **menu.definition}
