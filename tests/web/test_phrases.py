"""Japanese lines end at phrases: in engines that know none, where the server says they do."""

from __future__ import annotations

import gzip
import re

import pytest
from flask import Flask
from flask import render_template_string
from flask.testing import FlaskClient
from markupsafe import Markup

from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.web.phrases import knows_phrases
from flask_lineconnect.web.phrases import split
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import sign_up

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/%s.0.0.0 Mobile Safari/537.36 Line/15.12.1"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.mark.parametrize(
    ("user_agent", "knows"),
    [
        (IPHONE, False),
        (IPHONE.replace("Mobile/15E148", "CriOS/131.0.6778.73 Mobile/15E148"), False),
        (FIREFOX, False),
        (ANDROID % 118, False),
        (ANDROID % 119, True),
        (ANDROID % 144, True),
        ("curl/8.5.0", True),
        ("", True),
        ("Chrome/" + "9" * 4000, True),
    ],
)
def test_who_has_to_be_told(user_agent: str, knows: bool) -> None:
    assert knows_phrases(user_agent) is knows


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("あと少しで会員登録が完了します", ["あと", "少しで", "会員登録が", "完了します"]),
        ("LINEとの連携を解除しますか？", ["LINEとの", "連携を", "解除しますか？"]),
        ("ご注文 K-2611-000119 について", ["ご注文 ", "K-2611-000119 に", "ついて"]),
        ("1,296円で12ポイントたまります", ["1,296円で", "12ポイント", "たまります"]),
    ],
)
def test_sentences_are_split_at_phrases_and_words_never(sentence: str, phrases: list[str]) -> None:
    found = split(sentence)
    assert "".join(found) == sentence
    allowed = {sum(map(len, phrases[:end])) for end in range(len(phrases) + 1)}
    ends = {sum(map(len, found[:end])) for end in range(len(found) + 1)}
    # The library may see fewer phrases than a person, and no other ends.
    assert ends <= allowed


def _filtered(app: Flask, text: object, *, user_agent: str = IPHONE, language: str = "ja") -> str:
    headers = {"User-Agent": user_agent, "Accept-Language": language}
    with app.test_request_context(headers=headers):
        return render_template_string("{{ text | phrases }}", text=text)


def test_the_filter_escapes_what_is_no_markup_and_leaves_markup_alone(app: Flask) -> None:
    assert _filtered(app, "<b>山田さん</b>の、ご注文です").count("<b>") == 0
    assert "&lt;b&gt;" in _filtered(app, "<b>山田さん</b>の、ご注文です")
    linked = Markup('<a href="/terms">会員規約</a>に同意します')
    assert _filtered(app, linked) == linked
    # As `_` of Flask-Babel answers in templates.
    assert "<wbr>" in _filtered(app, Markup("LINEとの連携を解除しますか？"))
    assert _filtered(app, "") == ""


def test_other_languages_and_engines_that_know_phrases_get_the_sentence_alone(app: Flask) -> None:
    sentence = "LINEとの連携を解除しますか？"
    assert "<wbr>" in _filtered(app, sentence, user_agent=FIREFOX)
    assert _filtered(app, sentence, user_agent=ANDROID % 144) == sentence
    for language in ("en", "zh-TW", "th"):
        assert _filtered(app, sentence, language=language) == sentence


#: Headings, what leads on from them, and buttons: short ones have one phrase.
ELEMENT = re.compile(
    r'<(h1|p class="lc-lead"|a class="lc-button[^>]*|button class="lc-button[^>]*)[^>]*>(.*?)</',
    re.DOTALL,
)


def test_the_journeys_pages_mark_every_sentence_of_theirs(
    app: Flask, client: FlaskClient, sakura: LineBrowser
) -> None:
    client.environ_base["HTTP_USER_AGENT"] = IPHONE
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "ja"
    log_in(client, sakura)
    seen = [client.get("/line/sign-up").text]
    sign_up(client, sakura)
    pages = ("/line/link", "/line/unlink", "/line/liff/link", "/line/callback?state=x&code=y")
    seen += [client.get(path).text for path in pages]
    for page in seen:
        found = [match[2] for match in ELEMENT.finditer(page)]
        assert len(found) > 1
        for text in found:
            bare = re.sub(r"<[^>]+>|\s+", "", text)
            is_sentence = len(bare) > 8 and len(split(bare)) > 1
            assert not is_sentence or "<wbr>" in text or "lc-phrases" in text, text


def test_a_page_for_chromium_says_its_sentences_whole(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    client.environ_base["HTTP_USER_AGENT"] = ANDROID % 144
    log_in(client, sakura)
    page = client.get("/line/sign-up", headers={"Accept-Language": "ja"}).text
    assert "あと少しで会員登録が完了します" in page
    assert "<wbr>" not in page


def test_the_marks_cost_a_page_less_than_a_kilobyte(
    client: FlaskClient, sakura: LineBrowser
) -> None:
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "ja"
    sign_up(client, sakura)
    for path in ("/line/liff", "/line/unlink", "/line/link", "/line/liff/membership/preferences"):
        told, whole = (
            len(gzip.compress(client.get(path, headers={"User-Agent": agent}).data))
            for agent in (IPHONE, ANDROID % 144)
        )
        assert told - whole < 400, path
