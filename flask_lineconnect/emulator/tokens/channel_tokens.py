"""Channel access tokens: stateless and short-lived ones, and who may call with which.

Those of kind v2.1 are in ``channel_tokens_v21``.

Source: Messaging API reference, "Channel access token".
"""

from __future__ import annotations

import functools
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from typing import Literal
from typing import TypeVar

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import RATE_LIMITED
from ..api_errors import ApiError
from ..api_errors import OAuthError
from ..platform import Platform
from ..platform import platform
from ..world import ChannelToken
from ..world import World
from . import assertions

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
#: LINE documents only the status; the words are ours.
RETRY_KEY_REFUSED = "The retry key is not supported on this endpoint"


def register(app: Flask) -> None:
    """Add the token endpoints."""
    app.add_url_rule("/oauth2/v3/token", view_func=issue_stateless, methods=["POST"])
    app.add_url_rule("/v2/oauth/accessToken", view_func=issue_short_lived, methods=["POST"])
    app.add_url_rule("/v2/oauth/verify", view_func=verify, methods=["POST"])
    app.add_url_rule("/v2/oauth/revoke", view_func=revoke, methods=["POST"])


def issue_stateless() -> Response:
    """Issue a token for 15 minutes."""
    channel_id = _channel_of_assertion() or _channel_of_secret()
    token = issue(channel_id, "stateless", STATELESS_SECONDS).access_token
    return jsonify(token_type="Bearer", access_token=token, expires_in=STATELESS_SECONDS)


def issue_short_lived() -> Response:
    """Issue a token for 30 days; the 31st of a channel revokes its oldest."""
    channel_id, secret = _credentials()
    if channel_id not in _secrets():
        raise OAuthError("invalid_client", "invalid client_id")
    if not is_secret_of(channel_id, secret):
        raise OAuthError("invalid_client", "invalid client_secret")
    with platform().change() as world:
        alive = [
            token
            for token in world.channel_tokens.values()
            if token.channel_id == channel_id
            and token.kind == "short-lived"
            and is_alive(platform(), token)
        ]
        if len(alive) >= MAX_SHORT_LIVED:
            min(alive, key=lambda token: token.issued_at).is_revoked = True
        token = issue(channel_id, "short-lived", SHORT_LIVED_SECONDS)
    return jsonify(
        access_token=token.access_token, expires_in=SHORT_LIVED_SECONDS, token_type="Bearer"
    )


def issue_long_lived() -> ChannelToken:
    """Issue the Messaging API channel's one long-lived token, as LINE's console does.

    The one before it ends at once; LINE's console may let it live on for a day.
    """
    channel_id = platform().world.messaging_channel.id
    with platform().change() as world:
        for token in world.channel_tokens.values():
            token.is_revoked |= token.channel_id == channel_id and token.kind == "long-lived"
        return issue(channel_id, "long-lived", None)


def verify() -> Response:
    """Tell about a short-lived or long-lived token."""
    given = request.form.get("access_token", "")
    if not given or any(letter.isspace() for letter in given):
        raise OAuthError("invalid_request", "access_token in invalid format")
    token = platform().world.channel_tokens.get(given)
    kinds = {"short-lived", "long-lived"}
    if token is None or token.kind not in kinds or not is_alive(platform(), token):
        raise OAuthError("invalid_request", "access_token invalid")
    fields: dict[str, Any] = {"client_id": token.channel_id, "scope": "P CM"}
    if token.expires_at is not None:
        left = token.expires_at - platform().clock.now()
        fields["expires_in"] = int(left.total_seconds())
    return jsonify(fields)


def revoke() -> Response:
    """Revoke a token; an unknown one is no error, and a stateless one stays valid."""
    with platform().change() as world:
        token = world.channel_tokens.get(request.form.get("access_token", ""))
        if token is not None and token.kind != "stateless":
            token.is_revoked = True
    return Response("", status=200)


