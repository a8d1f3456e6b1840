"""JWT assertions, by which a channel proves who it is without its secret.

Source: Messaging API documentation, "Generate JSON Web Token".
"""

from __future__ import annotations

from typing import Any

from joserfc import jws
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from ..api_errors import ApiError
from ..api_errors import OAuthError
from ..checks import is_whole
from ..platform import Platform
from ..world import LoginChannel
from ..world import MessagingChannel

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUDIENCE = "https://api.line.me/"
#: Seconds that an assertion may still be good.
MAX_LIFE = 30 * 60


def claims_of(line: Platform, assertion: str) -> dict[str, Any]:
    """Return the checked claims of an assertion; ``iss`` is the channel's id.

    :raises ApiError: no channel has its key.
    :raises OAuthError: it is wrong in another way.
    """
    key_id = _key_id(assertion)
    for channel in (line.world.login_channel, line.world.messaging_channel):
        if key_id in channel.assertion_keys:
            return _checked(line, assertion, channel, key_id)
    raise ApiError(404, "Cannot find channel key that satisfies the conditions")


def _checked(
    line: Platform, assertion: str, channel: LoginChannel | MessagingChannel, key_id: str
) -> dict[str, Any]:
    key = RSAKey.import_key({**channel.assertion_keys[key_id]})
    try:
        claims = dict(jwt.decode(assertion, key, algorithms=["RS256"]).claims)
    except (JoseError, ValueError):
        raise OAuthError("invalid_client", "Invalid client_assertion") from None
    if claims.get("iss") != channel.id or claims.get("sub") != channel.id:
        raise OAuthError("invalid_client", "iss and clientId of key do not match")
    if claims.get("aud") != AUDIENCE:
        raise OAuthError("invalid_client", "Invalid aud")
    expiry, now = claims.get("exp"), line.clock.timestamp()
    if not is_whole(expiry) or not now < expiry <= now + MAX_LIFE:
        raise OAuthError("invalid_client", "Invalid exp")
    return claims


def _key_id(assertion: str) -> str:
    """Return the name of an assertion's key, by which it is then checked."""
    try:
        return str(jws.extract_compact(assertion.encode()).headers().get("kid"))
    except (JoseError, ValueError):
        raise OAuthError("invalid_client", "Invalid client_assertion") from None
