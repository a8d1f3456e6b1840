"""ID tokens and the keys behind them: HS256 for web logins, ES256 for LIFF.

Source: LINE Login v2.1 reference, "ID token"; "Verify ID token".
"""

from __future__ import annotations

import hashlib
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwk import OctKey

from ..addresses import absolute_url
from ..platform import Platform
from ..world import AuthorizationCode
from ..world import LiffApp
from ..world import User
from .signing_keys import living_keys
from .signing_keys import signing_key

ISSUER = "https://access.line.me"
#: Seconds; documented for LIFF, and taken for the web too.
LIFETIME = 3_600

Claims = dict[str, Any]


def login_user_id(line: Platform, user: User) -> str:
    """Return the id by which the login channel knows a user.

    Each provider has its own; channels of one provider have the same.
    """
    provider = line.world.login_channel.provider
    if provider == line.world.messaging_channel.provider:
        return user.user_id
    return "U" + hashlib.sha256(f"{provider} {user.user_id}".encode()).hexdigest()[:32]


def claims_for(line: Platform, user: User, code: AuthorizationCode) -> Claims:
    """Return the claims of the ID token for a code."""
    now = line.clock.timestamp()
    claims: Claims = {
        "iss": ISSUER,
        "sub": login_user_id(line, user),
        "aud": code.client_id,
        "exp": now + LIFETIME,
        "iat": now,
        "amr": code.amr,
    }
    if code.max_age is not None and user.last_authenticated_at is not None:
        claims["auth_time"] = int(user.last_authenticated_at.timestamp())
    if code.nonce is not None:
        claims["nonce"] = code.nonce
    if "profile" in code.scope:
        claims["name"] = user.display_name
        if user.picture_url:
            claims["picture"] = absolute_url(user.picture_url)
    if code.is_email_granted and user.email:
        claims["email"] = user.email
    return claims | line.faults.of_id_token()


def sign_web(line: Platform, claims: Claims) -> str:
    """Sign as LINE does for web logins: HS256 with the channel secret, no ``kid``."""
    key = OctKey.import_key(line.world.login_channel.secret)
    return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, key, algorithms=["HS256"])


def sign_liff(line: Platform, claims: Claims) -> str:
    """Sign as LINE does for LIFF: ES256 with a key of the JWKS."""
    key = signing_key(line)
    header = {"typ": "JWT", "alg": "ES256", "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=["ES256"])


def read(line: Platform, id_token: str) -> Claims | None:
    """Return the claims of an ID token of either kind, or ``None`` if it is not ours."""
    secret = OctKey.import_key(line.world.login_channel.secret)
    candidates: list[tuple[str, OctKey | ECKey]] = [("HS256", secret)]
    candidates += [("ES256", key) for key in living_keys(line)]
    for algorithm, key in candidates:
        try:
            return dict(jwt.decode(id_token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError):
            continue
    return None


def context_token(
    line: Platform, app: LiffApp, *, user: User | None, access_token: str | None, in_client: bool
) -> str:
    """Return the JWT that holds what ``liff.getContext()`` returns."""
    context: Claims = {
        "type": "utou" if in_client else "external",
        "liffId": app.liff_id,
        "endpointUrl": app.endpoint_url,
        "availability": _availability(app),
        # What the app asks for, not what the user granted.
        "scope": app.scope,
        "menuColorSetting": {"adaptableColorSchemes": ["light"]},
        "utsTracking": {"mode": "none"},
        "miniDomainAllowed": False,
        "permanentLinkPattern": "concat",
    }
    if in_client:
        context["viewType"] = app.view_type
    if user is not None:
        context["userId"] = login_user_id(line, user)
    if access_token is not None:
        digest = hashlib.sha256(access_token.encode()).hexdigest()
        context["accessTokenHash"] = digest[: len(digest) // 2]
    return sign_liff(line, context)


def _availability(app: LiffApp) -> dict[str, Any]:
    """Name what LINE's app can do for a page."""
    # A true multipleLiffTransition would send the page to liff://, which no desktop browser opens.
    return {
        name: {"permission": is_there, "minVer": version}
        for name, version, is_there in (
            ("shareTargetPicker", "10.3.0", app.has_share_target_picker),
            ("multipleLiffTransition", "10.18.0", False),
            ("subwindowOpen", "11.7.0", True),
            ("scanCodeV2", "11.7.0", app.has_qr_code),
        )
    }
