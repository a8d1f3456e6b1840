"""Channel access tokens v2.1, which a channel gets for a JWT assertion.

They share their addresses with LINE Login's tokens, whose module leads here.

Source: Messaging API reference, "Channel access token v2.1".
"""

from __future__ import annotations

from flask import Blueprint
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import OAuthError
from ..checks import is_whole
from ..platform import platform
from ..world import ChannelToken
from .assertions import TYPE
from .assertions import claims_of
from .channel_tokens import is_alive
from .channel_tokens import is_secret_of
from .channel_tokens import issue

MAX_LIFE = 30 * 86_400
#: A channel's living tokens; one more is refused.
MAX_TOKENS = 30

key_ids = Blueprint("key_ids", __name__)


def issue_for_assertion() -> Response:
    """Issue a token for as long as the assertion asks for."""
    claims = claims_of(platform(), _assertion(dict(request.form)))
    seconds = claims.get("token_exp")
    if not is_whole(seconds) or not 0 < seconds <= MAX_LIFE:
        raise OAuthError("invalid_client", "Invalid token_exp")
    with platform().change():
        if len(_living(str(claims["iss"]))) >= MAX_TOKENS:
            raise ApiError(400, "The maximum number of access tokens has already been issued")
        token = issue(str(claims["iss"]), "v2.1", seconds)
    return jsonify(
        access_token=token.access_token,
        expires_in=seconds,
        token_type="Bearer",
        key_id=token.key_id,
    )


@key_ids.get("/oauth2/v2.1/tokens/kid")
def list_key_ids() -> Response:
    """Name a channel's living tokens."""
    claims = claims_of(platform(), _assertion(dict(request.args)))
    with platform().lock:
        return jsonify(kids=[token.key_id for token in _living(str(claims["iss"]))])


def revoke() -> Response:
    """Revoke a token, for the secret of its channel."""
    client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    if not is_secret_of(client_id, secret):
        raise OAuthError("invalid_client", "invalid client_secret")
    with platform().change():
        token = find(request.form.get("access_token", ""))
        if token is not None and token.channel_id == client_id:
            token.is_revoked = True
    return Response("", status=200)


def find(access_token: str) -> ChannelToken | None:
    """Return a token of this kind, living or not."""
    found = platform().world.channel_tokens.get(access_token)
    return found if found is not None and found.kind == "v2.1" else None


def _living(channel_id: str) -> list[ChannelToken]:
    line = platform()
    return [
        token
        for token in line.world.channel_tokens.values()
        if token.channel_id == channel_id and token.kind == "v2.1" and is_alive(line, token)
    ]


def _assertion(given: dict[str, str]) -> str:
    if given.get("client_assertion_type") != TYPE or not given.get("client_assertion"):
        raise OAuthError("invalid_request", "some parameters missed or invalid")
    return given["client_assertion"]
