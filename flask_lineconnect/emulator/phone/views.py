"""The phone pages: a user's LINE app in a desktop browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Blueprint
from flask import jsonify
from flask import redirect
from flask import render_template
from flask import request
from flask import stream_with_context
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from ..addresses import is_ours
from ..browsers import APP_USER_COOKIE
from ..insight.traces import note_click
from ..liff.opening import open_liff_url
from ..messaging.content import content_response
from ..own_requests import known_user
from ..platform import Platform
from ..platform import platform
from ..rich_menus.menus import image_response
from ..world import User
from .state import phone_state
from .user_actions import ON_PHONE
from .user_actions import perform

#: Seconds between two signs of life on an event stream.
HEARTBEAT = 15.0
_LIFF_HOSTS = {"liff.line.me", "miniapp.line.me"}
_CHANGED, _ALIVE = "event: changed\ndata: {}\n\n", ": alive\n\n"

phone = Blueprint("phone", __name__)


@phone.get("/")
def show_home() -> Response:
    """Lead to the phones."""
    return redirect("/phone")


@phone.get("/phone")
def show_phones() -> str:
    """List the users, to choose a phone."""
    with platform().lock:
        world = platform().world
        users = list(world.users.values())
        return render_template("phones.html", users=users, account=world.messaging_channel)


@phone.get("/phone/<user_id>")
def show_phone(user_id: str) -> str:
    """Show a user's phone."""
    account = platform().world.messaging_channel
    return render_template("phone.html", user=_owner(user_id), account=account)


@phone.get("/phone/<user_id>/state")
def tell_state(user_id: str) -> Response:
    """Return all that the phone shows."""
    return _not_kept(jsonify(phone_state(platform(), known_user(user_id))))


@phone.get("/phone/<user_id>/events")
def tell_changes(user_id: str) -> Response:
    """Tell, as server-sent events, whenever the phone would show something else."""
    line = platform()
    # Noted before the answer begins: the page reads the state when the stream is open.
    version, shown = line.wait_for_change(-1, 0), phone_state(line, known_user(user_id))
    stream = _changes(line, user_id, version, shown)
    response = Response(stream_with_context(stream), mimetype="text/event-stream")
    # A proxy such as nginx would hold the events back until there are many.
    response.headers["X-Accel-Buffering"] = "no"
    return _not_kept(response)


@phone.get("/phone/<user_id>/open")
def open_address(user_id: str) -> Response:
    """Open an address in the phone: a LIFF app with its user's credentials, or any other page."""
    url, user = _web_address(request.args.get("url", "")), _owner(user_id)
    with platform().change():
        note_click(user, url)
    response = open_liff_url(user_id, url) if _is_liff(url) else redirect(url)
    response.set_cookie(APP_USER_COOKIE, user_id, httponly=True, samesite="Lax")
    return _not_kept(response)


@phone.get("/phone/<user_id>/rich-menu/<menu_id>")
def show_menu_image(user_id: str, menu_id: str) -> Response:
    """Return the image of a rich menu; a phone has no channel access token."""
    known_user(user_id)
    menu = platform().world.rich_menus.get(menu_id)
    if menu is None:
        raise NotFound("There is no such rich menu.")
    response = image_response(menu)
    # A rich menu gets its image once, and no id comes twice.
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@phone.get("/phone/<user_id>/content/<message_id>")
def show_content(user_id: str, message_id: str) -> Response:
    """Return what the user sent beside text, for their own chat."""
    known_user(user_id)
    chat = platform().world.chats.get(user_id, [])
    content = platform().world.contents.get(message_id)
    if content is None or content.is_gone or all(entry.id != message_id for entry in chat):
        raise NotFound("There is no such message.")
    return _not_kept(content_response(content))


@phone.post("/phone/<user_id>/<action>")
def act(user_id: str, action: str) -> tuple[str, int]:
    """Do what a person does with the phone."""
    perform(user_id, action, ON_PHONE)
    return "", 204


def _changes(line: Platform, user_id: str, version: int, shown: object) -> Iterator[str]:
    # A first line at once: the answer's head is not sent without one.
    yield _ALIVE
    while True:
        version = line.wait_for_change(version, HEARTBEAT)
        with line.lock:
            user = line.user(user_id)
            now = None if user is None else phone_state(line, user)
        yield _ALIVE if now == shown else _CHANGED
        if now is None:
            # Gone with a reset: the stream ends, and the page's next question tells it so.
            return
        shown = now


def _web_address(url: str) -> str:
    """Return a web address, as it can stand in a header.

    :raises BadRequest: it is none.
    """
    try:
        # Also fails for hosts that can't be looked up; control characters are nobody's address.
        uri = iri_to_uri(url) if url.isprintable() else ""
        parts = urlsplit(uri)
        # Reading the port checks it.
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return uri
    except ValueError:
        pass
    raise BadRequest("Only http and https addresses can be opened.")


def _is_liff(url: str) -> bool:
    """Tell LIFF URLs from other web addresses."""
    parts = urlsplit(url)
    if parts.hostname in _LIFF_HOSTS:
        return True
    liff_id = parts.path[1:].partition("/")[0]
    return liff_id in platform().world.liff_apps and is_ours(url)


def _owner(user_id: str) -> User:
    """Return a phone's user; who opens somebody else's gets a page that says so."""
    user = platform().user(user_id)
    if user is None:
        raise NotFound("There is no such LINE user.")
    return user


def _not_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
