"""What happens with a code and with the tokens that come of it.

Source: LINE Login v2.1 reference, "Issue access token" to "Deauthorize"; LIFF's exchange.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from . import id_tokens
from .api_errors import ApiError
from .api_errors import OAuthError
from .channel_tokens import bearer
from .channel_tokens import require_channel
from .platform import absolute_url
from .platform import platform
from .world import AuthorizationCode
from .world import LoginToken
from .world import User

CODE_LIFE = timedelta(minutes=10)
WEB_TOKEN_LIFE, REFRESH_LIFE = timedelta(days=30), timedelta(days=90)
LIFF_TOKEN_LIFE = timedelta(hours=12)


def register(app: Flask) -> None:
    """Add the endpoints."""
    for rule, view, methods in (
        ("/oauth2/v2.1/token", token, ["POST"]),
        ("/oauth2/v2.1/verify", verify_access_token, ["GET"]),
        ("/oauth2/v2.1/verify", verify_id_token, ["POST"]),
        ("/oauth2/v2.1/revoke", revoke, ["POST"]),
        ("/oauth2/v2.1/certs", certs, ["GET"]),
        ("/oauth2/v2.1/userinfo", userinfo, ["GET", "POST"]),
        ("/.well-known/openid-configuration", discovery, ["GET"]),
        ("/v2/profile", profile, ["GET"]),
        ("/friendship/v1/status", friendship_status, ["GET"]),
        ("/user/v1/deauthorize", deauthorize, ["POST"]),
    ):
        app.add_url_rule(rule, f"login_tokens.{view.__name__}", view, methods=methods)


def token() -> Response:
    """Exchange a code, or refresh a token."""
    grant_type = request.form.get("grant_type")
    if grant_type == "authorization_code":
        return _exchange()
    if grant_type == "refresh_token":
        return _refresh()
    raise OAuthError("unsupported_grant_type", "unsupported grant_type")


def _exchange() -> Response:
    line, form = platform(), request.form
    if not form.get("code") or not form.get("redirect_uri") or not form.get("client_id"):
        raise OAuthError("invalid_request", "some parameters missed or invalid")
    is_liff = form.get("id_token_key_type") == "JWK"
    with line.change() as world:
        # Taken out first: a code is burnt by its first exchange, whatever comes of it.
        code = world.codes.pop(form["code"], None)
    if not is_liff:
        _check_client()
    if code is None or code.client_id != form["client_id"]:
        raise OAuthError("invalid_grant", "invalid authorization code")
    if code.issued_at + CODE_LIFE < line.clock.now():
        raise OAuthError("invalid_grant", "authorization code expired")
    if code.redirect_uri != form["redirect_uri"]:
        raise OAuthError("invalid_grant", "redirect_uri does not match")
    if is_liff and code.liff_id != form.get("appId"):
        raise OAuthError("invalid_grant", "invalid authorization code")
    _check_verifier(code)
    user = world.users[code.user_id]
    granted = issue(user, code.scope, life=LIFF_TOKEN_LIFE if is_liff else WEB_TOKEN_LIFE)
    answer = _token_json(granted)
    if "openid" in code.scope:
        claims = id_tokens.claims_for(line, user, code) | _claims_fault()
        sign = id_tokens.sign_liff if is_liff else id_tokens.sign_web
        answer["id_token"] = sign(line, claims)
    return jsonify(answer)


def issue(user: User, scope: list[str], *, life: timedelta) -> LoginToken:
    """Issue an access token for a user's login."""
    line = platform()
    now = line.clock.now()
    made = LoginToken(
        access_token=f"eyJ{secrets.token_urlsafe(64)}",
        refresh_token=secrets.token_urlsafe(24),
        client_id=line.world.login_channel.id,
        user_id=user.user_id,
        scope=[name for name in scope if name != "email"],
        issued_at=now,
        expires_at=now + life,
        refresh_expires_at=now + REFRESH_LIFE,
    )
    with line.change() as world:
        world.login_tokens[made.access_token] = made
    return made


def _refresh() -> Response:
    _check_client()
    line = platform()
    now, wanted = line.clock.now(), request.form.get("refresh_token", "")
    old = next((t for t in line.world.login_tokens.values() if t.refresh_token == wanted), None)
    if old is None or old.is_revoked or old.refresh_expires_at < now:
        raise OAuthError("invalid_grant", "invalid refresh token")
    new = old.model_copy(
        update={
            "access_token": f"eyJ{secrets.token_urlsafe(64)}",
            "issued_at": now,
            "expires_at": now + WEB_TOKEN_LIFE,
        }
    )
    with line.change() as world:
        del world.login_tokens[old.access_token]
        world.login_tokens[new.access_token] = new
    return jsonify(_token_json(new))


def verify_access_token() -> Response:
    """Tell whose channel a token belongs to; any channel's answers 200."""
    found = _find(request.args.get("access_token", ""))
    seconds = int((found.expires_at - platform().clock.now()).total_seconds())
    return jsonify(scope=" ".join(found.scope), client_id=found.client_id, expires_in=seconds)


