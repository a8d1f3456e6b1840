"""The limits of message objects, and the words in which LINE names what breaks them."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3.messaging import FlexMessage
from linebot.v3.messaging import ImageMessage
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging import ValidateMessageRequest
from linebot.v3.messaging.exceptions import ApiException

from ..conftest import SAKURA
from ..conftest import Line
from .sdk import TEXT


def details_of(line: Line, *messages: object) -> list[tuple[str, str]]:
    """Return what the validate endpoint says about messages."""
    answer = line.call("POST", "/v2/bot/message/validate/push", json={"messages": messages})
    if answer.status_code == 200:
        return []
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert answer.json()["message"] == f"The request body has {len(details)} error(s)"
    return [(detail["property"], detail["message"]) for detail in details]


@pytest.mark.parametrize("count", [0, 6])
def test_M9_too_few_or_many_messages(line: Line, count: int) -> None:
    assert details_of(line, *[TEXT] * count) == [("messages", "Size must be between 1 and 5")]


def test_M9_all_errors_are_listed_with_their_paths(line: Line) -> None:
    button = {"type": "uri", "label": "あ" * 21, "uri": "ftp://shop.example"}
    buttons = {"type": "buttons", "text": "や", "actions": [button]}

    found = details_of(
        line,
        {"type": "text", "text": ""},
        {"type": "text", "text": "a" * 5_001},
        {"type": "poem"},
        {"type": "template", "altText": "や", "template": buttons},
        {
            "type": "image",
            "originalContentUrl": "http://shop.example/1.jpg",
            "previewImageUrl": "https://shop.example/1.jpg",
        },
    )

    types = "text, textV2, sticker, image, video, audio, location, imagemap, template, flex, coupon"
    assert found == [
        ("messages[0].text", "May not be empty"),
        ("messages[1].text", "Length must be between 0 and 5000"),
        ("messages[2].type", f"Must be one of the following values: [{types}]"),
        ("messages[3].template.actions[0].label", "Length must be between 0 and 20"),
        ("messages[3].template.actions[0].uri", "invalid uri scheme"),
        ("messages[4].originalContentUrl", "invalid uri scheme"),
    ]


def test_M9_media_of_this_machine_may_be_plain_http(line: Line) -> None:
    url = "http://127.0.0.1:5000/static/1.png"
    message = ImageMessage(original_content_url=url, preview_image_url=url)

    line.api.validate_push(ValidateMessageRequest(messages=[message]))


def test_M10_text_is_counted_in_utf16(line: Line) -> None:
    assert details_of(line, {"type": "text", "text": "🍵" * 2_500}) == []
    found = details_of(line, {"type": "text", "text": "🍵" * 2_501})
    assert found == [("messages[0].text", "Length must be between 0 and 5000")]


def confirm(*labels: str, text: str = "や") -> dict[str, Any]:
    actions = [{"type": "message", "label": label, "text": "や"} for label in labels]
    template = {"type": "confirm", "text": text, "actions": actions}
    return {"type": "template", "altText": "や", "template": template}


def test_C6_labels_are_counted_in_graphemes(line: Line) -> None:
    family = "👨‍👩‍👧"

    assert details_of(line, confirm(family * 20, "か\u3099" * 20)) == []
    assert len(details_of(line, confirm(family * 21, "か\u3099" * 21))) == 2


def quick_reply(*actions: object) -> dict[str, Any]:
    items = [{"type": "action", "action": action} for action in actions]
    return {"type": "text", "text": "や", "quickReply": {"items": items}}


def flex(contents: object) -> dict[str, Any]:
    return {"type": "flex", "altText": "や", "contents": contents}


def bubble(*components: object, layout: str = "vertical", **more: object) -> dict[str, Any]:
    body = {"type": "box", "layout": layout, "contents": list(components)}
    return {"type": "bubble", "body": body, **more}


CAMERA = {"type": "camera", "label": "とる"}
LINK = {"type": "uri", "label": "ひらく", "uri": "https://shop.example/"}
COLUMN = {"text": "や", "actions": [LINK]}


def carousel(*columns: object) -> dict[str, Any]:
    template = {"type": "carousel", "columns": list(columns)}
    return {"type": "template", "altText": "や", "template": template}


@pytest.mark.parametrize(
    "message",
    [
        quick_reply(*[CAMERA] * 13),
        quick_reply({"type": "postback", "label": "や", "data": "x", "displayText": "や"}),
        confirm("はい", "いいえ"),
        carousel(COLUMN, COLUMN),
        flex(bubble({"type": "text", "text": "や"}, {"type": "button", "action": LINK})),
        flex(bubble({"type": "text", "contents": [{"type": "span", "text": "や"}]})),
        flex(bubble()),
        flex({"type": "carousel", "contents": [bubble(size="kilo")] * 12}),
        {"type": "text", "text": "$や", "emojis": [{"index": 0, "productId": "a", "emojiId": "1"}]},
        {"type": "textV2", "text": "{a}", "substitution": {
            "a": {"type": "emoji", "productId": "a", "emojiId": "1"}}},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "text", "text": "や", "sender": {"name": "店長", "iconUrl": "https://a.example/"}},
    ],
)  # fmt: skip
def test_C6_what_the_reference_allows(line: Line, message: object) -> None:
    assert details_of(line, message) == []


DATE = {"type": "datetimepicker", "label": "や", "data": "x", "mode": "date"}


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (quick_reply(*[CAMERA] * 14), "quickReply.items"),
        (quick_reply(), "quickReply.items"),
        (quick_reply({"type": "message", "text": "や"}), "quickReply.items[0].action.label"),
        (quick_reply(DATE | {"initial": "06:15"}), "quickReply.items[0].action.initial"),
        (quick_reply(None), "quickReply.items[0].action"),
        ({"type": "text", "text": "や", "quickReply": []}, "quickReply"),
        (confirm("はい"), "template.actions"),
        (confirm("a", "b", text="x" * 241), "template.text"),
        (carousel(COLUMN, COLUMN | {"title": "や"}), "template.columns"),
        (carousel(*[COLUMN] * 11), "template.columns"),
        (carousel(COLUMN | {"title": "や", "text": "x" * 61}), "template.columns[0].text"),
        (carousel(COLUMN | {"actions": [CAMERA]}), "template.columns[0].actions[0].type"),
        (flex({"type": "carousel", "contents": [bubble()] * 13}), "contents.contents"),
        (flex({"type": "carousel", "contents": [bubble(), bubble(size="kilo")]}),
         "contents.contents"),
        (flex(bubble({"type": "icon", "url": "https://a.example/"})),
         "contents.body.contents[0].type"),
        (flex(bubble({"type": "button", "action": LINK}, layout="baseline")),
         "contents.body.contents[0].type"),
        (flex(bubble({"type": "text", "text": ""})), "contents.body.contents[0].text"),
        (flex(bubble({"type": "text", "text": "x" * 30_000})), "contents"),
        (flex([]), "contents"),
        ({"type": "text", "text": "や", "emojis": [
            {"index": 0, "productId": "a", "emojiId": "1"}]}, "emojis[0].index"),
        ({"type": "text", "text": "や", "sender": {"name": "LINE 公式"}}, "sender.name"),
        ({"type": "text", "text": 7}, "text"),
        ({"type": "location", "title": "a", "address": "b", "latitude": 91, "longitude": 0},
         "latitude"),
        ({"type": "audio", "originalContentUrl": "https://a.example/", "duration": True},
         "duration"),
        ({"type": "sticker", "packageId": "446"}, "stickerId"),
    ],
)  # fmt: skip
def test_C6_what_the_reference_forbids(line: Line, message: object, where: str) -> None:
    assert [path for path, _ in details_of(line, message)] == [f"messages[0].{where}"]


@pytest.mark.parametrize("message", [None, 7, "x", [], {}, {"type": []}, {"type": {"a": 1}}])
def test_M9_what_is_no_message_at_all(line: Line, message: object) -> None:
    assert len(details_of(line, message)) == 1


def test_M9_boxes_in_boxes_do_not_exhaust_the_server(line: Line) -> None:
    inner: dict[str, Any] = {"type": "text", "text": "や"}
    for _ in range(300):
        inner = {"type": "box", "layout": "vertical", "contents": [inner]}

    assert len(details_of(line, flex(bubble(inner)))) == 1


@pytest.mark.parametrize("kind", ["reply", "push", "multicast", "narrowcast", "broadcast"])
def test_M32_validating_has_no_effect(line: Line, kind: str) -> None:
    line.befriend(SAKURA)
    check = getattr(line.api, f"validate_{kind}")

    check(ValidateMessageRequest(messages=[TextMessage(text="や")]))
    empty = FlexMessage.from_dict(flex({"type": "carousel", "contents": []}))
    with pytest.raises(ApiException) as caught:
        check(ValidateMessageRequest(messages=[empty]))

    assert caught.value.status == 400
    assert line.chat(SAKURA) == []
    assert line.used() == 0
