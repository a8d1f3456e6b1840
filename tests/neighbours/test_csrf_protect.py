"""Flask-WTF's ``CSRFProtect`` around the whole app, behind TLS, where it demands a referrer."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_login import login_required
from flask_wtf import CSRFProtect
from flask_wtf import FlaskForm
from wtforms import StringField

from flask_lineconnect import LineProfile
from flask_lineconnect import keep_form
from tests import small_shop
from tests.people import IN_APP

from . import journey
from .conftest import OpenShop

#: As for scripts and guards of other makes, which the shop has beside ours.
RENAMED = {"WTF_CSRF_FIELD_NAME": "_csrf.token", "WTF_CSRF_HEADERS": ["X-XSRF-Token"]}


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_whole_journey(open_shop: OpenShop, order: str) -> None:
    journey.walk(open_shop(**{order: (CSRFProtect,)}))


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("names", [RENAMED, {"WTF_CSRF_HEADERS": []}], ids=["renamed", "no header"])
def test_the_whole_journey_under_other_names(
    open_shop: OpenShop, order: str, names: dict[str, Any]
) -> None:
    journey.walk(open_shop(**{order: (CSRFProtect,)}, **names))


def test_S6_3_under_other_names_our_forms_need_their_token(open_shop: OpenShop) -> None:
    shop = open_shop(**RENAMED)
    browser = shop.browser()
    for given in ({}, {"_csrf.token": "planted"}, {"csrf_token": "planted"}):
        browser.open("/line/liff")
        browser.post("/line/liff/language", language="en", **given)
        assert browser.page.status_code == 400
    for name in ("X-XSRF-Token", "X-CSRFToken"):
        answer = browser.fetch("/line/liff/session", json={}, headers={name: "planted"})
        assert answer.status_code == 403
        assert answer.json is not None
        assert answer.json["step"] == "csrf"


class _Note(FlaskForm):
    text = StringField()


class _Registration(FlaskForm):
    display_name = StringField()
    shoe_size = StringField()


def _note_form(app: Flask) -> None:
    @app.route("/notes", methods=["POST"])
    @login_required
    @keep_form
    def notes() -> str:
        form = _Note(prefix="note")
        assert form.validate_on_submit(), form.errors
        return f"noted: {form.text.data}"

    @app.get("/notes/new")
    def new() -> str:
        return f'<form action="/notes" method="post">{_Note(prefix="note").hidden_tag()}</form>'


@pytest.mark.parametrize("names", [{}, RENAMED], ids=["usual", "renamed"])
def test_a_kept_form_with_a_prefix_reaches_the_shops_view(
    open_shop: OpenShop, names: dict[str, Any]
) -> None:
    """Its token has the prefix, too; without ``CSRFProtect`` the form alone looks for it."""
    shop = open_shop(before=(_note_form,), **names)
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))
    journey.register(shop, shop.browser(), person)
    phone = shop.browser(IN_APP)
    phone.open("/notes/new")
    begun = phone.send(**{"note-text": "お茶をひとつ"})
    journey.come_back(phone, person, begun)
    assert phone.address.endswith("/line/kept-form")
    phone.send()
    assert phone.page.text == "noted: お茶をひとつ"


@pytest.mark.parametrize("names", [{}, RENAMED], ids=["usual", "renamed"])
def test_a_registration_form_of_flask_wtfs_gives_answers_and_no_token(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch, names: dict[str, Any]
) -> None:
    given: list[dict[str, Any]] = []
    sign_up = small_shop.SmallShop.sign_up

    def note(shop: small_shop.SmallShop, profile: LineProfile) -> Any:
        given.append(dict(profile.answers))
        return sign_up(shop, profile)

    monkeypatch.setattr(small_shop.SmallShop, "sign_up_form", _Registration)
    monkeypatch.setattr(small_shop.SmallShop, "sign_up", note)
    shop = open_shop(before=(CSRFProtect,), **names)
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))
    journey.register(shop, shop.browser(), person, shoe_size="24")
    assert given == [{"shoe_size": "24"}]


def test_a_kept_form_reaches_the_shops_view(open_shop: OpenShop) -> None:
    small_shop.notes.clear()
    shop = open_shop(before=(CSRFProtect,))
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))
    journey.register(shop, shop.browser(), person)
    phone = shop.browser(IN_APP)
    phone.open("/token")
    begun = phone.post("/note", csrf_token=phone.page.text, text="お茶をひとつ")
    journey.come_back(phone, person, begun)
    assert phone.address.endswith("/line/kept-form")
    phone.send()
    assert phone.page.status_code == 200, phone.page.text
    assert small_shop.notes == ["お茶をひとつ"]
