"""Requests to our own pages, which are no part of LINE: who may change what, and their bodies."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from .api_errors import ApiError
from .platform import platform
from .requests_in import json_body
from .world import User

_OWN = re.compile(
    r"/$|/(phone|inspector|faults|consoles|_emulator|static)(/|$)|/favicon\.ico$|/oauth2/v2\.1/_|/liff/edge/"
)


def is_own_path(path: str) -> bool:
    """Tell our own pages, forms and files, which are no part of LINE, by their path."""
    return _OWN.match(path) is not None


def require_own_origin() -> None:
    """Refuse a change that another site's page asks for.

    :raises ApiError: it does.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        raise ApiError(403, "Only the emulator's own pages may do this")


def body_of_ours() -> dict[str, Any]:
    """Return the JSON object of a change; a missing body counts as an empty object.

    A page of another site can send neither our Origin nor, without asking first, JSON: so no web
    page that a developer visits can play with the emulator.

    :raises ApiError: it comes from another site, or is no JSON object.
    """
    require_own_origin()
    if request.mimetype != "application/json":
        raise ApiError(415, "Send JSON, with content-type: application/json")
    return json_body() if request.get_data() else {}


def text_in(body: dict[str, Any], name: str, limit: int) -> str:
    """Return a text that must be there.

    :raises ApiError: it is missing, empty or longer than ``limit`` characters.
    """
    text = optional_text_in(body, name, limit)
    if not text:
        raise ApiError(400, f"'{name}' must be a text of 1 to {limit:,} characters")
    return text


def optional_text_in(body: dict[str, Any], name: str, limit: int) -> str | None:
    """Return a text that may be left out.

    :raises ApiError: it is no text or longer than ``limit`` characters.
    """
    text = body.get(name)
    if text is not None and (not isinstance(text, str) or len(text) > limit):
        raise ApiError(400, f"'{name}' must be a text of at most {limit:,} characters")
    return text


def known_user(user_id: str) -> User:
    """Return a user.

    :raises ApiError: there is none with this id.
    """
    user = platform().user(user_id)
    if user is None:
        raise ApiError(404, "There is no such LINE user")
    return user
