"""Messages that owners write: read from data, checked before they run, made for one reader."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from flask_lineconnect import Coupon
from flask_lineconnect import Favourite
from flask_lineconnect import InvalidMessage
from flask_lineconnect.marketing.values import ValueType
from flask_lineconnect.messages.draft_data import Known
from flask_lineconnect.messages.draft_data import read_draft
from flask_lineconnect.messages.draft_data import read_drafts
from flask_lineconnect.messages.draft_parts import InvalidDraft
from flask_lineconnect.messages.drafts import check
from flask_lineconnect.messages.word_filters import Manner

VARIABLES = {"name": ValueType(str), "no": ValueType(str), "total": ValueType(int)}
KNOWN = Known(VARIABLES, products=["favourites"], coupons=["gift"])
JA = Manner("ja", base_url="https://shop.example")
#: A name that would end its string and add who sends the message.
ATTACK = 'A","sender":{"name":"X"},"quoteToken":"'
BUBBLE = """
{"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [
    {"type": "text", "text": "{{ name }}様"},
    {"type": "text", "text": {{ no }}, "flex": {{ total }}}
]}}
"""


def render(data: Any, manner: Manner = JA, **values: Any) -> Any:
    return read_draft(data, KNOWN).render({"name": "山田", "no": "A1", "total": 2} | values, manner)


def test_a_text_has_a_wording_for_each_language() -> None:
    texts = 'ja = "{{ name }}様", en = "Dear {{ name }}", zh = "{{ name }}您好"'
    data = tomllib.loads(f"text = {{{texts}}}")
    assert render(data) == {"type": "text", "text": "山田様"}
    assert render(data, Manner("en"))["text"] == "Dear 山田"
    assert render(data, Manner("zh_Hant"))["text"] == "山田您好"
    assert render(data, Manner("th"))["text"] == "山田様"


def test_quick_replies_write_or_open() -> None:
    data = {
        "text": "どうぞ",
        "quick_replies": [
            {"label": "残高", "text": "ポイント残高"},
            {"label": "注文", "url": "/orders/{{ no }}"},
        ],
    }
    items = render(data, no="a/b?c#d")["quickReply"]["items"]
    assert [item["action"] for item in items] == [
        {"type": "message", "label": "残高", "text": "ポイント残高"},
        {"type": "uri", "label": "注文", "uri": "https://shop.example/orders/a%2Fb%3Fc%23d"},
    ]


def test_a_value_stays_inside_its_string_of_a_flex_message() -> None:
    message = render({"flex": BUBBLE, "alt_text": "{{ name }}様へ"}, name=ATTACK, no=ATTACK)
    first, second = message["contents"]["body"]["contents"]
    assert first == {"type": "text", "text": f"{ATTACK}様"}
    assert second == {"type": "text", "text": ATTACK, "flex": 2}
    assert message["altText"] == f"{ATTACK}様へ"
    assert set(message) == {"type", "altText", "contents"}


@pytest.mark.parametrize("number", [1, 5, 9])
def test_products_become_cards(number: int) -> None:
    data = {"products": "favourites", "alt_text": "再入荷しました", "button": "商品を見る"}
    product = Favourite("p", "りんご", "/p/1", "https://cdn.example/p.png", 1080, note="残りわずか")
    contents = render(data, favourites=[product] * number)["contents"]
    cards = contents["contents"] if number > 1 else [contents]
    assert len(cards) == min(number, 5)
    assert cards[0]["hero"]["url"] == "https://cdn.example/p.png"
    assert cards[0]["hero"]["aspectRatio"] == "20:13"
    assert [line["text"] for line in cards[0]["body"]["contents"]] == [
        "りんご",
        "1,080円",
        "残りわずか",
    ]
    assert cards[0]["footer"]["contents"][0]["action"] == {
        "type": "uri",
        "label": "商品を見る",
        "uri": "https://shop.example/p/1",
    }


def test_a_text_may_have_one_button() -> None:
    button = {"label": {"ja": "配送状況", "en": "Track"}, "url": "/orders/{{ no }}"}
    message = render({"text": "{{ name }}様\n発送しました。", "button": button}, name=ATTACK)
    assert message["altText"] == f"{ATTACK}様"
    [text] = message["contents"]["body"]["contents"]
    assert text["text"] == f"{ATTACK}様\n発送しました。"
    [pressed] = message["contents"]["footer"]["contents"]
    assert pressed["action"]["uri"] == "https://shop.example/orders/A1"
    long = render({"text": "あ" * 300, "button": button})
    assert long["altText"] == "あ" * 99 + "…"


def test_a_button_may_open_a_page_inside_line() -> None:
    button = {"label": "会員証", "url": "liff:/orders/{{ no }}"}
    inside = Manner("ja", liff_url=lambda path: f"https://liff.line.me/1-a{path}")
    message = render({"text": "どうぞ", "button": button}, inside, no="a/b")
    assert "https://liff.line.me/1-a/orders/a%2Fb" in str(message)
    with pytest.raises(InvalidMessage, match="LINECONNECT_LIFF_ID"):
        render({"text": "どうぞ", "button": button})


def test_a_product_of_which_little_is_known_is_a_small_card() -> None:
    data = {"products": "favourites", "alt_text": "x", "button": "見る"}
    card = render(data, favourites=[Favourite("p", "りんご")])["contents"]
    assert set(card) == {"type", "body"}
    with pytest.raises(InvalidMessage, match="no product"):
        render(data, favourites=[])
    with pytest.raises(InvalidMessage, match="address"):
        render(data, favourites=[Favourite("p", "りんご", "javascript:alert(1)")])


def test_a_coupon_becomes_a_card() -> None:
    data = {
        "coupon": "gift",
        "alt_text": "お誕生日おめでとうございます",
        "button": {"label": "クーポンを見る", "url": "/coupons"},
    }
    gift = Coupon("b", "お誕生日クーポン", "他券併用不可", date(2026, 12, 31), amount=500)
    card = render(data, gift=gift)["contents"]
    assert [line["text"] for line in card["body"]["contents"]] == [
        "お誕生日クーポン",
        "500円",
        "他券併用不可",
        "〜12月31日(木)",
    ]


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        ("{{ nmae }}", "message", "line 1, column 4"),
        ("", "message", "no text"),
        (5, "message", "a text or a table"),
        ({}, "message", "exactly one of text, flex, products, coupon"),
        ({"text": "a", "flex": "{}"}, "message", "exactly one"),
        ({"text": {"ja": "a", "en": "{{ x }}"}}, "message.text.en", "no value 'x'"),
        ({"text": {}}, "message.text", "no text"),
        ({"text": 5}, "message.text", "a text is needed"),
        ({"text": "a", "quick_reply": []}, "message", "Did you mean quick_replies"),
        (
            {"text": "a", "quick_replies": [{"label": "a"}]},
            "message.quick_replies[0]",
            "url or text",
        ),
        (
            {"text": "a", "quick_replies": [{"label": "a", "text": "a"}] * 14},
            "message.quick_replies",
            "13",
        ),
        ({"flex": "{}"}, "message", "needs alt_text"),
        (
            {"products": "x", "alt_text": "a", "button": "b"},
            "message.products",
            "there are favourites",
        ),
        ({"coupon": "gitf", "alt_text": "a", "button": {}}, "message.coupon", "Did you mean gift"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(data: Any, place: str, said: str) -> None:
    with pytest.raises(InvalidDraft) as caught:
        read_drafts(data, KNOWN)
    assert caught.value.place == place
    assert said in str(caught.value)


def test_six_messages_at_once_are_refused() -> None:
    with pytest.raises(InvalidDraft, match="1 to 5"):
        read_drafts(["a"] * 6, KNOWN)
    assert len(read_drafts(["a"] * 5, KNOWN)) == 5


LONG_LABEL = {"text": "a", "quick_replies": [{"label": "{{ name }}", "text": "a"}]}


@pytest.mark.parametrize(
    ("data", "at_hand", "said"),
    [
        ("{{ name }}" * 130, [], "longer than 5000"),
        ("{{ name }}" * 130, [{"name": "山田"}], None),
        ("{{ name }}", [{"name": "🍎" * 2501}], "longer than 5000"),
        (LONG_LABEL, [], "longer than 20"),
        (LONG_LABEL, [{"name": "山田"}], None),
        ({"flex": BUBBLE, "alt_text": "a"}, [], None),
        ({"flex": BUBBLE + "}", "alt_text": "a"}, [], "no JSON"),
        ({"flex": '{"type": "box"}', "alt_text": "a"}, [], "no bubble and no carousel"),
        ({"flex": BUBBLE, "alt_text": "a" * 1501}, [], "altText"),
        ({"flex": BUBBLE, "alt_text": "a"}, [{"name": "a" * 30_000}], "bytes"),
        ({"products": "favourites", "alt_text": "a", "button": "見る"}, [], None),
        ({"products": "favourites", "alt_text": "a", "button": "見" * 41}, [], "longer than 40"),
        (
            {
                "coupon": "gift",
                "alt_text": "a",
                "button": {"label": "a", "url": "http://x.example"},
            },
            [],
            "https://",
        ),
    ],
)
def test_lines_limits_are_held_against_the_longest_values(
    data: Any, at_hand: list[dict[str, Any]], said: str | None
) -> None:
    draft = read_draft(data, KNOWN)
    if said is None:
        check(draft, VARIABLES, languages=["ja", "en"], at_hand=at_hand)
        return
    with pytest.raises(InvalidDraft, match=said) as caught:
        check(draft, VARIABLES, at_hand=at_hand)
    assert caught.value.place == "message (ja)"


def test_a_picture_has_a_whole_address() -> None:
    address = "https://shop.example/static/a%2Fb.jpg"
    assert render({"image": "/static/{{ no }}.jpg"}, no="a/b") == {
        "type": "image",
        "originalContentUrl": address,
        "previewImageUrl": address,
    }
    with pytest.raises(InvalidMessage, match="https://"):
        render({"image": "ftp://shop.example/a.jpg"})
    with pytest.raises(InvalidDraft, match="'alt_text' is not for a message with image"):
        read_draft({"image": "/a.jpg", "alt_text": "x"}, KNOWN)
