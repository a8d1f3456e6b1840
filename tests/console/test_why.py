"""What stands in the way of a message is said in the language of the page, whoever found it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from flask_lineconnect.console.why import why
from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.scenarios.cards import manner_for
from flask_lineconnect.messages.draft_data import Known
from flask_lineconnect.messages.draft_data import read_draft
from flask_lineconnect.messages.drafts import specimens
from flask_lineconnect.state import LineState

from .conftest import CONSOLE

ENGLISH = re.compile(r"[A-Za-z]{4,} [a-z]{2,}")
TAP = {"label": "見る", "url": "/orders"}
BUBBLE = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": []}}
WRONG: list[Any] = [
    {"text": "{{ nobody }}"},
    {"text": "x", "button": {**TAP, "url": "ftp://x"}},
    {"text": "x", "button": {**TAP, "url": f"https://x.example/{'x' * 1000}"}},
    {"text": "x", "button": {**TAP, "url": "liff:/orders"}},
    {"text": "x", "button": {**TAP, "label": "あ" * 41}},
    {"text": "x", "quick_replies": [{"label": "見る", "text": "あ" * 301}]},
    {"text": "あ" * 5001},
    {"text": ""},
    {"products": "none", "alt_text": "x", "button": "見る"},
    {"flex": "{", "alt_text": "x"},
    {"flex": '{"type": "box"}', "alt_text": "x"},
    {"flex": json.dumps({"type": "carousel", "contents": [BUBBLE] * 13}), "alt_text": "x"},
    {"flex": json.dumps({"type": "bubble", "x": "あ" * 20_000}), "alt_text": "x"},
]


def _error(line: LineState, message: Any) -> str:
    known = Known({}, [], [])
    without_liff = replace(manner_for(line, "ja"), liff_url=None)
    with pytest.raises(UsageError) as caught:
        for _one in specimens(
            read_draft(message, known), {}, languages=["ja"], manner=without_liff
        ):
            pass
    return str(caught.value)


@pytest.mark.parametrize("message", WRONG, ids=lambda one: str(one)[:60])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_an_owner_can_mend_is_in_their_language(
    app: Flask, line: LineState, message: Any, language: str
) -> None:
    said = _error(line, message)
    with app.test_request_context(f"{CONSOLE}/"), force_locale(language):
        told = why(said)
    assert ENGLISH.search(told) is None if language == "ja" else told.isascii()
    assert said not in told


def test_what_nobody_at_the_console_can_mend_is_for_the_developer(app: Flask) -> None:
    with app.test_request_context(f"{CONSOLE}/"):
        assert why("the moon is missing") == (
            "お店の開発者に、この英語をお見せください: the moon is missing"
        )
        assert why("項目がありません。") == "項目がありません。"
        assert "「name」の値がありません" in why(
            "name is absent; write {% if %} around it, or |default('…') behind it"
        )
        assert why(UsageError("a text compares or counts values of different types")).endswith(
            "数えています。"
        )
