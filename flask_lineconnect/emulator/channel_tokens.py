"""Channel access tokens: stateless and short-lived ones, and who may call with which.

Source: Messaging API reference, "Channel access token".
"""

from __future__ import annotations

import functools
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from typing import TypeVar

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .api_errors import ApiError
from .api_errors import OAuthError
from .platform import Platform
from .platform import platform
from .world import ChannelToken

V = TypeVar("V", bound=Callable[..., Any])

STATELESS_SECONDS = 900
SHORT_LIVED_SECONDS = 30 * 86_400
#: A channel's short-lived tokens; one more revokes the oldest.
MAX_SHORT_LIVED = 30

NO_HEADER = (
    "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'"
)
BAD_TOKEN = (
    "Authentication failed. Confirm that the access token in the authorization header is valid."
)


def register(app: Flask) -> None:
    """Add the token endpoints."""
    app.add_url_rule("/oauth2/v3/token", view_func=issue_stateless, methods=["POST"])
    app.add_url_rule("/v2/oauth/accessToken", view_func=issue_short_lived, methods=["POST"])
    app.add_url_rule("/v2/oauth/verify", view_func=verify, methods=["POST"])
    app.add_url_rule("/v2/oauth/revoke", view_func=revoke, methods=["POST"])


def issue_stateless() -> Response:
    """Issue a token for 15 minutes."""
    channel_id = _authenticated_channel("Invalid 'client_credentials'.", "invalid_request")
    token = _issue(channel_id, "stateless", STATELESS_SECONDS)
    return jsonify(token_type="Bearer", access_token=token, expires_in=STATELESS_SECONDS)


def issue_short_lived() -> Response:
    """Issue a token for 30 days."""
    channel_id = _authenticated_channel("invalid client_secret", "invalid_client")
    with platform().change() as world:
        alive = [
            token
            for token in world.channel_tokens.values()
            if token.channel_id == channel_id
            and token.kind == "short-lived"
            and not token.is_revoked
        ]
        if len(alive) >= MAX_SHORT_LIVED:
            min(alive, key=lambda token: token.issued_at).is_revoked = True
    token = _issue(channel_id, "short-lived", SHORT_LIVED_SECONDS)
    return jsonify(access_token=token, expires_in=SHORT_LIVED_SECONDS, token_type="Bearer")


def verify() -> Response:
    """Tell about a short-lived or long-lived token."""
    token = _alive(platform(), request.form.get("access_token", ""))
    if token is None or token.kind == "stateless" or token.expires_at is None:
        raise OAuthError("invalid_request", "access_token invalid")
    seconds = int((token.expires_at - platform().clock.now()).total_seconds())
    return jsonify(client_id=token.channel_id, expires_in=seconds, scope="P CM")


def revoke() -> Response:
    """Revoke a token; an unknown one is no error."""
    with platform().change() as world:
        token = world.channel_tokens.get(request.form.get("access_token", ""))
        if token is not None:
            token.is_revoked = True
    return Response("", status=200)


def channel_of_token(line: Platform, token: str) -> str | None:
    """Return the id of the channel whose living token this is."""
    found = _alive(line, token)
    return None if found is None else found.channel_id


def bearer() -> str:
    """Return the token of the request's Authorization header.

    :raises ApiError: there is none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise ApiError(401, NO_HEADER)
    return token


def needs_messaging_token(view: V) -> V:
    """Let only the Messaging API channel's own tokens in."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        require_channel(platform().world.messaging_channel.id)
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]  # the same signature


def require_channel(channel_id: str) -> None:
    """Refuse a request without a living token of a channel.

    :raises ApiError: as LINE answers.
    """
    if channel_of_token(platform(), bearer()) != channel_id:
        raise ApiError(401, BAD_TOKEN)


def _authenticated_channel(text: str, error: str) -> str:
    if request.form.get("grant_type") != "client_credentials":
        raise OAuthError("invalid_request", "Invalid 'grant_type'.")
    world = platform().world
    given = request.form.get("client_id", ""), request.form.get("client_secret", "")
    for channel in (world.login_channel, world.messaging_channel):
        if channel.id == given[0] and hmac.compare_digest(
            channel.secret.encode(), given[1].encode()
        ):
            return channel.id
    raise OAuthError(error, text)


def _issue(channel_id: str, kind: Any, seconds: int) -> str:
    now = platform().clock.now()
    token = ChannelToken(
        access_token=secrets.token_urlsafe(64),
        channel_id=channel_id,
        kind=kind,
        issued_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
    with platform().change() as world:
        world.channel_tokens[token.access_token] = token
    return token.access_token


def _alive(line: Platform, token: str) -> ChannelToken | None:
    found = line.world.channel_tokens.get(token)
    if found is None or found.is_revoked:
        return None
    if found.expires_at is not None and found.expires_at <= line.clock.now():
        return None
    return found
