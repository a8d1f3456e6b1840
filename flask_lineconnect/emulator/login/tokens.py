"""What comes of a login's code: tokens, their refresh and their end.

What one can do with such a token is in ``login_profile``.

Source: LINE Login v2.1 reference, "Issue access token" to "Deauthorize"; LIFF's exchange as seen on
the wire.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import OAuthError
from ..phone.user_actions import unlink_app
from ..platform import Platform
from ..platform import platform
from ..requests_in import json_body
from ..tokens import channel_tokens_v21
from ..tokens.channel_tokens import BAD_TOKEN
from ..tokens.channel_tokens import bearer
from ..tokens.channel_tokens import require_channel
from ..world import AuthorizationCode
from ..world import ChannelToken
from ..world import LoginToken
from ..world import World
from . import id_tokens
from . import profile as login_profile

CODE_LIFE = timedelta(minutes=10)
WEB_TOKEN_LIFE, REFRESH_LIFE = timedelta(days=30), timedelta(days=90)
LIFF_TOKEN_LIFE = timedelta(hours=12)
#: How long an expired code is told from an unknown one.
_CODE_MEMORY = timedelta(days=1)


def register(app: Flask) -> None:
    """Add the endpoints."""
    for rule, view, method in (
        ("/oauth2/v2.1/token", token, "POST"),
        ("/oauth2/v2.1/verify", verify_access_token, "GET"),
        ("/oauth2/v2.1/verify", verify_id_token, "POST"),
        ("/oauth2/v2.1/revoke", revoke, "POST"),
        ("/user/v1/deauthorize", deauthorize, "POST"),
    ):
        app.add_url_rule(rule, f"login_tokens.{view.__name__}", view, methods=[method])
    login_profile.register(app)


def token() -> Response:
    """Exchange a code, or refresh a token; channel access tokens v2.1 are issued here too."""
    match request.form.get("grant_type"):
        case "authorization_code":
            return _exchange()
        case "refresh_token":
            return _refresh()
        case "client_credentials":
            return channel_tokens_v21.issue_for_assertion()
        case None:
            raise OAuthError("invalid_request", "some parameters missed or invalid")
        case _:
            raise OAuthError("unsupported_grant_type", "unsupported grant_type")


def issue(
    line: Platform, code: AuthorizationCode, *, life: timedelta, is_in_chat: bool = False
) -> LoginToken:
    """Issue an access token for what a code stands for."""
    now = line.clock.now()
    made = LoginToken(
        access_token=_make_access_token(),
        refresh_token=secrets.token_urlsafe(24),
        client_id=code.client_id,
        user_id=code.user_id,
        # The e-mail address is read from the ID token only.
        scope=[name for name in code.scope if name != "email"],
        issued_at=now,
        expires_at=now + life,
        refresh_expires_at=now + REFRESH_LIFE,
        is_in_chat=is_in_chat,
        liff_id=code.liff_id,
    )
    with line.change() as world:
        _drop_dead(world, now)
        world.login_tokens[made.access_token] = made
    return made


def verify_access_token() -> Response:
    """Tell whose channel a token belongs to; any channel's answers 200."""
    line, given = platform(), request.args.get("access_token", "")
    found = line.world.login_tokens.get(given) or channel_tokens_v21.find(given)
    wrong = login_profile.what_is_wrong(line, found)
    if found is None or wrong:
        raise OAuthError("invalid_request", wrong or "The access token not JWS")
    return jsonify(_verified_json(line, found))


def verify_id_token() -> Response:
    """Check an ID token for a channel and return its claims."""
    line, form = platform(), request.form
    claims = id_tokens.read(line, form.get("id_token", ""))
    expires_at = claims.get("exp") if claims is not None else None
    if claims is None or not isinstance(expires_at, int | float):
        raise OAuthError("invalid_request", "Invalid IdToken.")
    checks = (
        (claims.get("iss") == id_tokens.ISSUER, "Invalid IdToken Issuer."),
        (expires_at > line.clock.timestamp(), "IdToken expired."),
        (claims.get("aud") == form.get("client_id"), "Invalid IdToken Audience."),
        (form.get("nonce") in (None, claims.get("nonce")), "Invalid IdToken Nonce."),
        (form.get("user_id") in (None, claims.get("sub")), "Invalid IdToken Subject Identifier."),
    )
    for holds, text in checks:
        if not holds:
            raise OAuthError("invalid_request", text)
    return jsonify(claims)


