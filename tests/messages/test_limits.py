"""LINE's limits, counted as LINE counts."""

from __future__ import annotations

from typing import Any

import pytest

from flask_lineconnect import ButtonsMessage
from flask_lineconnect import InvalidMessage
from flask_lineconnect import MessageAction
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
