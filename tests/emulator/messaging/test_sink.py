"""Sink mode: the official SDK against a process that keeps only counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from linebot.v3 import messaging
from linebot.v3.messaging.exceptions import ApiException

from flask_lineconnect.testing.emulator import run_emulator

USERS = [f"U{number:032x}" for number in range(500)]


@contextmanager
def sink(*options: str) -> Iterator[messaging.MessagingApi]:
    """Run a sink; give the SDK's client for it."""
    with run_emulator(None, "--sink", *options) as emulator:
        answer = requests.post(f"{emulator.url}/oauth2/v3/token", timeout=60).json()
        configuration = messaging.Configuration(
            host=emulator.url, access_token=answer["access_token"]
        )
        yield messaging.MessagingApi(messaging.ApiClient(configuration))


def text(words: str) -> messaging.TextMessage:
    return messaging.TextMessage(text=words, quickReply=None, quoteToken=None)


def push(api: messaging.MessagingApi, words: str = "や", key: str | None = None) -> None:
    request = messaging.PushMessageRequest(
        to=USERS[0],
        messages=[text(words)],
        notificationDisabled=False,
        customAggregationUnits=None,
    )
    api.push_message(request, x_line_retry_key=key)


def multicast(api: messaging.MessagingApi, words: str) -> None:
    request = messaging.MulticastRequest(
        to=USERS, messages=[text(words)], notificationDisabled=False, customAggregationUnits=None
    )
    api.multicast(request)


def counts(api: messaging.MessagingApi) -> dict[str, int]:
    host = api.api_client.configuration.host
    return dict(requests.get(f"{host}/_emulator/counts", timeout=60).json())


def test_it_counts_what_it_takes() -> None:
    with sink() as api:
        push(api)
        multicast(api, "セール")
        told = counts(api)
        usage = api.get_message_quota_consumption().total_usage

    assert (told["push"], told["multicast"], told["recipients"]) == (1, 1, 501)
    assert told["duplicates"] == 0
    assert usage == 501


def test_it_tells_who_got_something_twice() -> None:
    with sink() as api:
        push(api, "セール")
        multicast(api, "セール")
        push(api, "べつの話")
        told = counts(api)

    assert told["duplicates"] == 1


def test_a_retry_key_is_accepted_once() -> None:
    key = str(uuid.uuid4())
    with sink() as api:
        push(api, key=key)
        with pytest.raises(ApiException) as again:
            push(api, key=key)
        told = counts(api)

    assert again.value.status == 409
    assert again.value.headers["x-line-accepted-request-id"]
    assert told["recipients"] == 1


def test_it_keeps_the_quota() -> None:
    with sink("--quota", "499") as api, pytest.raises(ApiException) as used_up:
        multicast(api, "セール")

    assert (used_up.value.status, "monthly limit" in used_up.value.body) == (429, True)


def test_it_keeps_the_rate_limits() -> None:
    """A thousandth of LINE's 200 multicasts a second: one, and the next after five seconds."""
    with sink("--rate-limits", "0.001") as api:
        multicast(api, "セール")
        with pytest.raises(ApiException) as too_fast:
            multicast(api, "セール")

    assert (too_fast.value.status, "rate limit" in too_fast.value.body) == (429, True)


def test_it_wants_a_token_and_json() -> None:
    with sink() as api:
        url = f"{api.api_client.configuration.host}/v2/bot/message/push"
        bearer = {"Authorization": f"Bearer {api.api_client.configuration.access_token}"}
        stranger = requests.post(url, json={}, timeout=60)
        broken = [
            requests.post(url, data=data, headers=bearer, timeout=60)
            for data in ("{", "[]", "{}", '{"to": 5, "messages": []}')
        ]

    assert stranger.status_code == 401
    assert {answer.status_code for answer in broken} == {400}
