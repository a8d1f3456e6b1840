"""The message objects that hooks return, as LINE's own SDK and our emulator understand them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from linebot.v3.messaging import Message as SdkMessage

from flask_lineconnect import ButtonsMessage
from flask_lineconnect import CarouselMessage
from flask_lineconnect import Column
from flask_lineconnect import ConfirmMessage
from flask_lineconnect import FlexMessage
from flask_lineconnect import InvalidMessage
from flask_lineconnect import MessageAction
from flask_lineconnect import PostbackAction
from flask_lineconnect import RawMessage
from flask_lineconnect import TextMessage
from flask_lineconnect import UriAction
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.line_api.sender import SendAnswer
from flask_lineconnect.line_api.sender import Sender
from flask_lineconnect.messages.limits import check_messages
from flask_lineconnect.messages.objects import Message
from flask_lineconnect.messages.objects import to_payloads
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import MakeApp
from tests.conftest import run_apart

YES, NO = MessageAction("はい", "はい"), PostbackAction("いいえ", "/no", display_text="いいえ")
MORE = UriAction("見る", "https://shop.example/")
BUBBLE: dict[str, Any] = {
    "type": "bubble",
    "body": {"type": "box", "layout": "vertical", "contents": []},
}
MESSAGES: list[Message] = [
    TextMessage("どうぞ", quick_replies=[YES]),
    ButtonsMessage("どれ？", [YES, NO, MORE], title="選ぶ", quick_replies=[NO]),
    ConfirmMessage("よろしいですか？", YES, NO, quick_replies=[MORE]),
    CarouselMessage(
        "お茶",
        [
            Column("煎茶", [MORE], title="あさつゆ", image_url="https://shop.example/a.png"),
            Column("玉露", [NO], title="かすみ", image_url="https://shop.example/b.png"),
        ],
        quick_replies=[YES],
    ),
    FlexMessage("カード", BUBBLE, quick_replies=[YES]),
]


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_lines_own_sdk_reads_the_same(message: Message) -> None:
    [payload] = to_payloads(message)
    read = SdkMessage.from_dict(payload)
    assert read is not None
    understood = _without_nothing(read.to_dict())
    for key, value in payload.items():
        if key not in {"template", "contents"}:  # the SDK adds LINE's defaults there
            assert understood[key] == value
    assert understood["quickReply"]["items"]


def test_the_platform_takes_them(make_app: MakeApp, line_emulator: Emulator) -> None:
    app = make_app(**line_emulator.settings("http://127.0.0.1:5999"))
    state: LineState = app.extensions["lineconnect"]
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    body = json.dumps({"to": user_id, "messages": to_payloads(MESSAGES)}).encode()

    async def push() -> SendAnswer:
        async with Sender(
            state.config.hosts.api, state.part(LineApi).messaging_token, 10.0
        ) as sender:
            return await sender.send("push", body, retry_key=str(uuid.uuid4()))

    assert run_apart(push).is_accepted
    assert len(line_emulator.received(user_id)) == len(MESSAGES)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "text", "text": "x", "quickReply": None},
        {"type": "text", "text": "x", "sender": None, "quoteToken": None},
    ],
)
def test_what_is_null_is_absent(payload: dict[str, Any]) -> None:
    (sent,) = to_payloads(RawMessage(payload))
    assert sent == {"type": "text", "text": "x"}
    check_messages([sent])


BUBBLE = {
    "type": "bubble",
    "header": None,
    "body": {
        "type": "box",
        "layout": "vertical",
        "contents": [{"type": "text", "text": "x", "color": None}],
    },
}
FILLED = {
    "type": "bubble",
    "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x"}]},
}


@pytest.mark.parametrize(
    "message",
    [
        FlexMessage("x", BUBBLE),
        RawMessage({"type": "flex", "altText": "x", "contents": BUBBLE, "sender": {"name": None}}),
    ],
    ids=["flex", "raw"],
)
def test_what_is_null_further_down_is_absent_too(message: Message) -> None:
    (sent,) = to_payloads(message)
    assert sent["contents"] == FILLED
    assert sent.get("sender", {}) == {}
    check_messages([sent])


@pytest.mark.parametrize("quick_reply", ["x", [], {"items": "x"}, {"items": 1}])
def test_quick_replies_of_another_kind_are_refused(quick_reply: Any) -> None:
    with pytest.raises(InvalidMessage, match="quickReply"):
        check_messages([{"type": "text", "text": "x", "quickReply": quick_reply}])
