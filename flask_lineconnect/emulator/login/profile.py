"""What a login's access token opens: profile, userinfo, friendship; and what is public.

Source: LINE Login v2.1 reference, "Profile", "Friendship status"; LINE's own discovery document.
"""

from __future__ import annotations

from flask import Blueprint
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..addresses import absolute_url
from ..api_errors import ApiError
from ..platform import platform
from ..world import User
from . import id_tokens
from .signing_keys import public_keys
from .tokens import bearer_of

login_profile = Blueprint("login_profile", __name__)


@login_profile.route("/oauth2/v2.1/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Return the claims that the scope allows; never the e-mail address."""
    user, token = bearer_of("openid")
    fields: dict[str, str | None] = {"sub": id_tokens.login_user_id(platform(), user)}
    if "profile" in token.scope:
        fields |= {"name": user.display_name, "picture": _picture(user)}
    return _filled(fields)


@login_profile.get("/v2/profile")
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


@login_profile.get("/friendship/v1/status")
def friendship_status() -> Response:
    """Tell whether the user is a friend and has not blocked the account."""
    user, _token = bearer_of("profile")
    if not platform().world.login_channel.is_bot_linked:
        raise ApiError(400, "There is no login bot linked to this channel.")
    return jsonify(friendFlag=user.relation == "friend")


@login_profile.get("/oauth2/v2.1/certs")
def certs() -> Response:
    """Return the public keys of ES256 ID tokens."""
    return jsonify(public_keys(platform()))


@login_profile.get("/.well-known/openid-configuration")
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
