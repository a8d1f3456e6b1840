"""Replies and their tokens."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3.messaging import ReplyMessageRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging.exceptions import ApiException

from flask_lineconnect.emulator.messaging import chats

from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from .sdk import error_of


def reply(line: Line, token: str, text: str = "返事") -> Any:
    request = ReplyMessageRequest(reply_token=token, messages=[TextMessage(text=text)])
    return line.api.reply_message(request)


def reply_token(line: Line, shop: Shop) -> str:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    token: str = shop.events(1)[0]["replyToken"]
    return token


def test_M13_a_reply_is_free(line: Line, shop: Shop) -> None:
    with line.platform.change() as world:
        world.messaging_channel.quota = 0

    answer = reply(line, reply_token(line, shop))

    assert answer.sent_messages[0].id == line.platform.world.chats[SAKURA][-1].id
    assert line.chat(SAKURA) == ["こんにちは", "返事"]
    assert line.used() == 0


@pytest.mark.parametrize("kind", ["used", "expired", "unknown"])
def test_M21_a_reply_token_that_is_no_good(line: Line, shop: Shop, kind: str) -> None:
    token = reply_token(line, shop)
    if kind == "used":
        reply(line, token)
    elif kind == "expired":
        line.platform.clock.advance(61)
    else:
        token = "0" * 32

    with pytest.raises(ApiException) as caught:
        reply(line, token, "二度目")

    assert error_of(caught) == (400, {"message": "Invalid reply token"})
    assert "二度目" not in line.chat(SAKURA)


def test_D5_a_refused_reply_does_not_use_up_its_token(line: Line, shop: Shop) -> None:
    token = reply_token(line, shop)
    body = {"replyToken": token, "messages": []}
    assert line.call("POST", "/v2/bot/message/reply", json=body).status_code == 400

    reply(line, token)
