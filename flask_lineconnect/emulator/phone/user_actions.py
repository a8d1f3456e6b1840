"""What a LINE user can do, for the phone's script and for the control pages alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..api_errors import ApiError
from ..checks import is_whole
from ..insight.traces import note_seen
from ..liff.closing import close_liff
from ..login.tokens import end_consent
from ..messaging import chats
from ..messaging import friendship
from ..own_requests import body_of_ours
from ..own_requests import known_user
from ..own_requests import optional_text_in
from ..own_requests import text_in
from ..platform import Platform
from ..platform import platform
from ..world import User
from . import user_messages
from .state import shown_menu

#: LINE's limits, in characters.
MAX_TEXT, MAX_POSTBACK = 5_000, 300
#: What a picker gives, as LINE writes it.
PICKED = {
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "time": re.compile(r"\d{2}:\d{2}"),
    "datetime": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"),
}

Body = dict[str, Any]
Answer = dict[str, Any] | None
Action = Callable[[Platform, User, Body], Answer]


def perform(user_id: str, action: str, actions: dict[str, Action]) -> Answer:
    """Let a user do one of some actions, with the request's body.

    :raises ApiError: there is no such user or action, or the body does not fit it.
    """
    line, body = platform(), body_of_ours()
    # One lock for all of it: a reset in between would take the user away.
    with line.lock:
        user = known_user(user_id)
        if action not in actions:
            raise ApiError(404, f"A user can do {', '.join(actions)}; not {action}")
        return actions[action](line, user, body)


def add_friend(line: Platform, user: User, _body: Body) -> None:
    """Add the account as a friend."""
    friendship.add_friend(line, user.user_id)


def block(line: Platform, user: User, _body: Body) -> None:
    """Block the account."""
    friendship.block(line, user.user_id)


def unblock(line: Platform, user: User, _body: Body) -> None:
    """Unblock the account."""
    friendship.unblock(line, user.user_id)


def write(line: Platform, user: User, body: Body) -> None:
    """Write ``text`` into the chat."""
    chats.write_text(line, user.user_id, text_in(body, "text", MAX_TEXT))


def press(line: Platform, user: User, body: Body) -> None:
    """Press a postback button with ``data``, and ``display_text`` if it has one.

    ``params`` are what a picker chose: ``date``, ``time`` or ``datetime``.
    """
    data = text_in(body, "data", MAX_POSTBACK)
    text = optional_text_in(body, "display_text", MAX_POSTBACK)
    chats.postback(line, user.user_id, data, text, _picked(body))


def switch_menu(line: Platform, user: User, body: Body) -> None:
    """Switch to the rich menu that ``alias`` means, with the ``data`` of the area."""
    alias, data = text_in(body, "alias", 32), text_in(body, "data", MAX_POSTBACK)
    with line.change() as world:
        menu_id = world.rich_menu_aliases.get(alias)
        if menu_id is None:
            params = {"status": "RICHMENU_ALIAS_ID_NOTFOUND"}
        elif menu_id not in world.rich_menus:
            params = {"status": "RICHMENU_NOTFOUND"}
        else:
            user.switched_menu_id = menu_id
            params = {"newRichMenuAliasId": alias, "status": "SUCCESS"}
        chats.postback(line, user.user_id, data, params=params)


def read(line: Platform, user: User, _body: Body) -> None:
    """Look at the chat: nothing is unread then."""
    if user.unread:
        with line.change():
            note_seen(user)
            user.unread = 0


def tap(line: Platform, user: User, body: Body) -> Answer:
    """Press an ``area`` of the rich menu that the user sees, counted from 0.

    :return: the address that the phone would open, for an area that opens one.
    """
    menu, number = shown_menu(line, user), body.get("area")
    areas = menu.definition["areas"] if menu is not None else []
    if not is_whole(number) or not 0 <= number < len(areas):
        raise ApiError(400, f"'area' must be one of the {len(areas)} areas that the user sees")
    action = areas[number]["action"]
    match action["type"]:
        case "uri":
            return {"uri": action["uri"]}
        case "message":
            chats.write_text(line, user.user_id, action["text"])
        case "postback":
            text = action.get("displayText") or action.get("text")
            chats.postback(line, user.user_id, action["data"], text)
        case "richmenuswitch":
            switch_menu(line, user, {"alias": action["richMenuAliasId"], "data": action["data"]})
        case other:
            raise ApiError(400, f"Actions of type {other} can't be tapped in the emulator")
    return None


def unlink_app(line: Platform, user: User, _body: Body) -> None:
    """Unlink the login channel's app, as in LINE's settings: its consent and tokens end."""
    end_consent(line, user)


def _picked(body: Body) -> dict[str, str] | None:
    params = body.get("params")
    if params is None:
        return None
    is_one = isinstance(params, dict) and len(params) == 1
    name, value = next(iter(params.items())) if is_one else ("", None)
    if not isinstance(value, str) or name not in PICKED or not PICKED[name].fullmatch(value):
        raise ApiError(400, "'params' must be one of date, time and datetime, as LINE writes them")
    return {name: value}


#: What pickers and messages of all kinds have in common on both sides.
_MESSAGES: dict[str, Action] = {
    "sticker": user_messages.send_sticker,
    "location": user_messages.send_location,
    "image": user_messages.send_image,
    "video": user_messages.send_video,
    "audio": user_messages.send_audio,
    "file": user_messages.send_file,
    "unsend": user_messages.unsend,
    "video-complete": user_messages.watch_to_the_end,
    "switch-menu": switch_menu,
}
#: By the last part of the path, under ``/phone/<user_id>``.
ON_PHONE: dict[str, Action] = {
    **_MESSAGES,
    "unlink-app": unlink_app,
    "send": write,
    "postback": press,
    "friend": add_friend,
    "block": block,
    "unblock": unblock,
    "read": read,
    "close-liff": close_liff,
}
#: By the last part of the path, under ``/_emulator/users/<user_id>``.
BY_CONTROL: dict[str, Action] = {
    **_MESSAGES,
    "beacon": user_messages.meet_beacon,
    "friend": add_friend,
    "block": block,
    "unblock": unblock,
    "text": write,
    "postback": press,
    "tap": tap,
    "revoke": unlink_app,
    "close-liff": close_liff,
}
