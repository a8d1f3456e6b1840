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

from ..config.settings import Config
from ..errors import LineApiError
from ..line_api.client import ChannelToken
from ..line_api.http import Answer
from ..line_api.http import LineHttp
from ..vault import Vault

#: How long a refresh token lives, counted from the login.
REFRESH_LIFE = timedelta(days=90)
#: Longest token that is kept, in characters; LINE's have a few hundred.
MAX_TOKEN = 4_096


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
        return cls(
            access_token=_token(answer.get("access_token")),
            refresh_token=_token(answer.get("refresh_token")),
            expires_at=int(now.timestamp() + _life(answer.get("expires_in"))),
            refresh_expires_at=int((now + REFRESH_LIFE).timestamp()),
        )


def _token(value: object) -> str:
    """Return a token that can be sent in a header; what LINE would never give is none."""
    is_sane = isinstance(value, str) and value.isascii() and value.isprintable()
    return str(value) if is_sane and len(str(value)) <= MAX_TOKEN else ""


def _life(seconds: object) -> float:
    """Return how long a token lives, in seconds; an odd answer counts as not at all."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return 0
    return seconds if 0 <= seconds <= REFRESH_LIFE.total_seconds() else 0


class TokenVault:
    """Keeps login tokens encrypted, each bound to its LINE user and to the login channel."""

    def __init__(self, vault: Vault, channel_id: str):
        self._vault = vault
        self._channel_id = channel_id

    def seal(self, line_user_id: str, tokens: LoginTokens) -> str:
        """Return the tokens encrypted for one LINE user."""
        return self._vault.seal(self._owner(line_user_id), asdict(tokens))

    def open(self, line_user_id: str, sealed: str | None) -> LoginTokens | None:
        """Return a user's tokens; ``None`` if there are none that can be read as their own."""
        content = self._vault.open(self._owner(line_user_id), sealed)
        return None if content is None else LoginTokens(**content)

    def _owner(self, line_user_id: str) -> list[str]:
        return ["login tokens", line_user_id, self._channel_id]


class LoginTokenApi:
    """What can be done with login tokens at LINE.

    :param channel_token: of the login channel, which ``deauthorize`` asks for.
    """

    def __init__(self, config: Config, channel_token: ChannelToken, http: LineHttp):
        self._config = config
        self._channel_token = channel_token
        self._http = http

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
        answer = self._ask("POST", "/oauth2/v2.1/token", form=form)
        if answer.status == HTTPStatus.BAD_REQUEST:
            error = answer.content.get("error")
            if error == "invalid_grant":
                return None
            # A wrong channel secret says nothing about the consent.
            raise LineApiError("LINE refused to refresh a login token: 400", status=400)
        fresh = LoginTokens.of(answer.content, now=now)
        if not fresh.access_token:
            raise LineApiError(
                "LINE's answer can't be read: refresh a login token", status=answer.status
            )
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
        query = {"access_token": tokens.access_token}
        answer = self._ask("GET", "/oauth2/v2.1/verify", query=query)
        channel_id = answer.content.get("client_id")
        if answer.status == HTTPStatus.OK and not isinstance(channel_id, str):
            raise LineApiError("LINE's answer can't be read: verify a login token", status=200)
        return answer.status == HTTPStatus.OK and channel_id == self._config.login_channel_id

    def deauthorize(self, tokens: LoginTokens) -> None:
        """Tell LINE that a member has left; all tokens of theirs end, and their consent.

        A token that LINE does not know any more is no error: the consent has ended already.

        :raises LineApiError: LINE did not do it.
        """
        answer = self._ask(
            "POST",
            "/user/v1/deauthorize",
            bearer=self._channel_token.get(),
            body={"userAccessToken": tokens.access_token},
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._channel_token.forget()
            raise LineApiError("LINE refused to deauthorize: 401", status=answer.status)

    def _ask(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = self._http.ask(method, path, **arguments)
        known = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and answer.status not in known:
            raise LineApiError(f"LINE refused {path}: {answer.status}", status=answer.status)
        if answer.status < HTTPStatus.MULTIPLE_CHOICES and not answer.is_readable:
            raise LineApiError(f"LINE's answer can't be read: {path}", status=answer.status)
        return answer
