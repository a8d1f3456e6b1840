"""Channel access tokens, fetched when needed and kept until shortly before their end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

import requests
import urllib3
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from ..errors import LineApiError
from .calls import UNREADABLE
from .http import LineHttp

#: Seconds before its end at which a token is no longer used.
RENEW_BEFORE = 60
#: Seconds: no token of LINE's lives longer than 30 days.
LONGEST_LIFE = 31 * 86_400.0
#: OAuth's words for errors; anything else that stands there is not LINE's.
_OAUTH_ERROR = re.compile("[a-z_]{1,40}")


@dataclass
class StatelessToken:
    """A channel's stateless token: from its ID and secret alone, alive for 15 minutes.

    Source: Messaging API reference, "Issue stateless channel access token".
    """

    token_url: str
    channel_id: str
    channel_secret: str = field(repr=False)
    http: LineHttp
    monotonic: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _renew_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self) -> str:
        """Return a token that lives for at least another minute.

        :raises LineApiError: LINE did not give one; names the settings to look at.
        """
        with self._lock:
            if self.monotonic() >= self._renew_at:
                self._fetch()
            return self._token

    def forget(self) -> None:
        """Fetch a new token next time, because LINE refused this one."""
        self._renew_at = 0.0

    def _fetch(self) -> None:
        client = OAuth2Session(
            self.channel_id,
            self.channel_secret,
            token_endpoint_auth_method="client_secret_post",
        )
        self.http.equip(client)
        try:
            answer = client.fetch_token(
                self.token_url, grant_type="client_credentials", **self.http.options
            )
            token, seconds = answer["access_token"], float(answer["expires_in"])
            if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
                raise ValueError("no token")
            if not 0 < seconds < LONGEST_LIFE:
                raise ValueError("no length of time")
        except OAuthError as error:
            word = error.error if _OAUTH_ERROR.fullmatch(str(error.error)) else "an unknown error"
            raise LineApiError(
                f"LINE gave no channel access token for channel {self.channel_id} "
                f"({word}): its ID or secret in the LINECONNECT_ settings is wrong",
                status=400,
            ) from None
        except UNREADABLE as error:
            raise LineApiError(
                "LINE's answer to the request for a channel access token can't be read: "
                f"{type(error).__name__}"
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise LineApiError(
                "LINE did not answer the request for a channel access token: "
                f"{type(error).__name__}"
            ) from None
        self._token, self._renew_at = token, self.monotonic() + seconds - RENEW_BEFORE


@dataclass(frozen=True)
class FixedToken:
    """A long-lived token from the settings."""

    token: str = field(repr=False)

    def get(self) -> str:
        """Return the token."""
        return self.token

    def forget(self) -> None:
        """Keep it: there is no other."""
