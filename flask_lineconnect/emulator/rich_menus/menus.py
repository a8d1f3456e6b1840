"""Rich menus: made, given an image, shown to everybody or to one user.

Source: Messaging API reference, "Rich menu", "Per-user rich menu".
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..action_checks import RICH_MENU
from ..action_checks import check_action
from ..api_errors import ApiError
from ..api_errors import refuse_if
from ..checks import Checker
from ..platform import platform
from ..requests_in import json_body
from ..text_counts import graphemes
from ..tokens.guard import messaging_api
from ..world import RichMenu
from ..world import World
from .image_sizes import image_size

#: Bytes; LINE says 1 MB.
MAX_IMAGE = 1_000_000
MAX_AREAS = 20
MIN_RATIO = 1.45

menus = messaging_api("menus", "/v2/bot/richmenu")


def shown_to(world: World, user_id: str) -> RichMenu | None:
    """Return the rich menu that a user sees: the one switched to, their own, or everybody's."""
    user = world.users[user_id]
    if user.switched_menu_id in world.rich_menus:
        return world.rich_menus[user.switched_menu_id]
    menu_id = user.rich_menu_id or world.messaging_channel.default_rich_menu_id
    return world.rich_menus.get(menu_id or "")


@menus.post("")
def create() -> Response:
    """Make a rich menu, still without an image."""
    definition = json_body()
    _check(definition)
    menu_id = f"richmenu-{secrets.token_hex(16)}"
    with platform().change() as world:
        world.rich_menus[menu_id] = RichMenu(rich_menu_id=menu_id, definition=definition)
    return jsonify(richMenuId=menu_id)


@menus.post("/validate")
def validate() -> Response:
    """Check a rich menu without making it."""
    _check(json_body())
    return jsonify({})


@menus.get("/list")
def list_all() -> Response:
    """Return all rich menus."""
    with platform().lock:
        return jsonify(richmenus=[_json(menu) for menu in platform().world.rich_menus.values()])


@menus.get("/<menu_id>")
def get(menu_id: str) -> Response:
    """Return one rich menu."""
    return jsonify(_json(_menu(platform().world, menu_id)))


@menus.delete("/<menu_id>")
def delete(menu_id: str) -> Response:
    """Delete a rich menu, wherever it is shown; aliases that name it stay, and lead nowhere."""
    with platform().change() as world:
        _menu(world, menu_id)
        del world.rich_menus[menu_id]
        if world.messaging_channel.default_rich_menu_id == menu_id:
            world.messaging_channel.default_rich_menu_id = None
        for user in world.users.values():
            if user.rich_menu_id == menu_id:
                user.rich_menu_id = None
    return jsonify({})


@menus.post("/<menu_id>/content")
def upload(menu_id: str) -> Response:
    """Give a rich menu its image, once."""
    body, content_type = request.get_data(), request.mimetype
    with platform().change() as world:
        menu = _menu(world, menu_id)
        if content_type not in {"image/png", "image/jpeg"}:
            raise ApiError(415, f"The content type, {content_type}, is not supported")
        if menu.image_base64 is not None:
            raise ApiError(400, "An image has already been uploaded to the richmenu")
        if len(body) > MAX_IMAGE:
            raise ApiError(413, "Request Entity Too Large")
        size = menu.definition["size"]
        if image_size(body) != (size["width"], size["height"]):
            raise ApiError(400, "The image size is not allowed for richmenu")
        menu.image_base64 = base64.b64encode(body).decode()
        menu.image_type = content_type
    return jsonify({})


@menus.get("/<menu_id>/content")
def download(menu_id: str) -> Response:
    """Return a rich menu's image."""
    return image_response(_menu(platform().world, menu_id))


def image_response(menu: RichMenu) -> Response:
    """Return the image itself.

    :raises ApiError: there is none.
    """
    if menu.image_base64 is None:
        raise ApiError(404, "Not found")
    return Response(base64.b64decode(menu.image_base64), mimetype=menu.image_type)


def _check(definition: dict[str, Any]) -> None:
    checker = Checker()
    size = definition.get("size")
    if not isinstance(size, dict) or not _is_allowed(size.get("width"), size.get("height")):
        checker.add("invalid size", "size")
    if not isinstance(definition.get("selected"), bool):
        checker.add("must be specified", "selected")
    for name, limit in (("name", 300), ("chatBarText", 14)):
        # At the top of the body a field's path is its name.
        inner = Checker()
        inner.text(definition, name, "", limit, count=graphemes)
        for detail in inner.details:
            checker.add(detail["message"], name)
    for area, where in checker.items(definition, "areas", "", 0, MAX_AREAS):
        bounds = checker.inner(area, "bounds", where)
        for side in ("x", "y", "width", "height") if bounds is not None else ():
            checker.number(bounds or {}, side, f"{where}.bounds", 0, 2**31 - 1)
        check_action(checker, area, "action", where, RICH_MENU)
    refuse_if(checker.details)


def _is_allowed(width: object, height: object) -> bool:
    return (
        isinstance(width, int)
        and isinstance(height, int)
        and 800 <= width <= 2_500
        and height >= 250
        and width / height >= MIN_RATIO
    )


def _menu(world: World, menu_id: str) -> RichMenu:
    menu = world.rich_menus.get(menu_id)
    if menu is None:
        raise ApiError(404, "Not found")
    return menu


def _json(menu: RichMenu) -> dict[str, Any]:
    return {"richMenuId": menu.rich_menu_id, **menu.definition}
