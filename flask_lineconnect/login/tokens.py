"""A member's LINE Login tokens: kept encrypted, and ended when the link ends.

Source: LINE Login v2.1 reference, "Refresh access token" to "Deauthorize"; Fernet's specification.
"""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import requests

from ..config import Config
from ..errors import LineApiError
from ..line_api.client import ChannelToken
from ..vault import Vault

#: How long a refresh token lives, counted from the login.
REFRESH_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class LoginTokens:
    """What LINE Login gave for one login; times are Unix seconds."""

    access_token: str
    refresh_token: str
    expires_at: int
    refresh_expires_at: int

    @classmethod
    def of(cls, answer: Any, *, now: datetime) -> LoginTokens:
        """Return the tokens of the token endpoint's answer; missing ones are empty."""
        seconds = answer.get("expires_in")
        life = int(seconds) if isinstance(seconds, int | float) else 0
        return cls(
            access_token=str(answer.get("access_token") or ""),
            refresh_token=str(answer.get("refresh_token") or ""),
            expires_at=int(now.timestamp()) + life,
            refresh_expires_at=int((now + REFRESH_LIFE).timestamp()),
        )


class TokenVault:
    """Keeps login tokens encrypted, each bound to its account's row and to the login channel."""

    def __init__(self, vault: Vault, channel_id: str):
        self._vault = vault
        self._channel_id = channel_id

    def seal(self, account_id: int, tokens: LoginTokens) -> str:
        """Return the tokens encrypted for one account."""
        return self._vault.seal(self._owner(account_id), asdict(tokens))

    def open(self, account_id: int, sealed: str | None) -> LoginTokens | None:
        """Return an account's tokens; ``None`` if there are none that can be read as its own."""
        content = self._vault.open(self._owner(account_id), sealed)
        return None if content is None else LoginTokens(**content)

    def _owner(self, account_id: int) -> list[str | int]:
        return ["login tokens", account_id, self._channel_id]


class LoginTokenApi:
    """What can be done with login tokens at LINE.

    :param channel_token: of the login channel, which ``deauthorize`` asks for.
    """

    def __init__(self, config: Config, channel_token: ChannelToken):
        self._config = config
        self._channel_token = channel_token
        self._api = config.hosts.api

    def refresh(self, tokens: LoginTokens, *, now: datetime) -> LoginTokens | None:
        """Return fresh tokens, or ``None`` if LINE says that the consent has ended.

        :raises LineApiError: LINE did not say.
        """
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
            "client_id": self._config.login_channel_id,
            "client_secret": self._config.login_channel_secret,
        }
        answer = self._send("POST", "/oauth2/v2.1/token", "refresh a login token", data=form)
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            error = _json(answer).get("error")
            if error == "invalid_grant":
                return None
            # A wrong channel secret says nothing about the consent.
            raise LineApiError(f"LINE refused to refresh a login token: {error!r:.40}", status=400)
        fresh = LoginTokens.of(_json(answer), now=now)
        return LoginTokens(
            access_token=fresh.access_token,
            refresh_token=fresh.refresh_token or tokens.refresh_token,
            expires_at=fresh.expires_at,
            # Refreshing does not make the refresh token live longer.
            refresh_expires_at=tokens.refresh_expires_at,
        )

    def is_alive(self, tokens: LoginTokens) -> bool:
        """Tell whether LINE still takes the access token, for our channel.

        :raises LineApiError: LINE did not say.
        """
        answer = self._send(
            "GET",
            "/oauth2/v2.1/verify",
            "verify a login token",
            params={"access_token": tokens.access_token},
        )
        is_ours = _json(answer).get("client_id") == self._config.login_channel_id
        return answer.status_code == HTTPStatus.OK and is_ours

    def deauthorize(self, tokens: LoginTokens) -> None:
        """Tell LINE that a member has left; all tokens of theirs end, and their consent.

        A token that LINE does not know any more is no error: the consent has ended already.

        :raises LineApiError: LINE did not do it.
        """
        headers = {"Authorization": f"Bearer {self._channel_token.get()}"}
        body = {"userAccessToken": tokens.access_token}
        answer = self._send(
            "POST", "/user/v1/deauthorize", "deauthorize", headers=headers, json=body
        )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._channel_token.forget()
            raise LineApiError("LINE refused to deauthorize: 401", status=answer.status_code)

    def _send(self, method: str, path: str, what: str, **request: Any) -> requests.Response:
        try:
            answer = requests.request(
                method,
                self._api + path,
                timeout=self._config.timeout_seconds,
                allow_redirects=False,
                **request,
            )
        except requests.RequestException as error:
            raise LineApiError(f"LINE did not answer: {what}, {type(error).__name__}") from None
        is_expected = answer.status_code < HTTPStatus.MULTIPLE_CHOICES
        known = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
        if not is_expected and answer.status_code not in known:
            raise LineApiError(
                f"LINE refused to {what}: {answer.status_code}", status=answer.status_code
            )
        return answer


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}
