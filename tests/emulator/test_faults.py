"""Faults: calls that fail, are slow or lose their connection; webhooks that go astray."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
import requests
from linebot.v3.messaging import PushMessageRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging.exceptions import ApiException
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.emulator.faults import Faults
from flask_lineconnect.emulator.messaging import chats
from flask_lineconnect.emulator.messaging import friendship
from flask_lineconnect.testing.plugin import Emulator

from .conftest import SAKURA
from .conftest import Line
from .conftest import Shop
from .conftest import wait_until
from .login.login_browser import phone_of

PUSH = "/v2/bot/message/push"
QUOTA = "/v2/bot/message/quota"


def push(line: Line, key: str | None = None) -> None:
    message = TextMessage(text="や", quickReply=None, quoteToken=None)
    line.api.push_message(
        PushMessageRequest(
            to=SAKURA,
            messages=[message],
            notificationDisabled=False,
            customAggregationUnits=None,
        ),
        x_line_retry_key=key,
    )


def status(line: Line) -> int:
    return line.call("GET", QUOTA).status_code


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ({}, 500, "Internal server error"),
        ({"status": 503}, 503, "Internal server error"),
        ({"status": 429}, 429, "The API rate limit has been exceeded. Try again later."),
        ({"quota": True}, 429, "You have reached your monthly limit."),
    ],
)
def test_a_call_fails_as_often_as_it_should(
    line: Line, fault: dict[str, Any], code: int, message: str
) -> None:
    line.platform.faults.add(path=QUOTA, times=2, **fault)

    answers = [line.call("GET", QUOTA) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [code, code, 200]
    assert answers[0].json() == {"message": message}
    assert answers[0].headers["x-line-request-id"]


def test_a_share_of_the_calls_fails(line: Line) -> None:
    line.platform.faults.add(path=QUOTA, share=0.25)

    assert [status(line) for _ in range(8)] == [200, 200, 200, 500] * 2


def test_a_fault_may_be_of_all_paths_below_one_or_of_one_method(line: Line) -> None:
    line.platform.faults.add(path="/v2/bot/*", method="POST", times=9)

    assert status(line) == 200
    assert line.call("POST", PUSH, json={}).status_code == 500
    # The control pages are no part of LINE.
    assert line.call("GET", "/_emulator/health").status_code == 200


def test_a_slow_call_has_its_own_answer(line: Line) -> None:
    line.platform.faults.add(path=QUOTA, delay_seconds=0.2)
    began = time.monotonic()

    assert status(line) == 200
    assert time.monotonic() - began >= 0.2


def test_M19_a_dropped_connection_after_acceptance(line: Line) -> None:
    line.befriend(SAKURA)
    line.platform.faults.add(path=PUSH, drop=True, after_acceptance=True)
    key, body = str(uuid.uuid4()), {"to": SAKURA, "messages": [{"type": "text", "text": "や"}]}

    with pytest.raises(requests.ConnectionError):
        line.call("POST", PUSH, json=body, headers={"X-Line-Retry-Key": key})
    with pytest.raises(ApiException) as again:
        push(line, key)

    assert again.value.status == 409
    assert line.chat(SAKURA) == ["や"]


def test_M20_a_dropped_connection_before_acceptance(line: Line) -> None:
    line.befriend(SAKURA)
    line.platform.faults.add(path=PUSH, drop=True)

    with pytest.raises(requests.ConnectionError):
        line.call("POST", PUSH, json={"to": SAKURA})

    assert line.chat(SAKURA) == []


def test_W5_a_webhook_comes_twice(line: Line, shop: Shop) -> None:
    line.platform.faults.add(webhook="duplicate")

    chats.write_text(line.platform, SAKURA, "一")

    first, second = shop.events(2)
    assert first == second
    assert first["deliveryContext"] == {"isRedelivery": False}


def test_W9_webhooks_come_in_the_wrong_order(line: Line, shop: Shop) -> None:
    line.platform.faults.add(webhook="reorder")

    friendship.add_friend(line.platform, SAKURA)
    friendship.block(line.platform, SAKURA)

    later, earlier = shop.events(2)
    assert [later["type"], earlier["type"]] == ["unfollow", "follow"]
    assert later["timestamp"] >= earlier["timestamp"]


def test_a_webhook_that_was_held_back_comes_even_if_no_other_does(line: Line, shop: Shop) -> None:
    line.platform.faults.add(webhook="reorder")

    chats.write_text(line.platform, SAKURA, "一")

    assert [event["message"]["text"] for event in shop.events(1)] == ["一"]


def test_a_late_webhook_lets_others_pass(line: Line, shop: Shop) -> None:
    line.platform.faults.add(webhook="late", delay_seconds=0.5)

    chats.write_text(line.platform, SAKURA, "一")
    chats.write_text(line.platform, SAKURA, "二")

    assert [event["message"]["text"] for event in shop.events(2)] == ["二", "一"]


def test_a_lost_webhook_is_counted(line: Line, shop: Shop) -> None:
    line.platform.faults.add(webhook="lost")

    chats.write_text(line.platform, SAKURA, "一")
    chats.write_text(line.platform, SAKURA, "二")

    assert [event["message"]["text"] for event in shop.events(1)] == ["二"]
    wait_until(lambda: line.platform.webhook_counts == {"lost": 1, "ok": 1})


@pytest.mark.parametrize("order", ["before", "after", "twice"])
def test_P5_the_follow_webhook_and_the_callback(line: Line, shop: Shop, order: str) -> None:
    faults = line.platform.faults
    if order == "after":
        faults.add(webhook="late", event="follow", delay_seconds=0.5)
    if order == "twice":
        faults.add(webhook="duplicate", event="follow")

    with line.platform.change() as world:
        world.login_channel.callback_urls = ["http://127.0.0.1:5999/line/callback"]
    callback = phone_of(line).log_in({"bot_prompt": "normal"}, friend=True)

    if order == "after":
        assert shop.requests == []
    events = shop.events(2 if order == "twice" else 1)
    assert callback["friendship_status_changed"] == "true"
    assert {event["type"] for event in events} == {"follow"}
    assert len({event["webhookEventId"] for event in events}) == 1


def test_faults_are_told_and_switched_off(line_emulator: Emulator) -> None:
    line_emulator.fault(path=QUOTA, status=503, times=3)
    line_emulator.fault(webhook="duplicate", share=0.5)

    first, second = line_emulator.faults()
    assert (first["path"], first["status"], first["left"]) == (QUOTA, 503, 3)
    assert (second["webhook"], second["share"]) == ("duplicate", 0.5)

    line_emulator.clear_faults()
    assert line_emulator.faults() == []


@pytest.mark.parametrize("share", [0.01, 0.1, 1 / 3, 0.5, 1.0])
def test_a_share_is_kept(share: float) -> None:
    faults = Faults()
    faults.add(path=QUOTA, share=share)

    hits = sum(
        faults.of_call("GET", QUOTA, after_acceptance=False) is not None for _ in range(1_000)
    )

    assert abs(hits - 1_000 * share) <= 1


def test_the_page_switches_faults_on_and_off(page: Page, line_emulator: Emulator) -> None:
    page.goto(f"{line_emulator.url}/faults")
    calls = page.get_by_role("region", name="お店からLINEへの呼び出し")
    calls.get_by_label("呼び出し", exact=True).select_option(label="プッシュ")
    calls.get_by_label("起きること").select_option(label="今月の上限（429）")
    calls.get_by_label("回数").fill("2")
    calls.get_by_role("button", name="起こす").click()
    expect(page.get_by_text("プッシュ — 今月の上限（429）")).to_be_visible()
    expect(page.get_by_text("あと2回")).to_be_visible()

    refused = requests.post(f"{line_emulator.url}{PUSH}", json={}, timeout=60)
    assert refused.json() == {"message": "You have reached your monthly limit."}
    page.reload()
    expect(page.get_by_text("あと1回")).to_be_visible()

    others = page.get_by_role("region", name="Webhookとログイン")
    others.get_by_label("起きること").select_option(label="Webhookが二度届く")
    others.get_by_label("または割合（％）").fill("50")
    others.get_by_role("button", name="起こす").click()
    expect(page.get_by_text("50％の割合で")).to_be_visible()

    page.get_by_role("button", name="止める", exact=True).first.click()
    expect(page.get_by_text("今月の上限（429）", exact=True)).to_have_count(1)  # In the form alone.
    page.get_by_role("button", name="すべて止める").click()
    expect(page.get_by_text("いまは何も起きていません。")).to_be_visible()
    assert line_emulator.faults() == []


def test_the_page_refuses_what_is_no_fault(line_emulator: Emulator) -> None:
    form = {"path": "/*", "effect": "500", "times": "0"}
    answer = requests.post(f"{line_emulator.url}/faults/calls", data=form, timeout=60)
    foreign = requests.post(
        f"{line_emulator.url}/faults/calls",
        data=form | {"times": "1"},
        headers={"Origin": "https://evil.example"},
        timeout=60,
    )

    assert (answer.status_code, foreign.status_code) == (400, 403)
    assert line_emulator.faults() == []


def test_the_log_of_a_webhook_can_be_read(line: Line, shop: Shop) -> None:
    chats.write_text(line.platform, SAKURA, "一")
    wait_until(lambda: len(line.platform.webhooks) == 1)

    told = line.call("GET", "/_emulator/webhooks").json()

    assert told["statistics"] == {"ok": 1}
    assert json.loads(told["webhooks"][0]["body"])["events"][0]["message"]["text"] == "一"


def test_the_page_speaks_english(line_emulator: Emulator) -> None:
    line_emulator.fault(webhook="duplicate", share=0.5)

    page = requests.get(
        f"{line_emulator.url}/faults", headers={"Accept-Language": "en"}, timeout=60
    )

    assert page.status_code == 200
    assert "50 percent of the time" in page.text
