"""LINE's limits, counted as LINE counts."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any
from typing import cast

import pytest

from flask_lineconnect import ButtonsMessage
from flask_lineconnect import InvalidMessage
from flask_lineconnect import MessageAction
from flask_lineconnect import RawMessage
from flask_lineconnect import TextMessage
from flask_lineconnect.messages.limits import check_messages
from flask_lineconnect.messages.limits import utf16_length
from flask_lineconnect.messages.objects import to_payloads


def test_an_emoji_counts_twice() -> None:
    assert utf16_length("茶🍎") == 3


@pytest.mark.parametrize("text", ["x" * 5_000, "🍎" * 2_500])
def test_the_longest_text_passes(text: str) -> None:
    check_messages(to_payloads(text))


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([], "0 messages"),
        ([{"type": "text", "text": "x"}] * 6, "6 messages"),
        ([{"type": "text", "text": ""}], r"messages\[0\].text is empty"),
        ([{"type": "text", "text": "x" * 5_001}], "longer than 5000"),
        ([{"type": "text", "text": "🍎" * 2_501}], "longer than 5000"),
        ([{"text": "x"}], "has no type"),
        ([{"type": "flex", "contents": {}}], "altText is empty"),
        (to_payloads(TextMessage("x", [MessageAction("a", "b")] * 14)), "more than 13"),
    ],
)
def test_M9_what_line_would_refuse_is_named(messages: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(InvalidMessage, match=named):
        check_messages(messages)


def test_a_reply_may_take_every_shape() -> None:
    text = {"type": "text", "text": "やあ"}
    assert to_payloads(None) == []
    assert to_payloads("やあ") == [text]
    assert to_payloads(TextMessage("やあ")) == [text]
    assert to_payloads(["やあ", TextMessage("やあ")]) == [text, text]
    buttons = to_payloads(ButtonsMessage("どちら？", [MessageAction("茶", "お茶")]))[0]
    assert buttons["altText"] == "どちら？"
    assert buttons["template"]["actions"][0] == {"type": "message", "label": "茶", "text": "お茶"}


def _flex(component: dict[str, Any]) -> dict[str, Any]:
    box = {"type": "box", "layout": "vertical", "contents": [component]}
    return {"type": "flex", "altText": "alt", "contents": {"type": "bubble", "body": box}}


def _deep(levels: int) -> Any:
    value: Any = "x"
    for _level in range(levels):
        value = [value]
    return value


BODY = "messages[1].contents.body.contents[0]"


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"type": "text", "text": "caf\ud83c"}, "messages[1].text has half of a character"),
        ({"type": "text", "text": "a\0b"}, "messages[1].text has a NUL"),
        ({"type": "text", "text": "x", "a\0b": 1}, "a name in messages[1] has a NUL"),
        (_flex({"type": "text", "text": "\udc00"}), f"{BODY}.text has half"),
        (_flex({"type": "text", "text": "x", "flex": math.nan}), f"{BODY}.flex is nan"),
        (_flex({"type": "text", "text": "x", "flex": -math.inf}), f"{BODY}.flex is -inf"),
        (
            _flex({"type": "image", "url": "http://shop.example/a.png"}),
            f"{BODY}.url is not an https",
        ),
        (_flex({"type": "icon", "url": "//shop.example/a.png"}), f"{BODY}.url is not an https"),
        (_flex({"type": "text", "text": Decimal(1)}), f"{BODY}.text is of the type Decimal"),
        (_flex({"type": "text", "text": b"x"}), f"{BODY}.text is of the type bytes"),
        (_flex({"type": "text", **cast(Any, {1: "x"})}), f"{BODY} has a name that is no text"),
        (_flex({"deep": _deep(2_000)}), "is nested more than 100 levels deep"),
        (
            {
                "type": "image",
                "originalContentUrl": "http://a.example/1.png",
                "previewImageUrl": "",
            },
            "messages[1].originalContentUrl is not an https",
        ),
        (
            {"type": "image", "originalContentUrl": "https://a.example/", "previewImageUrl": "/a"},
            "messages[1].previewImageUrl is not an https",
        ),
        (
            {"type": "text", "text": "x", "sender": {"iconUrl": "http://shop.example/a.png"}},
            "messages[1].sender.iconUrl is not an https",
        ),
        (
            {"type": "video", "originalContentUrl": f"https://a.example/{'x' * 2_000}"},
            "messages[1].originalContentUrl is longer than 2000",
        ),
        ({"type": "text", "text": "x", "quickReply": []}, "messages[1].quickReply has no list"),
        (
            {"type": "text", "text": "x", "quickReply": {"items": 7}},
            "messages[1].quickReply has no",
        ),
        (
            {"type": "image", "originalContentUrl": "https://[1/"},
            "originalContentUrl is no address",
        ),
        ("text", "messages[1] is no message object"),
        (_flex({"type": "text", "text": "x", "flex": 10**400}), f"{BODY}.flex is a larger number"),
        (_flex({"type": "text", "text": "x", "flex": -(10**5_000)}), f"{BODY}.flex is a larger"),
    ],
)
def test_what_line_or_a_database_cannot_take_is_refused_with_its_place(
    message: Any, place: str
) -> None:
    with pytest.raises(InvalidMessage) as refused:
        check_messages([{"type": "text", "text": "well"}, message])
    assert place in str(refused.value)
    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        (7, "messages[0] is of the type int"),
        (True, "messages[0] is of the type bool"),
        (b"text", "messages[0] is of the type bytes"),
        (
            {"type": "text", "text": "x"},
            "messages[0] is of the type dict, which is no message; see",
        ),
        (["well", None], "messages[1] is of the type NoneType"),
        (["well", ["x"]], "messages[1] is of the type list"),
        (RawMessage(cast(Any, None)), "messages[0] is a RawMessage of the type NoneType"),
        (["well", RawMessage(cast(Any, [1]))], "messages[1] is a RawMessage of the type list"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(reply: Any, place: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        to_payloads(reply)
    assert place in str(refused.value)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "text", "text": "x", "quickReply": None},
        {"type": "text", "text": "🍎\n\t", "emojis": [{"index": 0, "productId": "1"}]},
        _flex({"type": "image", "url": "https://shop.example/a.png", "flex": 1.5}),
        # The emulator's phone shows the pictures of a shop on the same machine.
        _flex({"type": "image", "url": "http://127.0.0.1:5000/a.png"}),
        _flex({"type": "button", "action": {"type": "uri", "uri": "http://shop.example/"}}),
        _flex({"deep": _deep(60)}),
    ],
)
def test_what_they_take_passes(message: dict[str, Any]) -> None:
    check_messages([message])
