"""Webhooks with any events: those of partners, of groups, and those that do not exist yet."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3 import WebhookParser
from linebot.v3.messaging import ReplyMessageRequest
from linebot.v3.messaging import TextMessage

from flask_lineconnect.testing.plugin import Emulator

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop

GROUP = "C" + "1" * 32
IN_GROUP = {"type": "group", "groupId": GROUP, "userId": SAKURA}

#: One of each type that LINE documents.
EVENTS: list[dict[str, Any]] = [
    {"type": "message", "message": {"id": "1", "type": "text", "text": "や", "quoteToken": "q"}},
    {"type": "unsend", "unsend": {"messageId": "325708"}},
    {"type": "follow", "follow": {"isUnblocked": False}},
    {"type": "unfollow"},
    {"type": "join", "source": {"type": "group", "groupId": GROUP}},
    {"type": "leave", "source": {"type": "group", "groupId": GROUP}},
    {
        "type": "memberJoined",
        "source": IN_GROUP,
        "joined": {"members": [{"type": "user", "userId": KENTA}]},
    },
    {
        "type": "memberLeft",
        "source": IN_GROUP,
        "left": {"members": [{"type": "user", "userId": KENTA}]},
    },
    {"type": "postback", "postback": {"data": "a=1"}},
    {"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "track-id"}},
    {"type": "beacon", "beacon": {"hwid": "d41d8cd98f", "type": "enter"}},
    {"type": "accountLink", "link": {"result": "ok", "nonce": "xxxxxxxxxxxxxxx"}},
    {"type": "membership", "membership": {"type": "joined", "membershipId": 3189}},
    {"type": "module", "module": {"type": "attached", "botId": SAKURA, "scopes": ["a"]}},
    {"type": "activated", "chatControl": {"expireAt": 1462629479859}},
    {"type": "deactivated"},
    {"type": "botSuspended"},
    {"type": "botResumed"},
]
REPLIABLE = {
    "message", "follow", "join", "memberJoined", "postback", "videoPlayComplete", "beacon",
    "accountLink", "membership",
}  # fmt: skip


def send(line: Line, *events: dict[str, Any], **fields: Any) -> None:
    Emulator(line.host).send_events(*events, **fields)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["type"])
def test_W10_events_of_all_types_are_what_the_sdk_reads(
    line: Line, shop: Shop, event: dict[str, Any]
) -> None:
    send(line, {"user_id": SAKURA, **event})
    (sent,) = shop.events(1)
    _, body = shop.requests[0]
    headers = {name.lower(): value for name, value in shop.requests[0][0].items()}

    parser = WebhookParser(line.platform.world.messaging_channel.secret)
    (read,) = parser.parse(body.decode(), headers["x-line-signature"])

    assert read.type == event["type"]
    assert ("replyToken" in sent) == (event["type"] in REPLIABLE)


def test_W4_several_events_of_several_users_in_one_body(line: Line, shop: Shop) -> None:
    send(line, {"type": "follow", "user_id": SAKURA}, {"type": "unfollow", "user_id": KENTA})

    (body,) = shop.bodies(1)

    assert [event["source"]["userId"] for event in body["events"]] == [SAKURA, KENTA]
    assert len({event["webhookEventId"] for event in body["events"]}) == 2


def test_W10_events_nobody_knows_yet(line: Line, shop: Shop) -> None:
    send(line, {"type": "telepathy", "user_id": SAKURA, "thought": {"text": "や"}})

    (event,) = shop.events(1)

    assert event["thought"] == {"text": "や"}
    assert "replyToken" not in event


def test_W11_in_standby_there_is_no_reply_token(line: Line, shop: Shop) -> None:
    send(line, {"type": "message", "user_id": SAKURA, "mode": "standby", "message": {}})

    (event,) = shop.events(1)

    assert event["mode"] == "standby"
    assert "replyToken" not in event


def test_W14_W2_another_bot_and_another_signature(line: Line, shop: Shop) -> None:
    send(line, destination=KENTA, signature="wrong")

    (body,) = shop.bodies(1)
    headers = {name.lower(): value for name, value in shop.requests[0][0].items()}

    assert body == {"destination": KENTA, "events": []}
    assert headers["x-line-signature"] == "wrong"


def test_a_reply_reaches_a_group(line: Line, shop: Shop) -> None:
    send(line, {"type": "join", "source": {"type": "group", "groupId": GROUP}})
    (event,) = shop.events(1)

    message = TextMessage(text="よろしく", quickReply=None, quoteToken=None)
    line.api.reply_message(
        ReplyMessageRequest(
            replyToken=event["replyToken"], messages=[message], notificationDisabled=False
        )
    )

    assert line.chat(GROUP) == ["よろしく"]


@pytest.mark.parametrize(
    "body",
    [
        {"events": "x"},
        {"events": [1]},
        {"events": [{}]},
        {"events": [], "signature": "a\nb"},
        {"events": [], "destination": 5},
    ],
)
def test_what_is_no_webhook_is_refused(line: Line, shop: Shop, body: dict[str, Any]) -> None:
    assert line.call("POST", "/_emulator/events", json=body).status_code == 400
    assert shop.requests == []


@pytest.mark.parametrize(("minutes", "status"), [(2, 200), (21, 400)])
def test_D5_a_redelivered_reply_token_is_good_again(
    line: Line, shop: Shop, minutes: int, status: int
) -> None:
    with line.platform.change() as world:
        world.messaging_channel.redelivery = True
        world.messaging_channel.redelivery_seconds = 0.5
    shop.status = 500
    send(line, {"type": "follow", "user_id": SAKURA})
    shop.events(1)
    line.advance(60 * minutes)
    shop.status = 200

    token = shop.events(2)[1]["replyToken"]
    body = {"replyToken": token, "messages": [{"type": "text", "text": "おかえり"}]}

    assert line.call("POST", "/v2/bot/message/reply", json=body).status_code == status
