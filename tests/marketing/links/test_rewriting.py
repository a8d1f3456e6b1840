"""Which addresses of each kind of message lead through the shop, and which stay."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flask_lineconnect.marketing.links.rewriting import Found
from flask_lineconnect.marketing.links.rewriting import rewrite
from flask_lineconnect.messages.limits import MAX_TEXT

HERE = "https://shop.example/sale"
OURS = "https://s.example/line/l/1abc"


def ours(found: Found) -> str:
    """Replace any address."""
    return OURS


def uri(label: str = "見る", **more: Any) -> dict[str, Any]:
    """Return an action."""
    return {"type": "uri", "label": label, "uri": HERE, **more}


def expected(value: Any) -> Any:
    """Return a part of a message with our address in every place of the target."""
    if isinstance(value, dict):
        return {name: expected(one) for name, one in value.items()}
    if isinstance(value, list):
        return [expected(one) for one in value]
    return OURS if value == HERE else value


IMAGE = "https://shop.example/picture.png"
COLUMN = {"thumbnailImageUrl": IMAGE, "text": "a", "actions": [uri()], "defaultAction": uri()}
BUBBLE = {
    "type": "bubble",
    "hero": {"type": "image", "url": IMAGE, "action": uri()},
    "header": {"type": "box", "layout": "vertical", "contents": [], "action": uri()},
    "body": {
        "type": "box",
        "layout": "vertical",
        "contents": [
            {"type": "text", "text": HERE + " は文字のまま", "action": uri()},
            {"type": "text", "contents": [{"type": "span", "text": "a"}], "action": uri()},
            {"type": "icon", "url": IMAGE},
            {
                "type": "box",
                "layout": "horizontal",
                "contents": [{"type": "button", "action": uri(altUri={"desktop": HERE})}],
                "background": {"type": "linearGradient"},
            },
        ],
    },
    "action": uri(),
}
MESSAGES: dict[str, dict[str, Any]] = {
    "buttons": {
        "type": "template",
        "altText": HERE + " a",
        "template": {
            "type": "buttons",
            "thumbnailImageUrl": IMAGE,
            "text": "a",
            "defaultAction": uri(),
            "actions": [uri("a"), uri("b"), {"type": "message", "label": "c", "text": HERE + "?"}],
        },
    },
    "confirm": {
        "type": "template",
        "altText": "a",
        "template": {"type": "confirm", "text": "a", "actions": [uri(), uri()]},
    },
    "carousel": {
        "type": "template",
        "altText": "a",
        "template": {"type": "carousel", "columns": [COLUMN, COLUMN]},
    },
    "image carousel": {
        "type": "template",
        "altText": "a",
        "template": {"type": "image_carousel", "columns": [{"imageUrl": IMAGE, "action": uri()}]},
    },
    "flex": {"type": "flex", "altText": "a", "contents": BUBBLE},
    "flex carousel": {
        "type": "flex",
        "altText": "a",
        "contents": {"type": "carousel", "contents": [BUBBLE, BUBBLE]},
    },
    "flex video": {
        "type": "flex",
        "altText": "a",
        "contents": {
            "type": "bubble",
            "hero": {
                "type": "video",
                "url": "https://shop.example/a.mp4",
                "previewUrl": IMAGE,
                "altContent": {"type": "image", "url": IMAGE},
                "action": uri(),
            },
        },
    },
    "imagemap": {
        "type": "imagemap",
        "baseUrl": "https://shop.example/map",
        "altText": "a",
        "baseSize": {"width": 1040, "height": 1040},
        "video": {
            "originalContentUrl": "https://shop.example/a.mp4",
            "previewImageUrl": IMAGE,
            "externalLink": {"linkUri": HERE, "label": "もっと見る"},
        },
        "actions": [
            {"type": "uri", "linkUri": HERE, "area": {"x": 0, "y": 0, "width": 1, "height": 1}},
            {"type": "message", "text": "a", "area": {"x": 0, "y": 0, "width": 1, "height": 1}},
        ],
    },
    "image with quick replies": {
        "type": "image",
        "originalContentUrl": IMAGE,
        "previewImageUrl": IMAGE,
        "quickReply": {"items": [{"type": "action", "imageUrl": IMAGE, "action": uri()}]},
        "sender": {"name": "a", "iconUrl": IMAGE},
    },
    "video": {"type": "video", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE},
    "audio": {"type": "audio", "originalContentUrl": IMAGE, "duration": 1},
    "rich menu": {"areas": [{"bounds": {}, "action": uri()}], "name": HERE + " a"},
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_actions_and_nothing_else(kind: str) -> None:
    message = MESSAGES[kind]
    before = copy.deepcopy(message)
    assert rewrite([message], ours) == [expected(message)]
    assert message == before


def test_places_and_labels() -> None:
    found: list[Found] = []

    def note(one: Found) -> str:
        found.append(one)
        return one.address

    rewrite([MESSAGES["video"], MESSAGES["buttons"], {"type": "text", "text": HERE}], note)
    assert {one.place: one.label for one in found} == {
        "[1].template.defaultAction": "見る",
        "[1].template.actions[0]": "a",
        "[1].template.actions[1]": "b",
        "[2].text[0]": "",
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (HERE, OURS),
        (f"セール中です\n{HERE}\nお早めに", f"セール中です\n{OURS}\nお早めに"),
        (f"{HERE}。", f"{OURS}。"),
        (f"「{HERE}」", f"「{OURS}」"),
        (f"（{HERE}）", f"（{OURS}）"),
        (f"See {HERE}.", f"See {OURS}."),
        (f"({HERE})", f"({OURS})"),
        (f"{HERE}?a=1&b=%E3%81%82#c d", f"{OURS} d"),
        ("https://shop.example/a_(b) c", f"{OURS} c"),
        (f"{HERE} {HERE}", f"{OURS} {OURS}"),
        (f"HTTPS{HERE[5:]}", OURS),
        # Nobody knows where these end.
        (f"{HERE}をご覧ください", f"{HERE}をご覧ください"),
        ("https://shop.example/お茶", "https://shop.example/お茶"),
        ("https://日本.example/", "https://日本.example/"),
        (f"{HERE}/{{name}}", f"{HERE}/{{name}}"),
        ("shop.example", "shop.example"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("kind", ["text", "textV2"])
def test_texts(kind: str, text: str, written: str) -> None:
    assert rewrite([{"type": kind, "text": text}], ours) == [{"type": kind, "text": written}]


def test_emojis_stay_where_they_were() -> None:
    text = f"😀$ {HERE} $ {HERE}$ $"
    emojis = [{"index": index, "productId": "p", "emojiId": "001"} for index in (2, 30)]
    assert text[1] == "$"
    first = 4 + len(HERE) + 1
    emojis[1]["index"] = first
    (new,) = rewrite([{"type": "text", "text": text, "emojis": emojis}], ours)
    units = new["text"].encode("utf-16-le")
    for emoji in new["emojis"]:
        place = emoji["index"] * 2
        assert units[place : place + 2].decode("utf-16-le") == "$"
    assert new["emojis"][1]["index"] == first + len(OURS) - len(HERE)


def test_a_text_does_not_become_too_long() -> None:
    address = "https://a.jp"
    text = "あ" * (MAX_TEXT - len(address) - 1) + " " + address
    assert rewrite([{"type": "text", "text": text}], ours) == [{"type": "text", "text": text}]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"type": "uri"},
        {"type": "uri", "uri": None},
        {"type": "uri", "uri": 5, "altUri": "x"},
        {"type": "text", "text": None},
        {"type": "text", "text": HERE, "emojis": [None, {"index": "a"}]},
        {"type": ["uri"]},
    ],
)
def test_odd_objects_are_left_to_whoever_checks_them(odd: dict[str, Any]) -> None:
    assert len(rewrite([odd], ours)) == 1
