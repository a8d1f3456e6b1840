"""The OpenID Connect side of LINE Login: Authlib's client and the ID token.

Source: LINE Login v2.1 reference; OpenID Connect Core 1.0, section 3.1.3.7; RFC 7636.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from http import HTTPStatus
from typing import Any
from typing import TypeGuard

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwk import OctKey

from ..config.settings import Config
from ..errors import LineApiError
from ..errors import Refused
from ..i18n import gettext as _
from ..line_api.calls import UNREADABLE
from ..line_api.http import LineHttp
from ..webhooks.parsing import is_line_user_id

logger = logging.getLogger(__name__)

ISSUER = "https://access.line.me"
#: Seconds by which LINE's clock and ours may differ.
LEEWAY = 60
#: How long LINE's ID tokens live, in seconds, as LINE documents it.
LIFETIME = 3_600


@dataclass(frozen=True, slots=True)
class Identity:
    """Who LINE says a person is, from a verified ID token."""

    line_user_id: str
    #: When LINE issued the token.
    issued_at: datetime
    display_name: str = ""
    picture_url: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """One attempt's way to LINE, and what must come back with it."""

    url: str
    state: str
    nonce: str
    code_verifier: str


class LineLogin:
    """LINE Login for one app: where to send the browser, and what its return is worth.

    :param http: to LINE's API host.
    :param clock: returns the time now, in seconds since 1970.
    """

    def __init__(self, config: Config, http: LineHttp, clock: Callable[[], float] = time.time):
        self._config = config
        self._http = http
        self._clock = clock

    def authorization(
        self, redirect_uri: str, *, state: str | None = None, **parameters: str
    ) -> Authorization:
        """Return a fresh attempt: its address at LINE, and its state, nonce and verifier.

        :param state: an unpredictable one; a random one by default.
        :param parameters: LINE's own, such as ``prompt`` or ``disable_auto_login``.
        """
        state, nonce = state or secrets.token_hex(16), secrets.token_hex(16)
        code_verifier = secrets.token_urlsafe(48)
        url = prepare_grant_uri(
            f"{self._config.hosts.access}/oauth2/v2.1/authorize",
            client_id=self._config.login_channel_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._config.login_scope,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
            **parameters,
        )
        return Authorization(url, state, nonce, code_verifier)

    def fetch_identity(
        self, code: str, *, redirect_uri: str, nonce: str, code_verifier: str
    ) -> tuple[Identity, Mapping[str, Any]]:
        """Exchange a code; return who it was, and the token endpoint's answer.

        :raises Refused: LINE does not take the code, or the ID token fails a check.
        :raises LineApiError: LINE did not answer.
        """
        try:
            token = self._exchange(code, redirect_uri=redirect_uri, code_verifier=code_verifier)
        except OAuthError as error:
            logger.warning("LINE refused the login's code: %s", _word(error.error))
            raise Refused(_("LINEがこのログインを受け付けませんでした。"), step="code") from None
        except UNREADABLE:
            raise LineApiError("the answer of LINE's token endpoint can't be read") from None
        except requests.RequestException:
            raise LineApiError("LINE's token endpoint did not answer") from None
        claims = verify_web_id_token(
            token.get("id_token"),
            channel_id=self._config.login_channel_id,
            channel_secret=self._config.login_channel_secret,
            nonce=nonce,
            clock=self._clock,
        )
        return identity_of(claims), token

    def _exchange(self, code: str, **parameters: str) -> Mapping[str, Any]:
        with OAuth2Session(
            self._config.login_channel_id,
            self._config.login_channel_secret,
            # LINE takes the secret in the form, although its discovery document does not say so.
            token_endpoint_auth_method="client_secret_post",
        ) as client:
            self._http.equip(client)
            answer = client.fetch_token(
                f"{self._config.hosts.api}/oauth2/v2.1/token",
                grant_type="authorization_code",
                code=code,
                **parameters,
                **self._http.options,
            )
            if not isinstance(answer, dict):
                raise TypeError("no JSON object")
            return answer

    def is_friend(self, access_token: str) -> bool | None:
        """Ask whether the person is a friend of the official account and has not blocked it.

        :return: ``None`` when LINE does not say, for example without a linked official account.

        Source: LINE Login v2.1 reference, "Get friendship status".
        """
        try:
            answer = self._http.ask("GET", "/friendship/v1/status", bearer=access_token)
        except LineApiError:
            return None
        flag = answer.content.get("friendFlag") if answer.status == HTTPStatus.OK else None
        return flag if isinstance(flag, bool) else None


