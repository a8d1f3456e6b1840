"""One page for both consoles, with the switches that no API of LINE's reaches.

Source: LINE Developers console, "LINE Login" and "Messaging API"; LINE Official Account Manager,
"Response settings".
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import request
from werkzeug.wrappers import Response

from ..own_requests import require_own_origin
from ..platform import platform

#: Callback URLs that a channel may have; LINE names no number.
MAX_CALLBACKS = 400
MAX_URL = 1_000

consoles = Blueprint("consoles", __name__, url_prefix="/consoles")


@consoles.get("")
def show() -> str:
    """Show both channels, with their secrets, and the official account."""
    return _page()


@consoles.post("/login")
def save_login() -> Response | tuple[str, int]:
    """Register callback URLs, and link the official account or none."""
    require_own_origin()
    urls = request.form.get("callback_urls", "").split()
    if len(urls) > MAX_CALLBACKS or not all(map(_is_callback, urls)):
        return _page(is_wrong=True), 400
    with platform().change() as world:
        world.login_channel.callback_urls = urls
        world.login_channel.is_bot_linked = "is_bot_linked" in request.form
    return _back("login")


@consoles.post("/login/publish")
def publish() -> Response:
    """Publish the login channel, which can't be taken back."""
    require_own_origin()
    with platform().change() as world:
        world.login_channel.status = "published"
    return _back("login")


@consoles.post("/messaging")
def save_messaging() -> Response:
    """Switch webhooks, and their redelivery, on or off."""
    require_own_origin()
    with platform().change() as world:
        world.messaging_channel.use_webhook = "use_webhook" in request.form
        world.messaging_channel.redelivery = "redelivery" in request.form
    return _back("messaging")


@consoles.post("/account")
def save_account() -> Response:
    """Choose who answers in the official account's name."""
    require_own_origin()
    with platform().change() as world:
        channel = world.messaging_channel
        channel.has_greeting = "has_greeting" in request.form
        channel.has_auto_reply = "has_auto_reply" in request.form
        channel.chat_mode = "chat" if "chat" in request.form else "bot"
    return _back("account")


def _back(part: str) -> Response:
    return redirect(f"/consoles?saved={part}#{part}", 303)


def _page(*, is_wrong: bool = False) -> str:
    world = platform().world
    return render_template(
        "consoles.html",
        login=world.login_channel,
        messaging=world.messaging_channel,
        callbacks=request.form.get("callback_urls", "\n".join(world.login_channel.callback_urls)),
        saved=request.args.get("saved"),
        is_wrong=is_wrong,
    )


def _is_callback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_address and parts.scheme in {"http", "https"} and len(url) <= MAX_URL
