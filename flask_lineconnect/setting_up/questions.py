"""What LINE is asked of its channels: each question once, and its answer is kept.

Every question only reads, except for LINE's own try of the webhook. ``doctor/`` asks, and
``joining.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from http import HTTPStatus
from typing import Any

from ..config.settings import Config
from ..errors import LineApiError
from ..line_api.http import Answer
from ..line_api.http import LineHttp

#: After so many questions without an answer no other one is asked: each would wait as long.
PATIENCE = 2
#: LINE's no to a channel's ID and secret, and to a token.
REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NO_TOKEN = "LINE refuses the channel's ID or secret"
_WRONG_KIND = "LINE does not let this channel ask"


@dataclass(frozen=True, slots=True)
class Tried:
    """How LINE fared when it tried the webhook.

    :ivar seconds: until LINE told, the way to LINE included.
    """

    answer: Answer
    seconds: float


@dataclass
class Questions:
    """What is asked with the settings of one shop.

    :ivar http: to LINE's API host.
    """

    config: Config
    http: LineHttp
    _answers: dict[str, Answer | LineApiError] = field(default_factory=dict)
    _silences: dict[str, int] = field(default_factory=dict)

    def token(self, channel_id: str, channel_secret: str) -> str | None:
        """Return a channel's stateless token; ``None`` where LINE refuses its ID or secret.

        :raises LineApiError: LINE did not say.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": channel_id,
            "client_secret": channel_secret,
        }
        what = f"a token of channel {channel_id}"
        key = f"{what} {hash(channel_secret)}"
        answer = self.once(key, lambda: self.http.ask("POST", "/oauth2/v3/token", form=form))
        token = known(answer, what, also=REFUSED).content.get("access_token")
        if answer.status != HTTPStatus.OK:
            return None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise LineApiError(f"LINE's answer can't be read: {what}")
        return token

    @property
    def messaging_token(self) -> str | None:
        """The Messaging API channel's token, from its ID and secret."""
        config = self.config
        return self.token(config.messaging_channel_id, config.messaging_channel_secret)

    @property
    def login_token(self) -> str | None:
        """The login channel's token, from its ID and secret."""
        config = self.config
        return self.token(config.login_channel_id, config.login_channel_secret)

    def ask(
        self,
        path: str,
        *,
        bearer: str | None,
        query: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Answer:
        """Return LINE's answer to a question.

        :param bearer: ``None`` where LINE refuses what a token would be fetched with.
        :param also: statuses that say something, beside 200.
        :raises LineApiError: LINE did not say, or may not be asked.
        """
        if bearer is None:
            raise LineApiError(_NO_TOKEN)
        # Of one path each token has its own answer; kept by what tells tokens apart and no token.
        key = f"{path} {sorted((query or {}).items())} {hash(bearer)}"
        answer = self.once(key, lambda: self.http.ask("GET", path, bearer=bearer, query=query))
        return known(answer, path, also=also)

    def form(self, path: str, form: Mapping[str, str]) -> Answer:
        """Return LINE's answer to a form, refusals with 400 included.

        :raises LineApiError: LINE did not say.
        """
        key = f"{path} {hash(frozenset(form.items()))}"
        answer = self.once(key, lambda: self.http.ask("POST", path, form=form))
        return known(answer, path, also={HTTPStatus.BAD_REQUEST})

    def bot(self, path: str, *also: int, **query: str) -> Answer:
        """Ask the Messaging API.

        :raises LineApiError: LINE did not say, or does not let this channel ask.
        """
        return self.ask(path, bearer=self.messaging_token, query=query or None, also=also)

    def has_bot(self) -> bool:
        """Tell whether LINE knows an official account of the Messaging API channel.

        :raises LineApiError: LINE did not say.
        """
        return self.bot("/v2/bot/info", *REFUSED).status == HTTPStatus.OK

    def account(self) -> Mapping[str, Any]:
        """Return what LINE tells of the official account.

        :raises LineApiError: LINE did not say.
        """
        if not self.has_bot():
            raise LineApiError(_WRONG_KIND)
        return self.bot("/v2/bot/info", *REFUSED).content

    def has_apps(self) -> bool:
        """Tell whether LINE lets the login channel ask for its LIFF apps, be there any or none.

        :raises LineApiError: LINE did not say.
        """
        return self._apps().status not in REFUSED

    def liff_apps(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the login channel's LIFF apps by their ids.

        :raises LineApiError: LINE did not say.
        """
        if not self.has_apps():
            raise LineApiError(_WRONG_KIND)
        apps = self._apps().content.get("apps", [])
        if not isinstance(apps, list):
            raise LineApiError("LINE's answer can't be read: /liff/v1/apps")
        return {str(app.get("liffId")): app for app in apps if isinstance(app, dict)}

    def _apps(self) -> Answer:
        none = {HTTPStatus.NOT_FOUND, *REFUSED}
        return self.ask("/liff/v1/apps", bearer=self.login_token, also=none)

    @cached_property
    def tried_webhook(self) -> Tried:
        """How LINE fares with the webhook; status 404 where it has no address to try.

        :raises LineApiError: LINE did not say.
        """
        token, path = self.messaging_token, "/v2/bot/channel/webhook/test"
        if token is None:
            raise LineApiError(_NO_TOKEN)
        began = time.monotonic()
        answer = self.once(path, lambda: self.http.ask("POST", path, bearer=token, body={}))
        answer = known(answer, path, also={HTTPStatus.NOT_FOUND})
        return Tried(answer, time.monotonic() - began)

    def once(self, key: str, ask: Callable[[], Answer], *, host: str = "LINE") -> Answer:
        """Return the answer to a question, which is asked the first time.

        :param key: names the question.
        :param host: who is asked; whoever was silent too often is asked no more.
        :raises LineApiError: there was no answer.
        """
        if key not in self._answers:
            self._answers[key] = self._asked(ask, host)
        answer = self._answers[key]
        if isinstance(answer, LineApiError):
            raise answer
        return answer

    def _asked(self, ask: Callable[[], Answer], host: str) -> Answer | LineApiError:
        if self._silences.get(host, 0) >= PATIENCE:
            return LineApiError("there was no answer before, so no further question was asked")
        try:
            return ask()
        except LineApiError as error:
            self._silences[host] = self._silences.get(host, 0) + 1
            return error


def known(answer: Answer, what: str, *, also: Collection[int]) -> Answer:
    """Return an answer that says something.

    :raises LineApiError: LINE, or something on the way to it, failed.
    """
    if answer.status == HTTPStatus.OK and answer.is_readable:
        return answer
    if answer.status in also:
        return answer
    said = "can't be read" if answer.status == HTTPStatus.OK else f"has status {answer.status}"
    raise LineApiError(f"LINE's answer {said}: {what}", status=answer.status)
