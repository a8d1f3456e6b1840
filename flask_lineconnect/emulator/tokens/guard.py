"""Who may call: the tokens that endpoints ask for, and the blueprints that ask at their door.

Source: Messaging API reference, "Channel access token", "Rate limits", "Retry failed API requests".
"""

from __future__ import annotations

from flask import Blueprint
from flask import request

from ..api_errors import RATE_LIMITED
from ..api_errors import ApiError
from ..platform import platform
from .channel_tokens import channel_of_token

NO_HEADER = (
    "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'"
)
BAD_TOKEN = (
    "Authentication failed. Confirm that the access token in the authorization header is valid."
)
#: LINE documents only the status; the words are ours.
RETRY_KEY_REFUSED = "The retry key is not supported on this endpoint"
#: Where a retry key means something.
RETRYABLE = {f"/v2/bot/message/{way}" for way in ("push", "multicast", "narrowcast", "broadcast")}


def messaging_api(name: str, prefix: str = "/v2/bot") -> Blueprint:
    """Return a blueprint of the Messaging API, which lets only its channel's own tokens in.

    :param prefix: what the paths of all its endpoints begin with.
    """
    blueprint = Blueprint(name, __name__, url_prefix=prefix)
    blueprint.before_request(_guard)
    return blueprint


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


def require_login_channel(kinds: set[str]) -> None:
    """Refuse a request without a living token of the login channel, of one of some kinds.

    :raises ApiError: as LINE answers.
    """
    world = platform().world
    require_channel(world.login_channel.id)
    if world.channel_tokens[bearer()].kind not in kinds:
        raise ApiError(401, BAD_TOKEN)


def _guard() -> None:
    if request.method == "OPTIONS":
        # Answered without a view, and so without a token.
        return
    line = platform()
    channel = line.world.messaging_channel
    require_channel(channel.id)
    scale = channel.rate_limit_scale
    if not line.rate_limits.take(channel.id, request.method, request.path, scale):
        raise ApiError(429, RATE_LIMITED)
    if "X-Line-Retry-Key" in request.headers and request.path not in RETRYABLE:
        raise ApiError(400, RETRY_KEY_REFUSED)
