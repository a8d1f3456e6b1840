"""Rich menu aliases: lasting names, between which a tap switches.

Source: Messaging API reference, "Rich menu alias".
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from ..action_checks import ALIAS_ID
from ..api_errors import ApiError
from ..api_errors import broken_rule
from ..platform import platform
from ..requests_in import json_body
from ..tokens.guard import messaging_api
from ..world import World

aliases = messaging_api("aliases", "/v2/bot/richmenu/alias")


@aliases.post("")
def create() -> Response:
    """Give a rich menu a name."""
    body = json_body()
    alias_id = body.get("richMenuAliasId")
    if not isinstance(alias_id, str) or not ALIAS_ID.fullmatch(alias_id):
        raise broken_rule("invalid richMenuAliasId", "richMenuAliasId")
    with platform().change() as world:
        if alias_id in world.rich_menu_aliases:
            raise ApiError(400, "conflict richmenu alias id", details=[])
        world.rich_menu_aliases[alias_id] = _menu_id(world, body)
    return jsonify({})


@aliases.post("/<alias_id>")
def update(alias_id: str) -> Response:
    """Let a name mean another rich menu."""
    body = json_body()
    with platform().change() as world:
        _check_known(world, alias_id)
        world.rich_menu_aliases[alias_id] = _menu_id(world, body)
    return jsonify({})


@aliases.get("/<alias_id>")
def get(alias_id: str) -> Response:
    """Return what a name means."""
    with platform().lock:
        world = platform().world
        _check_known(world, alias_id)
        return jsonify(_json(alias_id, world.rich_menu_aliases[alias_id]))


@aliases.delete("/<alias_id>")
def delete(alias_id: str) -> Response:
    """Forget a name; the rich menu stays."""
    with platform().change() as world:
        _check_known(world, alias_id)
        del world.rich_menu_aliases[alias_id]
    return jsonify({})


@aliases.get("/list")
def list_all() -> Response:
    """Return all names."""
    with platform().lock:
        aliases = platform().world.rich_menu_aliases
        return jsonify(aliases=[_json(*alias) for alias in aliases.items()])


def _check_known(world: World, alias_id: str) -> None:
    if alias_id not in world.rich_menu_aliases:
        raise ApiError(404, "richmenu alias not found", details=[])


def _menu_id(world: World, body: dict[str, Any]) -> str:
    menu = world.rich_menus.get(str(body.get("richMenuId")))
    # LINE says the same of a menu without an image.
    if menu is None or menu.image_base64 is None:
        raise ApiError(400, "richmenu not found", details=[])
    return menu.rich_menu_id


def _json(alias_id: str, menu_id: str) -> dict[str, str]:
    return {"richMenuAliasId": alias_id, "richMenuId": menu_id}
