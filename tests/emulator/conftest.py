"""A platform behind a real server, the official SDK before it, and a shop that takes webhooks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
import requests
from flask import Flask
from flask import Response
from flask import request
from linebot.v3 import messaging
from linebot.v3 import oauth

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.platform import Platform
from tests.emulator.serving import serving

SAKURA, KENTA, YOKO, EMMA = (f"U{number:032x}" for number in (1, 2, 3, 4))
STRANGER = "U" + "f" * 32


@dataclass
class Shop:
    """Takes webhooks and remembers them."""

    url: str = ""
    status: int = 200
    delay_seconds: float = 0.0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self, count: int) -> list[dict[str, Any]]:
        """Return the bodies once there are ``count``."""
        wait_until(lambda: len(self.requests) >= count)
        return [json.loads(body) for _, body in self.requests]

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return all events once there are ``count`` webhooks."""
        return [event for body in self.bodies(count) for event in body["events"]]


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@dataclass
class Line:
    """The platform, its address and the SDK's clients."""

    platform: Platform
    host: str
    token: str = ""

    @property
    def api(self) -> messaging.MessagingApi:
        configuration = messaging.Configuration(host=self.host, access_token=self.token)
        return messaging.MessagingApi(messaging.ApiClient(configuration))

    @property
    def blob(self) -> messaging.MessagingApiBlob:
        configuration = messaging.Configuration(host=self.host, access_token=self.token)
        return messaging.MessagingApiBlob(messaging.ApiClient(configuration))

    @property
    def tokens(self) -> oauth.ChannelAccessToken:
        return oauth.ChannelAccessToken(oauth.ApiClient(oauth.Configuration(host=self.host)))

    def advance(self, seconds: float) -> None:
        """Move the clock, and get a token that lives then."""
        self.platform.clock.advance(seconds)
        self.renew_token()

    def renew_token(self) -> None:
        """Get a new channel access token."""
        channel = self.platform.world.messaging_channel
        self.token = self.tokens.issue_stateless_channel_token_by_client_secret(
            channel.id, channel.secret
        ).access_token

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call what the SDK refuses to send."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return requests.request(method, self.host + path, headers=headers, timeout=60, **options)

    def befriend(self, *user_ids: str) -> None:
        """Make users friends, without a webhook."""
        with self.platform.change() as world:
            for user_id in user_ids:
                world.users[user_id].relation = "friend"

    def chat(self, user_id: str) -> list[str]:
        """Return the texts in a chat."""
        entries = self.platform.world.chats.get(user_id, [])
        return [str(entry.message.get("text")) for entry in entries]

    def used(self) -> int:
        """Return what was counted to the quota."""
        return int(self.api.get_message_quota_consumption().total_usage)


@pytest.fixture
def line() -> Iterator[Line]:
    platform = Platform()
    with serving(create_app(platform)) as host:
        found = Line(platform, host)
        found.renew_token()
        yield found


@pytest.fixture
def stopped_clock(line: Line) -> None:
    """Stop the clock, so that waiting ends when the test says so."""
    line.platform.clock.freeze(datetime(2026, 8, 14, 3, 0, tzinfo=UTC))


@pytest.fixture
def shop(line: Line) -> Iterator[Shop]:
    found, app = Shop(), Flask("shop")

    @app.post("/line/webhook")
    def webhook() -> Response:
        if found.delay_seconds:
            time.sleep(found.delay_seconds)
        found.requests.append((dict(request.headers), request.get_data()))
        return Response(status=found.status)

    with serving(app) as host:
        found.url = f"{host}/line/webhook"
        with line.platform.change() as world:
            world.messaging_channel.webhook_url = found.url
        yield found
