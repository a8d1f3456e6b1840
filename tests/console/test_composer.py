"""The composer: what a form says and the message are the same; what is wrong is at its field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from typing import ClassVar
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask import render_template_string
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from flask_lineconnect.console import composing
from flask_lineconnect.console import writing
from flask_lineconnect.console.blocks import blocks_of
from flask_lineconnect.console.blocks import draft_of
from flask_lineconnect.console.blocks import message_of
from flask_lineconnect.console.blocks import values_of
from flask_lineconnect.console.i18n import gettext
from flask_lineconnect.marketing.scenarios.checking import ALWAYS
from flask_lineconnect.messages.draft_data import Known
from flask_lineconnect.messages.draft_data import read_drafts
from flask_lineconnect.shop.product_desk import ProductDesk
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop

Form = MultiDict[str, str]
PREVIEW = f"{CONSOLE}/messages/preview?prefix=m"


def form_of(message: Any, prefix: str = "m") -> Form:
    """Return the form of a message, as a browser sends it."""
    form = Form()
    blocks = values_of(json.dumps(message))
    form[f"{prefix}-count"] = str(len(blocks))
    for number, block in enumerate(blocks):
        name = f"{prefix}-{number}"
        form[f"{name}-kind"], form[f"{name}-does"] = block.kind, block.does
        form[f"{name}-named"], form[f"{name}-replies"] = block.named, str(len(block.replies))
        for part, texts in block.texts.items():
            for language, text in texts.items():
                form[f"{name}-{part}-{language}"] = text
        for place, reply in enumerate(block.replies):
            form[f"{name}-reply{place}-does"] = reply.does
            for language, text in reply.label.items():
                form[f"{name}-reply{place}-label-{language}"] = text
            for language, text in reply.to.items():
                form[f"{name}-reply{place}-to-{language}"] = text
    return form


def errors_of(line: LineState, message: Any) -> dict[str, str]:
    """Return what is wrong with a message, by field."""
    with line.app.test_request_context():
        try:
            composing.read_message(line, form_of(message), "m")
        except composing.NotComposed as error:
            return dict(error.composer.errors)
    return {}


TAP = {"label": "見る", "url": "/orders"}
MESSAGES: list[Any] = [
    {"text": "{{ name }}様"},
    {"text": {"ja": "こんにちは", "en": "Hello", "pt": "Olá"}},
    {"text": {"en": "Hello"}},
    {"text": "行\n\n行", "quick_replies": [{"label": "残高", "text": "残高"}, TAP]},
    {"text": "ご注文", "button": TAP},
    {"text": "ご注文", "button": {"label": {"ja": "見る", "en": "See"}, "text": "見たい"}},
    {"products": "favourites", "alt_text": "再入荷", "button": {"ja": "見る", "en": "See"}},
    {"coupon": "birthday", "alt_text": "お誕生日", "button": TAP},
    {"flex": '{"type": "bubble"}', "alt_text": "通知"},
    {"image": "/static/autumn.jpg"},
    [{"text": "一"}, {"text": "二"}, {"products": "favourites", "alt_text": "x", "button": "y"}],
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_a_message_and_its_form_are_the_same(message: Any) -> None:
    written = message_of(blocks_of(form_of(message), "m"))
    assert json.loads(written) == message


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_what_a_form_says_are_drafts(message: Any) -> None:
    blocks = blocks_of(form_of(message), "m")
    known = Known(ALWAYS, ["favourites"], ["birthday"])
    assert read_drafts([draft_of(one) for one in blocks], known)


def test_a_text_alone_is_a_message_too() -> None:
    assert draft_of(values_of('"やあ"')[0]) == {"text": "やあ"}


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("add-note", ["一", "二", "note"]),
        ("add-nothing", ["一", "二"]),
        ("drop-0", ["二"]),
        ("drop-x", ["一", "二"]),
        ("up-1", ["二", "一"]),
        ("up-0", ["一", "二"]),
        ("down-0", ["二", "一"]),
        ("down-1", ["一", "二"]),
        ("up-²", ["一", "二"]),
        ("reply-9", ["一", "二"]),
    ],
)
def test_its_buttons_change_bubbles(do: str, said: list[str]) -> None:
    form = form_of([{"text": "一"}, {"text": "二"}])
    form["m-do"] = do
    blocks = blocks_of(form, "m")
    assert [one.text("text", "ja") or one.kind for one in blocks] == said


def test_quick_replies_are_added_and_taken_away() -> None:
    form = form_of({"text": "一", "quick_replies": [{"label": "甲", "text": "甲"}]})
    form["m-do"] = "reply-0"
    assert len(blocks_of(form, "m")[0].replies) == 2
    form["m-do"] = "unreply-0-0"
    assert blocks_of(form, "m")[0].replies == ()


def test_there_are_never_more_bubbles_than_line_takes() -> None:
    form = form_of([{"text": str(n)} for n in range(5)])
    form["m-do"] = "add-text"
    assert len(blocks_of(form, "m")) == 5
    form["m-count"] = "99999"
    assert len(blocks_of(form, "m")) == 5


def test_composers_of_one_page_do_not_mix(line: LineState) -> None:
    form = form_of({"text": "甲"}, "a")
    form.update(form_of({"text": "乙"}, "b"))
    with line.app.test_request_context():
        assert json.loads(composing.read_message(line, form, "a")) == {"text": "甲"}
        assert json.loads(composing.read_message(line, form, "b")) == {"text": "乙"}


@pytest.mark.parametrize(
    ("message", "field", "words"),
    [
        ([], "m", "1つ以上"),
        ({"text": ""}, "m-0-text-ja", "書いてください"),
        ({"text": "\ud83d"}, "m-0-text-ja", "送れない文字"),
        ({"text": "あ\n{{ nam }}"}, "m-0-text-ja", "2行目・4文字目"),
        ({"text": "{{ name"}, "m-0-text-ja", "差し込みが読めません"),
        ({"text": {"ja": "x", "en": "{% set x = 1 %}"}}, "m-0-text-en", "差し込みが読めません"),
        ({"text": "🍎" * 2501}, "m-0-text-ja", "5000文字まで"),
        ({"text": "あ" * 4990 + "{{ name }}"}, "m-0-text-ja", "5030文字"),
        ({"text": "x", "button": {"label": "あ" * 41, "url": "/x"}}, "m-0-label-ja", "40文字"),
        ({"text": "x", "button": {"label": "あ", "url": "x"}}, "m-0-to-ja", "https://"),
        (
            {"text": "x", "button": {"label": "あ", "url": "javascript:alert(1)"}},
            "m-0-to-ja",
            "https://",
        ),
        ({"text": "x", "button": {"label": "あ", "text": ""}}, "m-0-to-ja", "送ることになる文"),
        (
            {"text": "x", "quick_replies": [{"label": "あ" * 21, "text": "x"}]},
            "m-0-reply0-label-ja",
            "20文字",
        ),
        ({"products": "gone", "alt_text": "x", "button": "y"}, "m-0-named", "一覧"),
        ({"coupon": "gone", "alt_text": "x", "button": TAP}, "m-0-named", "クーポン"),
        ({"image": "ftp://x/y.jpg"}, "m-0-image-ja", "https://"),
        ({"image": ""}, "m-0-image-ja", "写真のアドレス"),
        ({"flex": "{", "alt_text": "x"}, "m-0", "1行目の2文字目"),
        ({"flex": "{}", "alt_text": "x"}, "m-0", "いちばん外側の「type」"),
        ([{"text": "x"}, {"text": ""}], "m-1-text-ja", "書いてください"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field(
    line: LineState, message: Any, field: str, words: str
) -> None:
    errors = errors_of(line, message)
    assert list(errors) == [field]
    assert words in errors[field]


def test_five_thousand_units_are_taken(line: LineState) -> None:
    assert errors_of(line, {"text": "🍎" * 2500}) == {}


HOSTILE = "<script>alert(1)</script>\"'{{ '<b>' }}"


def test_a_composer_is_drawn_with_what_was_typed(line: LineState, app: Flask) -> None:
    form = form_of({"text": {"ja": HOSTILE, "en": "Hello"}, "quick_replies": [TAP]})
    with app.test_request_context(f"{CONSOLE}/"):
        composer = composing.composer_of(line, form, "m", {"m-0-text-ja": "<i>だめ"})
        page = render_template_string(
            '{% include "lineconnect/console/_composer.html" %}',
            composer=composer,
            _=gettext,
            to=lambda endpoint, **values: f"/{endpoint}?{urlencode(values)}",
            w=writing,
        )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'aria-invalid="true" aria-describedby="m-0-text-ja-error"' in page
    assert "&lt;i&gt;だめ" in page
    assert "Hello" in page


def posted(client: FlaskClient, form: Form) -> str:
    """Return the phone of a form."""
    form["csrf_token"] = token_in(client.get(f"{CONSOLE}/more"))
    answer = client.post(PREVIEW, data=form)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_phone_shows_the_longest_values(open_console: Open) -> None:
    page = posted(open_console("editor"), form_of({"text": "{{ name }}様、こんにちは"}))
    assert "あ" * 40 + "様、こんにちは" in page


def test_the_phone_shows_a_members_values(open_console: Open, line: LineState) -> None:
    member = add_member(line, "<b>花子")
    link(line, member)
    form = form_of({"text": "{{ name }}様", "button": TAP, "quick_replies": [TAP]})
    form["m-member"] = str(member.id)
    form["m-night"] = "1"
    page = posted(open_console("editor"), form)
    assert "&lt;b&gt;花子様" in page
    assert "lc-phone-screen night" in page
    assert page.count("見る") == 2
    assert "<a" not in page
    assert "<button" not in page


def test_what_is_unfinished_holds_back_no_other_bubble(open_console: Open) -> None:
    page = posted(open_console("editor"), form_of([{"text": "{{ na"}, {"text": "二つめ"}]))
    assert "書きかけ" in page
    assert "二つめ" in page


class Desk(ProductDesk[Any]):
    """A shop that has nothing for anybody."""

    lists: ClassVar[Mapping[str, Any]] = {"best": "よく売れている商品"}

    def listed(self, name: str, members: Any) -> Any:
        """Return no products."""
        return {}


def test_a_card_for_which_a_member_has_nothing_says_so(
    open_console: Open, line: LineState, staffed: StaffedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staffed, "products", Desk())
    member = add_member(line, "山田 花子")
    link(line, member)
    client, card = open_console("editor"), {"products": "best", "alt_text": "x", "button": "見る"}
    form = form_of([card, {"text": "二つめ"}])
    assert "見せるものがありません" not in posted(client, form), "with the longest values"
    form["m-member"] = str(member.id)
    page = posted(client, form)
    assert "（この方に見せるものがありません）" in page
    assert "この方には見せられる商品がないので、送られません。" in page
    assert "書きかけ" not in page
    # What is unfinished is so for everybody.
    form["m-0-alt_text-ja"] = "{{ na"
    assert "書きかけ" in posted(client, form)


def test_no_preview_is_a_page_that_runs_script(open_console: Open) -> None:
    page = posted(open_console("editor"), form_of({"text": HOSTILE, "button": TAP}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_who_may_only_look_composes_nothing(open_console: Open) -> None:
    client = open_console("viewer")
    token = token_in(client.get(f"{CONSOLE}/more"))
    assert client.post(PREVIEW, data={"csrf_token": token}).status_code == 403