def verify_id_token() -> Response:
    """Check an ID token for a channel and return its claims."""
    line, form = platform(), request.form
    claims = id_tokens.read(line, form.get("id_token", ""))
    if claims is None:
        raise OAuthError("invalid_request", "Invalid IdToken.")
    checks = (
        (claims.get("iss") == id_tokens.ISSUER, "Invalid IdToken Issuer."),
        (int(claims.get("exp", 0)) > line.clock.timestamp(), "IdToken expired."),
        (claims.get("aud") == form.get("client_id"), "Invalid IdToken Audience."),
        (form.get("nonce") in {None, claims.get("nonce")}, "Invalid IdToken Nonce."),
        (form.get("user_id") in {None, claims["sub"]}, "Invalid IdToken Subject Identifier."),
    )
    for holds, text in checks:
        if not holds:
            raise OAuthError("invalid_request", text)
    return jsonify(claims)


def revoke() -> Response:
    """Revoke a user's access token."""
    _check_client()
    with platform().change() as world:
        found = world.login_tokens.get(request.form.get("access_token", ""))
        if found is not None:
            found.is_revoked = True
    return Response("", status=200)


def certs() -> Response:
    """Return the public keys of ES256 ID tokens."""
    return jsonify(id_tokens.public_keys(platform()))


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


def userinfo() -> Response:
    """Return the claims that the scope allows; never the e-mail address."""
    user, scope = _bearer_user("openid")
    fields = {"sub": user.user_id}
    if "profile" in scope:
        fields |= {"name": user.display_name, "picture": absolute_url(user.picture_url or "")}
    return jsonify({name: value for name, value in fields.items() if value})


def profile() -> Response:
    """Return the main profile."""
    user, _scope = _bearer_user("profile")
    fields = {
        "userId": user.user_id,
        "displayName": user.display_name,
        "pictureUrl": absolute_url(user.picture_url or ""),
        "statusMessage": user.status_message,
    }
    return jsonify({name: value for name, value in fields.items() if value})


def friendship_status() -> Response:
    """Tell whether the user is a friend and has not blocked the account."""
    user, _scope = _bearer_user("profile")
    if not platform().world.login_channel.is_bot_linked:
        raise ApiError(400, "There is no login bot linked to this channel.")
    return jsonify(friendFlag=user.relation == "friend")


def deauthorize() -> Response:
    """Forget a user's consent and kill their tokens, for the login channel's own token."""
    line = platform()
    require_channel(line.world.login_channel.id)
    wanted = str((request.get_json(silent=True) or {}).get("userAccessToken"))
    found = line.world.login_tokens.get(wanted)
    if found is None or found.is_revoked:
        raise ApiError(400, "invalid token")
    forget_consent(found.user_id)
    return Response("", status=204)


def forget_consent(user_id: str) -> None:
    """Do what "Authorized apps" does in the LINE app: consent gone, tokens dead, no webhook."""
    with platform().change() as world:
        world.users[user_id].granted = []
        for issued in world.login_tokens.values():
            if issued.user_id == user_id:
                issued.is_revoked = True


def _bearer_user(scope: str) -> tuple[User, list[str]]:
    line = platform()
    found = line.world.login_tokens.get(bearer())
    if found is None:
        raise ApiError(401, "The access token is invalid")
    if found.is_revoked:
        raise ApiError(401, "The access token revoked")
    if found.expires_at <= line.clock.now():
        raise ApiError(401, "The access token expired")
    if scope not in found.scope:
        raise ApiError(403, "The permission is not in the scope of the access token.")
    return line.world.users[found.user_id], found.scope


def _find(access_token: str) -> LoginToken:
    found = platform().world.login_tokens.get(access_token)
    if found is None:
        raise OAuthError("invalid_request", "The access token not JWS")
    if found.is_revoked:
        raise OAuthError("invalid_request", "The access token revoked")
    if found.expires_at <= platform().clock.now():
        raise OAuthError("invalid_request", "The access token expired")
    return found


def _check_client() -> None:
    channel, form = platform().world.login_channel, request.form
    if form.get("client_id") != channel.id:
        raise OAuthError("invalid_client", "invalid client_id")
    given = form.get("client_secret", "").encode()
    if not hmac.compare_digest(given, channel.secret.encode()):
        raise OAuthError("invalid_client", "invalid client_secret")


def _check_verifier(code: AuthorizationCode) -> None:
    if code.code_challenge is None:
        return
    verifier = request.form.get("code_verifier", "")
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(made, code.code_challenge):
        raise OAuthError("invalid_grant", "invalid code_verifier")


def _claims_fault() -> dict[str, Any]:
    fault = platform().take_fault_with("id_token")
    claims: dict[str, Any] = fault["id_token"] if fault else {}
    return claims


def _token_json(issued: LoginToken) -> dict[str, Any]:
    seconds = int((issued.expires_at - platform().clock.now()).total_seconds())
    return {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "refresh_token": issued.refresh_token,
        "expires_in": seconds,
        "scope": " ".join(issued.scope),
    }