def _word(error: object) -> str:
    """Return one of OAuth's words for errors as it is: whatever else stands there is no log's."""
    return str(error) if re.fullmatch("[a-z_]{1,40}", str(error)) else "an unknown error"


def verify_web_id_token(
    id_token: object,
    *,
    channel_id: str,
    channel_secret: str,
    nonce: str,
    clock: Callable[[], float] = time.time,
) -> Mapping[str, Any]:
    """Check the ID token of a web login, HS256 with the channel secret and nothing else.

    :return: its claims.
    :raises Refused: it is missing or any check fails; the step names which.
    """
    # joserfc asks for keys by their type; the channel secret is an octet string.
    key = OctKey.import_key(channel_secret)
    claims = _decode(id_token, key, "HS256")
    check_claims(claims, channel_id=channel_id, now=clock())
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
        claims["nonce"].encode(errors="replace"), nonce.encode()
    ):
        raise _refused("nonce")
    return claims


def verify_liff_id_token(
    id_token: object, key: ECKey, *, channel_id: str, clock: Callable[[], float] = time.time
) -> Mapping[str, Any]:
    """Check the ID token of a LIFF page, ES256 with LINE's key and nothing else.

    :return: its claims.
    :raises Refused: any check fails; the step names which.
    """
    claims = _decode(id_token, key, "ES256")
    check_claims(claims, channel_id=channel_id, now=clock())
    return claims


def check_claims(claims: Mapping[str, Any], *, channel_id: str, now: float) -> None:
    """Check issuer, audience, subject and times of an ID token's claims.

    :param now: in seconds since 1970.
    :raises Refused: one of them is wrong; the step names which.
    """
    if claims.get("iss") != ISSUER:
        raise _refused("iss")
    if claims.get("aud") != channel_id:
        raise _refused("aud")
    if not is_line_user_id(str(claims.get("sub"))):
        raise _refused("sub")
    expires_at, issued_at = claims.get("exp"), claims.get("iat")
    # Written so that a value which compares with nothing, JSON's NaN, is refused as well.
    if not is_number(expires_at) or not expires_at + LEEWAY >= now:
        raise _refused("exp")
    if not is_number(issued_at) or not -LEEWAY <= now - issued_at <= LIFETIME + LEEWAY:
        raise _refused("iat")
    if not 0 < expires_at - issued_at <= LIFETIME:
        raise _refused("exp")


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """Return the identity in verified claims; texts are bounded, odd ones left out."""

    def text(name: str) -> str:
        value = claims.get(name)
        # No database takes a lone surrogate, and PostgreSQL takes no NUL.
        cleaned = value.encode(errors="ignore").decode() if isinstance(value, str) else ""
        return cleaned.replace("\0", "")[:500]

    picture = text("picture")
    return Identity(
        line_user_id=claims["sub"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        display_name=text("name"),
        picture_url=picture if picture.startswith(("https://", "http://")) else None,
        email=text("email") or None,
    )


def _decode(id_token: object, key: OctKey | ECKey, algorithm: str) -> dict[str, Any]:
    if not isinstance(id_token, str):
        raise _refused("id_token")
    try:
        return jwt.decode(id_token, key, algorithms=[algorithm]).claims
    except (JoseError, *UNREADABLE):
        raise _refused("signature") from None


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a claim is a number; JSON's booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused(step: str) -> Refused:
    logger.warning("an ID token was refused at the check of its %s", step)
    return Refused(
        _("LINEからのログイン情報を確認できませんでした。もう一度お試しください。"), step=step
    )
