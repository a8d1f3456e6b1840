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

from .platform import Platform
from .platform import absolute_url
from .world import AuthorizationCode
from .world import LiffApp
from .world import User

ISSUER = "https://access.line.me"
#: Seconds; documented for LIFF, and taken for the web too.
LIFETIME = 3_600

Claims = dict[str, Any]


def signing_key(line: Platform) -> ECKey:
    """Return the platform's private ES256 key; made when first needed."""
    with line.lock:
        if line.world.signing_key is None:
            key = ECKey.generate_key("P-256")
            made = {name: str(value) for name, value in key.as_dict(private=True).items()}
            made["kid"] = hashlib.sha256(made["x"].encode()).hexdigest()
            with line.change() as world:
                world.signing_key = made
        return ECKey.import_key({**(line.world.signing_key or {})})


def public_keys(line: Platform) -> dict[str, Any]:
    """Return the JWKS."""
    key = signing_key(line).as_dict(private=False)
    return {"keys": [{**key, "alg": "ES256", "use": "sig"}]}


def claims_for(line: Platform, user: User, code: AuthorizationCode) -> Claims:
    """Return the claims of the ID token for a code."""
    now = line.clock.timestamp()
    claims: Claims = {
        "iss": ISSUER,
        "sub": user.user_id,
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
    return claims | _claims_fault(line)


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
    keys: dict[str, OctKey | ECKey] = {
        "HS256": OctKey.import_key(line.world.login_channel.secret),
        "ES256": signing_key(line),
    }
    for algorithm, key in keys.items():
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
        "availability": _availability(),
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
        context["userId"] = user.user_id
    if access_token is not None:
        digest = hashlib.sha256(access_token.encode()).hexdigest()
        context["accessTokenHash"] = digest[: len(digest) // 2]
    return sign_liff(line, context)


def _availability() -> dict[str, Any]:
    """Name what LINE's app can do for a page; most of it needs the real app, and is refused."""
    # A true multipleLiffTransition would send the page to liff://, which no desktop browser opens.
    least = {
        "shareTargetPicker": "10.3.0",
        "multipleLiffTransition": "10.18.0",
        "subwindowOpen": "11.7.0",
        "scanCodeV2": "11.7.0",
    }
    return {
        name: {"permission": name == "subwindowOpen", "minVer": version}
        for name, version in least.items()
    }


def _claims_fault(line: Platform) -> Claims:
    """Return what the switched-on fault, if any, wants to be said in this ID token."""
    fault = line.take_fault_with("id_token")
    claims: Claims = fault["id_token"] if fault else {}
    return claims
