"""Setups: what a shop, a test or ``--setup FILE`` wants of the world before anything happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import ValidationError

from ..platform import Platform
from ..requests_in import USER_ID
from ..world import LiffApp
from ..world import User
from ..world import World
from ..world import default_world

M = TypeVar("M", bound=BaseModel)

#: Pictures for users who come without one, as many as there are in ``static/avatars``.
AVATARS = 8


class SetupError(ValueError):
    """A setup has the wrong form; its text says where."""


class _Setup(BaseModel):
    # Fields of a part are checked later, when what they are merged into is known.
    model_config = ConfigDict(extra="forbid", strict=True)

    base_url: str | None = None
    login_channel: dict[str, Any] = {}
    messaging_channel: dict[str, Any] = {}
    liff_apps: list[dict[str, Any]] = []
    users: list[dict[str, Any]] = []


def apply_setup(platform: Platform, setup: dict[str, Any]) -> None:
    """Merge a setup into the world; users, chats and all fields it does not name stay.

    :param setup: ``base_url`` points callback, webhook and LIFF endpoints to one shop with the
        usual paths; ``login_channel`` and ``messaging_channel`` change fields; ``liff_apps`` and
        ``users`` change those of the same id, and add the others. A user without an id is the one
        of that display name, so that the same setup twice is the same as once.
    :raises SetupError: it has the wrong form; nothing was changed.
    """
    with platform.change() as world:
        _merge(world, setup)


def world_of(setup: dict[str, Any], make_world: Callable[[], World] = default_world) -> World:
    """Return a fresh world with a setup, for starts and resets.

    :raises SetupError: it has the wrong form.
    """
    world = make_world()
    _merge(world, setup)
    return world


def read_setup(file: Path) -> dict[str, Any]:
    """Return the setup in a JSON file.

    :raises SetupError: there is none.
    """
    try:
        setup = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SetupError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise SetupError(f"{file} is no JSON: {error}") from None
    if not isinstance(setup, dict):
        raise SetupError(f"{file} has no JSON object")
    return setup


def new_user(world: World, fields: dict[str, Any]) -> User:
    """Return a user to be added, with a picture of ours if none is given.

    :raises SetupError: the fields have the wrong form, or the id is taken.
    """
    number = len(world.users) % AVATARS + 1
    picture = {"picture_url": f"/static/avatars/user-{number}.svg"}
    user = _checked(User, picture | fields, "user")
    if not user.display_name.strip():
        raise SetupError("user.display_name: must not be empty")
    if not USER_ID.fullmatch(user.user_id):
        raise SetupError("user.user_id: must be U and 32 hexadecimal digits")
    if user.user_id in world.users:
        raise SetupError("user.user_id: belongs to another user")
    return user


def _merge(world: World, setup: dict[str, Any]) -> None:
    """Work on copies, so that a mistake anywhere changes nothing."""
    wanted = _checked(_Setup, setup, "setup")
    login: dict[str, Any] = {}
    messaging: dict[str, Any] = {}
    endpoint: dict[str, Any] = {}
    if wanted.base_url is not None:
        base = _base_url(wanted.base_url)
        login = {"callback_urls": [f"{base}/line/callback"]}
        messaging = {"webhook_url": f"{base}/line/webhook"}
        endpoint = {"endpoint_url": f"{base}/line/liff"}
    login_channel = _changed(world.login_channel, login | wanted.login_channel, "login_channel")
    messaging |= wanted.messaging_channel
    messaging_channel = _changed(world.messaging_channel, messaging, "messaging_channel")
    apps = {
        liff_id: _changed(app, endpoint, "liff_apps") for liff_id, app in world.liff_apps.items()
    }
    named = [_app(apps, endpoint, fields) for fields in wanted.liff_apps]
    users = _users(world, wanted.users)

    world.login_channel, world.messaging_channel = login_channel, messaging_channel
    # Those of the setup first: a shop that takes the first one gets its own.
    first = {app.liff_id: app for app in named}
    world.liff_apps = first | {key: app for key, app in apps.items() if key not in first}
    world.users = users


def _app(apps: dict[str, LiffApp], endpoint: dict[str, Any], fields: dict[str, Any]) -> LiffApp:
    if not isinstance(fields.get("liff_id"), str):
        raise SetupError("liff_apps: each needs a liff_id")
    known = apps.get(fields["liff_id"])
    if known is not None:
        return _changed(known, fields, "liff_apps")
    return _checked(LiffApp, endpoint | fields, "liff_apps")


def _users(world: World, wanted: list[dict[str, Any]]) -> dict[str, User]:
    draft = world.model_copy(update={"users": dict(world.users)})
    for fields in wanted:
        known = _known_user(draft, fields)
        user = new_user(draft, fields) if known is None else _changed(known, fields, "users")
        draft.users[user.user_id] = user
    return draft.users


def _known_user(world: World, fields: dict[str, Any]) -> User | None:
    if "user_id" in fields:
        return world.users.get(str(fields["user_id"]))
    name = fields.get("display_name")
    return next((user for user in world.users.values() if user.display_name == name), None)


def _changed(model: M, fields: dict[str, Any], where: str) -> M:
    return _checked(type(model), model.model_dump() | fields, where)


def _checked(model: type[M], fields: dict[str, Any], where: str) -> M:
    unknown = sorted(set(fields) - set(model.model_fields))
    if unknown:
        raise SetupError(f"{where}.{unknown[0]}: there is no such field")
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in (where, *first["loc"]))
        raise SetupError(f"{path}: {first['msg']}") from None


def _base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_web_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_web_address = False
    if not is_web_address:
        raise SetupError("setup.base_url: must be an http or https address")
    return url.rstrip("/")
