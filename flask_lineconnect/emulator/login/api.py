"""What comes of a login's code: tokens, their refresh and their end.

What one can do with such a token is in ``profile``.

Source: LINE Login v2.1 reference, "Issue access token" to "Deauthorize"; LIFF's exchange as seen on
the wire.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

from flask import Blueprint
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import OAuthError
from ..platform import Platform
from ..platform import platform
from ..requests_in import json_body
from ..tokens import channel_tokens_v21
from ..tokens.guard import require_login_channel
from ..world import AuthorizationCode
from ..world import ChannelToken
from ..world import LoginToken
from . import id_tokens
from .tokens import LIFF_TOKEN_LIFE
from .tokens import WEB_TOKEN_LIFE
from .tokens import end_consent
from .tokens import issue
from .tokens import renew
from .tokens import what_is_wrong

CODE_LIFE = timedelta(minutes=10)

login_tokens = Blueprint("login_tokens", __name__)


@login_tokens.post("/oauth2/v2.1/token")
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


@login_tokens.get("/oauth2/v2.1/verify")
def verify_access_token() -> Response:
    """Tell whose channel a token belongs to; any channel's answers 200."""
    line, given = platform(), request.args.get("access_token", "")
    found = line.world.login_tokens.get(given) or channel_tokens_v21.find(given)
    wrong = what_is_wrong(line, found)
    if found is None or wrong:
        raise OAuthError("invalid_request", wrong or "The access token not JWS")
    return jsonify(_verified_json(line, found))


@login_tokens.post("/oauth2/v2.1/verify")
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


@login_tokens.post("/oauth2/v2.1/revoke")
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


@login_tokens.post("/user/v1/deauthorize")
def deauthorize() -> Response:
    """Forget a user's consent and kill their tokens, for the login channel's own token."""
    line = platform()
    with line.lock:
        require_login_channel({"v2.1", "stateless"})
        found = line.world.login_tokens.get(str(json_body().get("userAccessToken")))
        user = None if found is None else line.user(found.user_id)
        if user is None or what_is_wrong(line, found):
            raise ApiError(400, "invalid token")
        end_consent(line, user)
    return Response("", status=204)


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
        new = renew(line, old)
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
