"""Channel access tokens for a secret or an assertion: stateless and short-lived ones.

Those of kind v2.1 are in ``channel_tokens_v21``.

Source: Messaging API reference, "Channel access token".
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import OAuthError
from ..platform import platform
from . import assertions
from .channel_tokens import STATELESS_SECONDS
from .channel_tokens import is_alive
from .channel_tokens import is_known
from .channel_tokens import is_secret_of
from .channel_tokens import issue

SHORT_LIVED_SECONDS = 30 * 86_400
#: A channel's short-lived tokens; one more revokes the oldest.
MAX_SHORT_LIVED = 30

channel_tokens = Blueprint("channel_tokens", __name__)


@channel_tokens.post("/oauth2/v3/token")
def issue_stateless() -> Response:
    """Issue a token for 15 minutes."""
    channel_id = _channel_of_assertion() or _channel_of_secret()
    token = issue(channel_id, "stateless", STATELESS_SECONDS).access_token
    return jsonify(token_type="Bearer", access_token=token, expires_in=STATELESS_SECONDS)


@channel_tokens.post("/v2/oauth/accessToken")
def issue_short_lived() -> Response:
    """Issue a token for 30 days; the 31st of a channel revokes its oldest."""
    channel_id, secret = _credentials()
    if not is_known(channel_id):
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


@channel_tokens.post("/v2/oauth/verify")
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


@channel_tokens.post("/v2/oauth/revoke")
def revoke() -> Response:
    """Revoke a token; an unknown one is no error, and a stateless one stays valid."""
    with platform().change() as world:
        token = world.channel_tokens.get(request.form.get("access_token", ""))
        if token is not None and token.kind != "stateless":
            token.is_revoked = True
    return Response("", status=200)


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
