"""Linking inside the chat: the link token, LINE's own page, and the event that ends it.

Source: Messaging API documentation, "Link user accounts".
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import Blueprint
from flask import jsonify
from flask import render_template
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..browsers import app_user
from ..browsers import is_in_app
from ..browsers import sso_user
from ..platform import platform
from ..requests_in import check_user_id
from ..tokens.guard import messaging_api
from ..webhooks.events import emit
from ..world import LinkToken
from ..world import User

LINK_TOKEN_LIFE = timedelta(minutes=10)
MIN_NONCE, MAX_NONCE = 10, 255

link_tokens = messaging_api("link_tokens")
account_link = Blueprint("account_link", __name__)


@link_tokens.post("/user/<user_id>/linkToken")
def issue_link_token(user_id: str) -> Response:
    """Issue a token that links one user, once, for ten minutes."""
    check_user_id(user_id)
    token = LinkToken(
        token=secrets.token_urlsafe(24), user_id=user_id, issued_at=platform().clock.now()
    )
    with platform().change() as world:
        world.link_tokens[token.token] = token
    return jsonify(linkToken=token.token)


@account_link.get("/dialog/bot/accountLink")
def link_account() -> str:
    """End the linking: the event says ok only if the browser's user is the token's own."""
    nonce = request.args.get("nonce", "")
    if not MIN_NONCE <= len(nonce) <= MAX_NONCE:
        raise BadRequest("The nonce must have 10 to 255 characters.")
    line, user = platform(), _user_of_browser()
    with line.change() as world:
        # Taken out whatever comes of it: a link token is good for one use.
        token = world.link_tokens.pop(request.args.get("linkToken", ""), None)
    if token is None or token.issued_at + LINK_TOKEN_LIFE < line.clock.now():
        raise BadRequest("The link token is unknown, was used, or is older than 10 minutes.")
    is_own = user.user_id == token.user_id
    event = {
        "type": "accountLink",
        "link": {"result": "ok" if is_own else "failed", "nonce": nonce},
    }
    emit(line, {**event, "user_id": user.user_id} if is_own else event)
    return render_template("account_link.html", is_linked=is_own, user=user)


def _user_of_browser() -> User:
    """Return the LINE user of the app or of LINE's own session in this browser."""
    user = app_user() if is_in_app() else sso_user()
    if user is None:
        raise BadRequest("Nobody is logged in to LINE in this browser.")
    return user
