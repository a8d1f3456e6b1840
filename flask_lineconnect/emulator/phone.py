"""The phone page: a user's LINE app in a desktop browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask import jsonify
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import Forbidden
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from . import chats
from . import friendship
from .authorize import APP_USER_COOKIE
from .liff import open_liff_url
from .platform import Platform
from .platform import platform
from .rich_menus import image_response
from .rich_menus import shown_to
from .world import User

#: Seconds between two signs of life on an event stream.
HEARTBEAT = 15.0


def register(app: Flask) -> None:
    """Add the pages and what their scripts call."""
    for rule, view, methods in (
        ("/", home, ["GET"]),
        ("/phone", phones, ["GET"]),
        ("/phone/<user_id>", phone, ["GET"]),
        ("/phone/<user_id>/state", state, ["GET"]),
        ("/phone/<user_id>/events", events, ["GET"]),
        ("/phone/<user_id>/open", open_page, ["GET"]),
        ("/phone/<user_id>/rich-menu/<menu_id>", rich_menu_image, ["GET"]),
        ("/phone/<user_id>/<action>", act, ["POST"]),
    ):
        app.add_url_rule(rule, f"phone.{view.__name__}", view, methods=methods)


def home() -> Response:
    """Lead to the phones."""
    return redirect(url_for("phone.phones"))


def phones() -> str:
    """List the users, to choose a phone."""
    world = platform().world
    users = list(world.users.values())
    return render_template("phones.html", users=users, account=world.messaging_channel)


def phone(user_id: str) -> str:
    """Show a user's phone."""
    account = platform().world.messaging_channel
    return render_template("phone.html", user=_user(user_id), account=account)


def state(user_id: str) -> Response:
    """Return all that the phone shows."""
    return jsonify(_state(_user(user_id)))


def events(user_id: str) -> Response:
    """Tell, as server-sent events, whenever the state may have changed."""
    _user(user_id)
    return Response(
        _stream(platform()), mimetype="text/event-stream", headers={"Cache-Control": "no-store"}
    )


def open_page(user_id: str) -> Response:
    """Open an address on this phone: a LIFF app with its credentials, or any other page."""
    user, url = _user(user_id), request.args.get("url", "")
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or not url.isprintable():
        raise BadRequest("Only http and https addresses can be opened.")
    is_own = parts.netloc in {request.host, "liff.line.me", "miniapp.line.me"}
    liff_id = parts.path.lstrip("/").partition("/")[0]
    if is_own and liff_id in platform().world.liff_apps:
        response = open_liff_url(user, url)
    else:
        response = redirect(url)
    response.set_cookie(APP_USER_COOKIE, user_id, httponly=True, samesite="Lax")
    return response


def rich_menu_image(user_id: str, menu_id: str) -> Response:
    """Return the image of a rich menu; the phone needs no channel token."""
    _user(user_id)
    menu = platform().world.rich_menus.get(menu_id)
    if menu is None:
        raise NotFound("There is no such rich menu.")
    return image_response(menu)


def act(user_id: str, action: str) -> Response:
    """Do what a person does with the phone."""
    line, user = platform(), _user(user_id)
    require_own_origin()
    body = request.get_json(silent=True) or {}
    if action == "send" and body.get("text"):
        chats.write_text(line, user.user_id, str(body["text"])[:5_000])
    elif action == "postback" and body.get("data"):
        chats.postback(line, user.user_id, str(body["data"]), body.get("display_text"))
    elif action in {"friend", "unblock"}:
        friendship.add_friend(line, user.user_id)
    elif action == "block":
        friendship.block(line, user.user_id)
    elif action == "read":
        with line.change():
            user.unread = 0
    else:
        raise BadRequest("The phone can't do that.")
    return Response("", status=204)


def require_own_origin() -> None:
    """Refuse a change that another site's page asks for."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        raise Forbidden("Only the emulator's own pages may do this.")


def _state(user: User) -> dict[str, Any]:
    line = platform()
    with line.lock:
        account = line.world.messaging_channel
        return {
            "user": {
                "user_id": user.user_id,
                "display_name": user.display_name,
                "picture_url": user.picture_url,
            },
            "account": {
                "basic_id": account.basic_id,
                "display_name": account.display_name,
                "picture_url": account.picture_url,
                "relation": user.relation,
                "unread": user.unread,
            },
            "messages": chats.chat_json(user.user_id),
            "rich_menu": _rich_menu(line, user),
        }


def _rich_menu(line: Platform, user: User) -> dict[str, Any] | None:
    menu = shown_to(line.world, user.user_id)
    if menu is None or menu.image_base64 is None:
        return None
    definition = menu.definition
    image = url_for("phone.rich_menu_image", user_id=user.user_id, menu_id=menu.rich_menu_id)
    return {
        "id": menu.rich_menu_id,
        "chat_bar_text": definition.get("chatBarText"),
        "selected": definition.get("selected", False),
        "size": {"w": definition["size"]["width"], "h": definition["size"]["height"]},
        "image_url": image,
        "areas": definition.get("areas", []),
    }


def _stream(line: Platform) -> Iterator[str]:
    version = line.wait_for_change(-1, 0)
    yield "event: changed\ndata: {}\n\n"
    while True:
        now = line.wait_for_change(version, HEARTBEAT)
        if now == version:
            yield f": alive at {int(time.time())}\n\n"
        else:
            version = now
            yield "event: changed\ndata: {}\n\n"


def _user(user_id: str) -> User:
    user = platform().user(user_id)
    if user is None:
        raise NotFound("There is no such LINE user.")
    return user
