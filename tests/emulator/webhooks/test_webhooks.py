"""Webhooks: what is sent, how it is signed, and what is logged."""

from __future__ import annotations

import json
import re

import pytest
from linebot.v3.messaging import SetWebhookEndpointRequest
from linebot.v3.messaging import TestWebhookEndpointRequest as TryEndpoint
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.webhook import SignatureValidator
from linebot.v3.webhook import WebhookParser

from flask_lineconnect.emulator.messaging import chats
from flask_lineconnect.emulator.messaging import friendship
from flask_lineconnect.emulator.webhooks import events as webhooks
from flask_lineconnect.emulator.webhooks import sender as webhook_sender

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from ..conftest import wait_until


def test_D2_the_signature_of_the_documented_example() -> None:
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    expected = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="

    assert webhook_sender.sign(body, "8c570fa6dd201bb328f1c1eac23a96d8") == expected


def test_W12_the_official_parser_reads_a_message_with_emoji(line: Line, shop: Shop) -> None:
    line.befriend(SAKURA)
    chats.write_text(line.platform, SAKURA, 'ポイント残高🍵 "\\ \u2028')
    shop.bodies(1)
    headers, body = shop.requests[0]
    secret = line.platform.world.messaging_channel.secret

    events = WebhookParser(secret).parse(body.decode(), headers["X-Line-Signature"])

    assert events[0].message.text == 'ポイント残高🍵 "\\ \u2028'
    assert events[0].source.user_id == SAKURA
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["User-Agent"] == "LineBotWebhook/2.0"


def test_W2_the_login_channels_secret_does_not_sign(line: Line, shop: Shop) -> None:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    shop.bodies(1)
    headers, body = shop.requests[0]
    signature, world = headers["X-Line-Signature"], line.platform.world

    right = SignatureValidator(world.messaging_channel.secret)
    wrong = SignatureValidator(world.login_channel.secret)

    assert right.validate(body.decode(), signature)
    assert not right.validate(body.decode() + " ", signature)
    assert not wrong.validate(body.decode(), signature)


def test_D3_an_event_has_all_common_fields(line: Line, shop: Shop) -> None:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    [body] = shop.bodies(1)
    [event] = body["events"]

    assert body["destination"] == line.platform.world.messaging_channel.bot_user_id
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", event["webhookEventId"])
    assert abs(event["timestamp"] - line.platform.clock.now().timestamp() * 1000) < 10_000
    assert event["mode"] == "active"
    assert event["deliveryContext"] == {"isRedelivery": False}
    assert event["source"] == {"type": "user", "userId": SAKURA}
    assert event["replyToken"] in line.platform.world.reply_tokens
    assert event["message"]["quoteToken"]


def test_W13_adding_blocking_and_unblocking(line: Line, shop: Shop) -> None:
    friendship.add_friend(line.platform, SAKURA)
    friendship.add_friend(line.platform, SAKURA)
    friendship.block(line.platform, SAKURA)
    friendship.block(line.platform, SAKURA)
    friendship.unblock(line.platform, SAKURA)

    events = shop.events(3)

    assert [event["type"] for event in events] == ["follow", "unfollow", "follow"]
    assert events[0]["follow"] == {"isUnblocked": False}
    assert events[2]["follow"] == {"isUnblocked": True}
    assert "replyToken" in events[0]
    assert "replyToken" not in events[1]
    assert line.platform.world.users[SAKURA].relation == "friend"


def test_D6_a_blocked_account_hears_nothing(line: Line, shop: Shop) -> None:
    friendship.block(line.platform, SAKURA)
    chats.write_text(line.platform, SAKURA, "聞こえない")
    chats.postback(line.platform, SAKURA, "a=1")
    chats.write_text(line.platform, KENTA, "聞こえる")

    assert [event["type"] for event in shop.events(2)] == ["unfollow", "message"]


def test_D6_a_postback_shows_its_display_text(line: Line, shop: Shop) -> None:
    chats.postback(line.platform, SAKURA, "action=buy&itemid=111", "購入する")

    [event] = shop.events(1)

    assert event["postback"] == {"data": "action=buy&itemid=111"}
    assert "replyToken" in event
    assert line.chat(SAKURA) == ["購入する"]


def test_W4_several_events_go_in_one_body(line: Line, shop: Shop) -> None:
    webhooks.emit(
        line.platform,
        {"type": "unfollow", "user_id": SAKURA},
        {"type": "postback", "user_id": KENTA, "postback": {"data": "x"}},
    )

    [body] = shop.bodies(1)

    assert [event["source"]["userId"] for event in body["events"]] == [SAKURA, KENTA]


def test_K2_an_event_without_a_user_has_neither_source_nor_reply_token(
    line: Line, shop: Shop
) -> None:
    link = {"result": "failed", "nonce": "0123456789"}
    webhooks.emit(line.platform, {"type": "accountLink", "link": link})

    [event] = shop.events(1)

    assert "source" not in event
    assert "replyToken" not in event
    assert event["link"] == link


def test_W11_standby_has_no_reply_token(line: Line, shop: Shop) -> None:
    message = {"id": "1", "type": "text", "text": "x"}
    webhooks.emit(
        line.platform,
        {"type": "message", "mode": "standby", "user_id": SAKURA, "message": message},
    )

    [event] = shop.events(1)

    assert event["mode"] == "standby"
    assert "replyToken" not in event


