"""The extension's own registration form: its fields by configuration, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import Form

from flask_lineconnect import ConfigError
from flask_lineconnect.config.settings import Config
from flask_lineconnect.config.values import SIGN_UP_FIELDS
from flask_lineconnect.login.forms import make_form
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.small_shop import SETTINGS
from tests.small_shop import SmallShop

ALL = " ".join(SIGN_UP_FIELDS)


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    """Let texts be translated."""
    with app.test_request_context():
        yield


def _form(fields: str = ALL, **answers: str) -> Form:
    settings = {k: v for k, v in SETTINGS.items() if k.startswith("LINECONNECT_")}
    config = Config.from_mapping({**settings, "LINECONNECT_SIGN_UP_FIELDS": fields})
    return make_form(config)(MultiDict(answers))


def test_every_field_of_the_setting_exists() -> None:
    assert [field.name for field in _form()] == list(SIGN_UP_FIELDS)


def test_order_and_need_are_the_settings() -> None:
    form = _form("phone* display_name")
    assert [field.name for field in form] == ["phone", "display_name"]
    assert not form.validate()
    assert list(form.errors) == ["phone"]


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("phone", "０９０－１２３４－５６７８", "09012345678"),
        ("phone", "03−1234−5678", "0312345678"),
        ("phone", "03ー1234ー5678", "0312345678"),
        ("phone", "090 1234 5678", "09012345678"),
        ("phone", "+81 90 1234 5678", "+819012345678"),
        ("postal_code", "６０４８００１", "6048001"),
        ("postal_code", "〒100-0001", "1000001"),
        ("postal_code", "100ー0001", "1000001"),
        ("email", "ｓａｋｕｒａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "sakura@example.com"),
        ("birthday", "１９９０／４／１", "1990-04-01"),
        ("birthday", "1990年4月1日", "1990-04-01"),
        ("family_name_kana", "さとう", "サトウ"),
        ("given_name_kana", "ｻｸﾗ", "サクラ"),
        ("display_name", "  佐藤 ", "佐藤"),
        ("birthday", "1990-04-01", "1990-04-01"),
    ],
)
def test_what_is_typed_is_made_uniform(name: str, typed: str, kept: str) -> None:
    form = _form(name, **{name: typed})
    assert form.validate(), form.errors
    assert str(form.data[name]) == kept


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("phone", "call me"),
        ("phone", "1" * 40),
        ("phone", "0312-34"),
        ("postal_code", "100-00011"),
        ("postal_code", "1234"),
        ("family_name_kana", "佐藤"),
        ("birthday", "2999-01-01"),
        ("birthday", "1800-01-01"),
        ("birthday", "yesterday"),
        ("gender", "x"),
        ("email", "no address"),
        ("city", "あ" * 101),
    ],
)
def test_what_cannot_be_is_refused(name: str, typed: str) -> None:
    form = _form(name, **{name: typed})
    assert not form.validate()
    assert list(form.errors) == [name]


@pytest.mark.parametrize("value", ["nickname", "email email*"])
def test_a_wrong_setting_stops_the_start(value: str) -> None:
    settings = {k: v for k, v in SETTINGS.items() if k.startswith("LINECONNECT_")}
    with pytest.raises(ConfigError, match="LINECONNECT_SIGN_UP_FIELDS"):
        Config.from_mapping({**settings, "LINECONNECT_SIGN_UP_FIELDS": value})


def test_the_terms_must_be_accepted_and_answers_reach_the_shop(
    make_app: MakeApp,
    line_emulator: Emulator,
    sakura: LineBrowser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[dict[str, Any]] = []
    original = SmallShop.sign_up

    def remember(shop: SmallShop, profile: Any) -> Any:
        seen.append(dict(profile.answers))
        return original(shop, profile)

    monkeypatch.setattr(SmallShop, "sign_up", remember)
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(
        **line_emulator.settings(BASE_URL),
        LINECONNECT_SIGN_UP_FIELDS=["display_name*", "phone", "birthday"],
        LINECONNECT_TERMS_URL="/terms",
        LINECONNECT_PRIVACY_URL="/privacy",
    )
    client = app.test_client()
    log_in(client, sakura)
    page = client.get("/line/sign-up").text
    assert 'href="/terms"' in page
    assert 'href="/privacy"' in page
    form = {"display_name": "佐藤", "phone": "0312345678", "birthday": "1990-04-01"}

    refused = press(client, "/line/sign-up", **form)
    assert "同意が必要です" in refused.text
    assert seen == []

    assert press(client, "/line/sign-up", **form, accepts_terms="y").status_code == 302
    (answers,) = seen
    assert answers["phone"] == "0312345678"
    assert str(answers["birthday"]) == "1990-04-01"
    assert answers["accepts_terms"] is True
