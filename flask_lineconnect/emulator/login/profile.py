"""What a login's access token opens: profile, userinfo, friendship; and what is public.

Source: LINE Login v2.1 reference, "Profile", "Friendship status"; LINE's own discovery document.
"""

from __future__ import annotations

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..platform import Platform
from ..platform import absolute_url
from ..platform import platform
from ..tokens.channel_tokens import bearer
from ..world import ChannelToken
from ..world import LoginToken
from ..world import User
from . import id_tokens
from .signing_keys import public_keys


def register(app: Flask) -> None:
    """Add the endpoints."""
    for rule, view, methods in (
        ("/oauth2/v2.1/userinfo", userinfo, ["GET", "POST"]),
        ("/v2/profile", profile, ["GET"]),
        ("/friendship/v1/status", friendship_status, ["GET"]),
        ("/oauth2/v2.1/certs", certs, ["GET"]),
        ("/.well-known/openid-configuration", discovery, ["GET"]),
    ):
        app.add_url_rule(rule, f"login_profile.{view.__name__}", view, methods=methods)


def what_is_wrong(line: Platform, token: LoginToken | ChannelToken | None) -> str | None:
    """Return LINE's words for a token that is not good any more, or ``None``."""
    if token is None:
        return "The access token not JWS"
    if token.is_revoked:
        return "The access token revoked"
    is_expired = token.expires_at is not None and token.expires_at <= line.clock.now()
    return "The access token expired" if is_expired else None


def bearer_of(scope: str) -> tuple[User, LoginToken]:
    """Return whose token the request carries, and the token.

    :raises ApiError: it is not good, or not for this scope.
    """
    line = platform()
    with line.lock:
        token = line.world.login_tokens.get(bearer())
        user = None if token is None else line.user(token.user_id)
        wrong = what_is_wrong(line, token)
    if token is None or user is None or wrong:
        raise ApiError(401, wrong or "The access token revoked")
    if scope not in token.scope:
        raise ApiError(403, "The permission is not in the scope of the access token.")
    return user, token


def userinfo() -> Response:
    """Return the claims that the scope allows; never the e-mail address."""
    user, token = bearer_of("openid")
    fields: dict[str, str | None] = {"sub": id_tokens.login_user_id(platform(), user)}
    if "profile" in token.scope:
        fields |= {"name": user.display_name, "picture": _picture(user)}
    return _filled(fields)


def profile() -> Response:
    """Return the main profile."""
    user, _token = bearer_of("profile")
    return _filled(
        {
            "userId": id_tokens.login_user_id(platform(), user),
            "displayName": user.display_name,
            "pictureUrl": _picture(user),
            "statusMessage": user.status_message,
        }
    )


def friendship_status() -> Response:
    """Tell whether the user is a friend and has not blocked the account."""
    user, _token = bearer_of("profile")
    if not platform().world.login_channel.is_bot_linked:
        raise ApiError(400, "There is no login bot linked to this channel.")
    return jsonify(friendFlag=user.relation == "friend")


def certs() -> Response:
    """Return the public keys of ES256 ID tokens."""
    return jsonify(public_keys(platform()))


def discovery() -> Response:
    """Return the OpenID configuration, which names ES256 alone, as LINE's does."""
    origin = request.url_root.rstrip("/")
    return jsonify(
        issuer=id_tokens.ISSUER,
        authorization_endpoint=f"{origin}/oauth2/v2.1/authorize",
        token_endpoint=f"{origin}/oauth2/v2.1/token",
        revocation_endpoint=f"{origin}/oauth2/v2.1/revoke",
        userinfo_endpoint=f"{origin}/oauth2/v2.1/userinfo",
        scopes_supported=["openid", "profile", "email"],
        jwks_uri=f"{origin}/oauth2/v2.1/certs",
        response_types_supported=["code"],
        subject_types_supported=["pairwise"],
        id_token_signing_alg_values_supported=["ES256"],
        code_challenge_methods_supported=["S256"],
    )


def _picture(user: User) -> str | None:
    return absolute_url(user.picture_url) if user.picture_url else None


def _filled(fields: dict[str, str | None]) -> Response:
    return jsonify({name: value for name, value in fields.items() if value})
