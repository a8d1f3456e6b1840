"""Rich menu aliases: lasting names, between which a tap switches.

Source: Messaging API reference, "Rich menu alias".
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask import jsonify
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..messaging.action_checks import ALIAS_ID
from ..platform import platform
from ..requests_in import json_body
from ..tokens.channel_tokens import needs_messaging_token
from ..world import World


def register(app: Flask) -> None:
    """Add the endpoints."""
    alias = "/v2/bot/richmenu/alias"
    for rule, view, method in (
        (alias, create, "POST"),
        (f"{alias}/list", list_all, "GET"),
        (f"{alias}/<alias_id>", update, "POST"),
        (f"{alias}/<alias_id>", get, "GET"),
        (f"{alias}/<alias_id>", delete, "DELETE"),
    ):
        guarded = needs_messaging_token(view)
        app.add_url_rule(rule, f"rich_menu_aliases.{view.__name__}", guarded, methods=[method])


def create() -> Response:
    """Give a rich menu a name."""
    body = json_body()
    alias_id = body.get("richMenuAliasId")
    if not isinstance(alias_id, str) or not ALIAS_ID.fullmatch(alias_id):
        detail = {"message": "invalid richMenuAliasId", "property": "richMenuAliasId"}
        raise ApiError(400, "The request body has 1 error(s)", details=[detail])
    with platform().change() as world:
        if alias_id in world.rich_menu_aliases:
            raise ApiError(400, "conflict richmenu alias id", details=[])
        world.rich_menu_aliases[alias_id] = _menu_id(world, body)
    return jsonify({})


def update(alias_id: str) -> Response:
    """Let a name mean another rich menu."""
    body = json_body()
    with platform().change() as world:
        _check_known(world, alias_id)
        world.rich_menu_aliases[alias_id] = _menu_id(world, body)
    return jsonify({})


def get(alias_id: str) -> Response:
    """Return what a name means."""
    with platform().lock:
        world = platform().world
        _check_known(world, alias_id)
        return jsonify(_json(alias_id, world.rich_menu_aliases[alias_id]))


def delete(alias_id: str) -> Response:
    """Forget a name; the rich menu stays."""
    with platform().change() as world:
        _check_known(world, alias_id)
        del world.rich_menu_aliases[alias_id]
    return jsonify({})


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