def test_W15_a_burst_arrives_whole_and_in_order(line: Line, shop: Shop) -> None:
    for number in range(100):
        chats.write_text(line.platform, SAKURA, str(number))

    events = shop.events(100)

    assert [event["message"]["text"] for event in events] == [str(n) for n in range(100)]
    assert len({event["webhookEventId"] for event in events}) == 100
    wait_until(lambda: len(line.platform.webhooks) == 100)


def test_W6_an_error_is_logged_and_lost(line: Line, shop: Shop) -> None:
    shop.status = 500
    chats.write_text(line.platform, SAKURA, "一")
    wait_until(lambda: len(line.platform.webhooks) == 1)
    shop.status = 200
    chats.write_text(line.platform, SAKURA, "二")
    wait_until(lambda: len(line.platform.webhooks) == 2)

    first, second = line.platform.webhooks

    assert (first["status"], first["outcome"]) == (500, "error_status_code")
    assert (second["status"], second["outcome"]) == (200, "ok")
    assert first["url"] == shop.url
    assert json.loads(first["body"])["events"][0]["message"]["text"] == "一"
    assert first["at"] < second["at"]
    assert len(shop.requests) == 2


def test_W6_no_answer_in_two_seconds_is_a_timeout(line: Line, shop: Shop) -> None:
    shop.delay_seconds = 2.3
    chats.write_text(line.platform, SAKURA, "遅い")
    wait_until(lambda: len(line.platform.webhooks) == 1)

    assert line.platform.webhooks[0]["outcome"] == "request_timeout"
    assert line.platform.webhooks[0]["status"] is None
    wait_until(lambda: len(shop.requests) == 1)


def test_W6_nobody_listens(line: Line) -> None:
    with line.platform.change() as world:
        world.messaging_channel.webhook_url = "http://127.0.0.1:9/line/webhook"
    chats.write_text(line.platform, SAKURA, "だれか")
    wait_until(lambda: len(line.platform.webhooks) == 1)

    assert line.platform.webhooks[0]["outcome"] == "could_not_connect"


def test_D1_nothing_is_sent_when_webhooks_are_switched_off(line: Line, shop: Shop) -> None:
    with line.platform.change() as world:
        world.messaging_channel.use_webhook = False
    chats.write_text(line.platform, SAKURA, "送られない")
    with line.platform.change() as world:
        world.messaging_channel.use_webhook = True
    chats.write_text(line.platform, SAKURA, "送られる")

    assert [event["message"]["text"] for event in shop.events(1)] == ["送られる"]


def test_what_was_queued_before_a_reset_is_never_sent(line: Line, shop: Shop) -> None:
    shop.delay_seconds = 0.5
    chats.write_text(line.platform, SAKURA, "送信中")
    chats.write_text(line.platform, SAKURA, "待機中")
    wait_until(lambda: line.platform.part(webhook_sender.WebhookSender)._queue.qsize() <= 1)
    line.platform.reset()
    with line.platform.change() as world:
        world.messaging_channel.webhook_url = shop.url
    chats.write_text(line.platform, KENTA, "その後")

    wait_until(lambda: len(line.platform.webhooks) == 1)

    assert "待機中" not in [event["message"]["text"] for event in shop.events(1)]
    assert json.loads(line.platform.webhooks[0]["body"])["events"][0]["message"]["text"] == "その後"


def test_W1_the_endpoint_is_tried_with_no_events(line: Line, shop: Shop) -> None:
    answer = line.api.test_webhook_endpoint()
    headers, body = shop.requests[0]

    assert answer.success
    assert (answer.status_code, answer.reason, answer.detail) == (200, "OK", "200")
    assert json.loads(body)["events"] == []
    secret = line.platform.world.messaging_channel.secret
    assert SignatureValidator(secret).validate(body.decode(), headers["X-Line-Signature"])


def test_W1_the_timestamp_has_milliseconds(line: Line, shop: Shop) -> None:
    answer = line.call("POST", "/v2/bot/channel/webhook/test", json={}).json()

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["timestamp"])


def test_W1_another_endpoint_that_fails(line: Line, shop: Shop) -> None:
    shop.status = 403
    refused = line.api.test_webhook_endpoint(TryEndpoint(endpoint=shop.url))
    absent = line.api.test_webhook_endpoint(TryEndpoint(endpoint="http://127.0.0.1:9/"))

    assert not refused.success
    assert (refused.status_code, refused.reason) == (403, "ERROR_STATUS_CODE")
    assert not absent.success
    assert (absent.status_code, absent.reason) == (0, "COULD_NOT_CONNECT")


def test_C13_the_endpoint_is_set_and_read(line: Line) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.get_webhook_endpoint()
    assert caught.value.status == 404
    assert json.loads(caught.value.body) == {"message": "Webhook endpoint not found"}

    url = "https://shop.example/line/webhook"
    line.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=url))
    answer = line.api.get_webhook_endpoint()

    assert (answer.endpoint, answer.active) == (url, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/line/webhook",
        "ftp://127.0.0.1/",
        "https://",
        "https://[",
        "https://api.line.me/x",
        "https://shop.example/" + "x" * 500,
        None,
        7,
    ],
)
def test_C13_a_bad_endpoint_is_refused(line: Line, url: object) -> None:
    path = "/v2/bot/channel/webhook/endpoint"
    answer = line.call("PUT", path, json={"endpoint": url})

    assert answer.status_code == 400
    assert answer.json() == {"message": "Invalid webhook endpoint URL"}
    assert line.platform.world.messaging_channel.webhook_url is None