def revoke() -> Response:
    """Revoke a user's access token, and with it what refreshes it; or a channel's own token."""
    if channel_tokens_v21.find(request.form.get("access_token", "")) is not None:
        return channel_tokens_v21.revoke()
    _check_client()
    with platform().change() as world:
        found = world.login_tokens.get(request.form.get("access_token", ""))
        if found is not None:
            for one in world.login_tokens.values():
                one.is_revoked |= one.refresh_token == found.refresh_token
    return Response("", status=200)


def deauthorize() -> Response:
    """Forget a user's consent and kill their tokens, for the login channel's own token."""
    line = platform()
    with line.lock:
        require_login_channel({"v2.1", "stateless"})
        found = line.world.login_tokens.get(str(json_body().get("userAccessToken")))
        user = None if found is None else line.user(found.user_id)
        if user is None or login_profile.what_is_wrong(line, found):
            raise ApiError(400, "invalid token")
        unlink_app(line, user, {})
    return Response("", status=204)


def require_login_channel(kinds: set[str]) -> None:
    """Refuse a request without a living token of the login channel, of one of some kinds.

    :raises ApiError: as LINE answers.
    """
    world = platform().world
    require_channel(world.login_channel.id)
    if world.channel_tokens[bearer()].kind not in kinds:
        raise ApiError(401, BAD_TOKEN)


def _exchange() -> Response:
    line, form = platform(), request.form
    if not form.get("code") or not form.get("redirect_uri") or not form.get("client_id"):
        raise OAuthError("invalid_request", "some parameters missed or invalid")
    with line.change() as world:
        # Taken out first: a code is burnt by its first exchange, whatever comes of it.
        code = world.codes.pop(form["code"], None)
    # A LIFF page has no secret; its code is bound to the app and to a verifier instead.
    is_liff = "appId" in form
    if not is_liff:
        _check_client()
    if code is None or code.client_id != form["client_id"] or code.liff_id != form.get("appId"):
        raise OAuthError("invalid_grant", "invalid authorization code")
    if code.issued_at + CODE_LIFE < line.clock.now():
        raise OAuthError("invalid_grant", "authorization code expired")
    if code.redirect_uri != form["redirect_uri"]:
        raise OAuthError("invalid_grant", "redirect_uri does not match")
    _check_verifier(code)
    user = line.user(code.user_id)
    if user is None:
        raise OAuthError("invalid_grant", "invalid authorization code")
    issued = issue(line, code, life=LIFF_TOKEN_LIFE if is_liff else WEB_TOKEN_LIFE)
    answer = _token_json(issued)
    if "openid" in code.scope:
        is_key_pair = form.get("id_token_key_type") == "JWK"
        sign = id_tokens.sign_liff if is_key_pair else id_tokens.sign_web
        answer["id_token"] = sign(line, id_tokens.claims_for(line, user, code))
    return jsonify(answer)


def _refresh() -> Response:
    _check_client()
    line = platform()
    now, wanted = line.clock.now(), request.form.get("refresh_token", "")
    with line.change() as world:
        old = next((t for t in world.login_tokens.values() if t.refresh_token == wanted), None)
        if old is None or old.is_revoked or old.refresh_expires_at < now:
            raise OAuthError("invalid_grant", "invalid refresh token")
        # The same refresh token, which lives no longer for it; the old access token lives on.
        new = old.model_copy(
            update={
                "access_token": _make_access_token(),
                "issued_at": now,
                "expires_at": now + WEB_TOKEN_LIFE,
            }
        )
        world.login_tokens[new.access_token] = new
    return jsonify(_token_json(new))


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


def _make_access_token() -> str:
    # LINE's begin like a JWS, and nobody is meant to read them.
    return f"eyJ{secrets.token_urlsafe(64)}"


def _drop_dead(world: World, now: datetime) -> None:
    """Forget codes and tokens that are good for nothing; they would fill the snapshot."""
    world.codes = {
        name: code for name, code in world.codes.items() if code.issued_at + _CODE_MEMORY > now
    }
    world.login_tokens = {
        name: one for name, one in world.login_tokens.items() if one.refresh_expires_at > now
    }


def _verified_json(line: Platform, token: LoginToken | ChannelToken) -> dict[str, Any]:
    left = (token.expires_at or line.clock.now()) - line.clock.now()
    fields = {"expires_in": int(left.total_seconds())}
    if isinstance(token, ChannelToken):
        return {"client_id": token.channel_id, **fields}
    return {"scope": " ".join(token.scope), "client_id": token.client_id, **fields}


def _token_json(issued: LoginToken) -> dict[str, Any]:
    return {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "refresh_token": issued.refresh_token,
        "expires_in": int((issued.expires_at - issued.issued_at).total_seconds()),
        "scope": " ".join(issued.scope),
    }