def channel_of_token(line: Platform, token: str) -> str | None:
    """Return the id of the channel whose living token this is."""
    with line.lock:
        found = line.world.channel_tokens.get(token)
        return found.channel_id if found is not None and is_alive(line, found) else None


def bearer() -> str:
    """Return the token of the request's Authorization header.

    :raises ApiError: there is none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise ApiError(401, NO_HEADER)
    return token.strip()


def require_channel(channel_id: str) -> None:
    """Refuse a request without a living token of a channel.

    :raises ApiError: as LINE answers.
    """
    if channel_of_token(platform(), bearer()) != channel_id:
        raise ApiError(401, BAD_TOKEN)


def needs_messaging_token(view: V) -> V:
    """Let only the Messaging API channel's own tokens in, and no retry key."""
    return _guarded(view, takes_retry_key=False)


def needs_messaging_token_and_takes_retry_key(view: V) -> V:
    """Let only the Messaging API channel's own tokens in, with or without a retry key."""
    return _guarded(view, takes_retry_key=True)


def _guarded(view: V, *, takes_retry_key: bool) -> V:
    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        line = platform()
        channel = line.world.messaging_channel
        require_channel(channel.id)
        scale = channel.rate_limit_scale
        if not line.rate_limits.take(channel.id, request.method, request.path, scale):
            raise ApiError(429, RATE_LIMITED)
        if not takes_retry_key and "X-Line-Retry-Key" in request.headers:
            raise ApiError(400, RETRY_KEY_REFUSED)
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]  # the same signature


def _credentials() -> tuple[str, str]:
    if request.form.get("grant_type") != "client_credentials":
        raise OAuthError("invalid_request", "Invalid 'grant_type'.")
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _channel_of_assertion() -> str | None:
    assertion = request.form.get("client_assertion")
    if assertion is None:
        return None
    if request.form.get("client_assertion_type") != assertions.TYPE:
        raise OAuthError("invalid_request", "some parameters missed or invalid")
    return str(assertions.claims_of(platform(), assertion)["iss"])


def _channel_of_secret() -> str:
    channel_id, secret = _credentials()
    if not is_secret_of(channel_id, secret):
        raise OAuthError("invalid_request", "Invalid 'client_credentials'.")
    return channel_id


def _secrets() -> dict[str, str]:
    world = platform().world
    return {
        channel.id: channel.secret for channel in (world.login_channel, world.messaging_channel)
    }


def is_secret_of(channel_id: str, secret: str) -> bool:
    """Tell whether a secret is a channel's own."""
    expected = _secrets().get(channel_id)
    return expected is not None and hmac.compare_digest(expected.encode(), secret.encode())


def issue(
    channel_id: str,
    kind: Literal["long-lived", "short-lived", "v2.1", "stateless"],
    seconds: int | None,
) -> ChannelToken:
    """Issue a token; the checks are its endpoint's.

    :param seconds: that it lives; ``None`` is until it is issued anew.
    """
    now = platform().clock.now()
    token = ChannelToken(
        access_token=secrets.token_urlsafe(64),
        channel_id=channel_id,
        kind=kind,
        issued_at=now,
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        key_id=secrets.token_urlsafe(16) if kind == "v2.1" else None,
    )
    with platform().change() as world:
        _drop_expired(world)
        world.channel_tokens[token.access_token] = token
    return token


def _drop_expired(world: World) -> None:
    """Forget expired tokens, which would fill the snapshot: one comes every 15 minutes."""
    now = platform().clock.now()
    world.channel_tokens = {
        name: token
        for name, token in world.channel_tokens.items()
        if token.expires_at is None or token.expires_at > now
    }


def is_alive(line: Platform, token: ChannelToken) -> bool:
    """Tell whether a token is neither revoked nor expired."""
    is_expired = token.expires_at is not None and token.expires_at <= line.clock.now()
    return not token.is_revoked and not is_expired
