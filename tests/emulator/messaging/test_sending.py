"""Push, multicast and broadcast: whom they reach and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from linebot.v3.messaging import BroadcastRequest
from linebot.v3.messaging import LocationMessage
from linebot.v3.messaging import PushMessageRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging.exceptions import ApiException

from flask_lineconnect.emulator.messaging import chats
from flask_lineconnect.emulator.messaging import friendship

from ..conftest import EMMA
from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line
from .sdk import error_of
from .sdk import multicast
from .sdk import push_request


def test_M2_push_to_a_friend(line: Line) -> None:
    line.befriend(SAKURA)

    answer = line.api.push_message(push_request(SAKURA, "一", "二"))

    assert line.chat(SAKURA) == ["一", "二"]
    ids = [entry.id for entry in line.platform.world.chats[SAKURA]]
    assert [sent.id for sent in answer.sent_messages] == ids
    assert all(sent.quote_token for sent in answer.sent_messages)
    assert line.used() == 1
    assert line.platform.world.users[SAKURA].unread == 2


def test_C6_a_location_has_no_quote_token(line: Line) -> None:
    line.befriend(SAKURA)
    place = LocationMessage(title="店", address="京都", latitude=35.0, longitude=135.7)

    answer = line.api.push_message(PushMessageRequest(to=SAKURA, messages=[place]))

    assert answer.sent_messages[0].quote_token is None


@pytest.mark.parametrize("relation", ["none", "blocked"])
def test_M3_push_that_reaches_nobody_is_accepted(line: Line, relation: Any) -> None:
    with line.platform.change() as world:
        world.users[SAKURA].relation = relation

    answer = line.api.push_message(push_request(SAKURA))

    assert len(answer.sent_messages) == 1
    assert line.chat(SAKURA) == []
    assert line.used() == 0


def test_M4_who_wrote_can_be_answered_for_seven_days(line: Line) -> None:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    line.api.push_message(push_request(SAKURA, "まだ"))
    line.advance(timedelta(days=7, seconds=1).total_seconds())
    line.api.push_message(push_request(SAKURA, "もう"))

    assert line.chat(SAKURA) == ["こんにちは", "まだ"]


@pytest.mark.parametrize("to", [STRANGER, "C" + "0" * 32])
def test_M5_push_to_an_unknown_user_or_group(line: Line, to: str) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(to))

    assert error_of(caught) == (400, {"message": "Failed to send messages"})


@pytest.mark.parametrize("to", ["", "sakura", SAKURA.lower(), SAKURA + "0", SAKURA + "\n"])
def test_M6_push_to_something_malformed(line: Line, to: str) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(to))

    text = "The property, 'to', in the request body is invalid (line: -, column: -)"
    assert error_of(caught) == (400, {"message": text})


def test_M7_multicast_reaches_each_friend_once(line: Line) -> None:
    line.befriend(SAKURA, KENTA)

    multicast(line, [SAKURA, KENTA, SAKURA, YOKO])

    assert [len(line.chat(user_id)) for user_id in (SAKURA, KENTA, YOKO)] == [1, 1, 0]
    assert line.used() == 2


def test_M7_multicast_to_501(line: Line) -> None:
    body = {"to": [SAKURA] * 501, "messages": [{"type": "text", "text": "や"}]}
    answer = line.call("POST", "/v2/bot/message/multicast", json=body)

    assert answer.status_code == 400
    assert answer.json()["details"] == [
        {"message": "Size must be between 1 and 500", "property": "to"}
    ]


@pytest.mark.parametrize("bad", ["x", "C" + "0" * 32])
def test_M7_one_malformed_id_stops_a_multicast(line: Line, bad: str) -> None:
    line.befriend(SAKURA)

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA, bad])

    text = "The property, to[1], in the request body is invalid (line: -, column: -)"
    assert error_of(caught) == (400, {"message": text})
    assert line.chat(SAKURA) == []


@pytest.mark.parametrize("is_strict", [False, True])
def test_M8_multicast_to_an_unknown_user(line: Line, is_strict: bool) -> None:
    line.befriend(SAKURA)
    with line.platform.change() as world:
        world.messaging_channel.refuses_foreign_multicast = is_strict

    if is_strict:
        with pytest.raises(ApiException) as caught:
            multicast(line, [SAKURA, STRANGER])
        assert caught.value.status == 400
    else:
        multicast(line, [SAKURA, STRANGER])

    assert len(line.chat(SAKURA)) == (0 if is_strict else 1)


def test_broadcast_reaches_all_friends(line: Line) -> None:
    line.befriend(SAKURA, EMMA)
    friendship.block(line.platform, EMMA)

    line.api.broadcast(BroadcastRequest(messages=[TextMessage(text="や")]))

    assert [len(line.chat(user_id)) for user_id in (SAKURA, KENTA, EMMA)] == [1, 0, 0]
    assert line.used() == 1
