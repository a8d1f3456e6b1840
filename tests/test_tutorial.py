"""The tutorial as written: its code in one file, three customers long."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import Emulator
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import ApartClient
from tests.people import BASE_URL
from tests.people import log_in
from tests.people import press
from tests.small_shop import SETTINGS

DOCS = Path(__file__).parents[1] / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text("utf-8")
REGISTRATION = "app.register_blueprint(points)\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names of the tutorial's file, all of its blocks one after the other."""
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    assert REGISTRATION in blocks
    code = "\n\n".join(block for block in blocks if block != REGISTRATION)
    # Where the page says so: in create_app, after line.init_app(app).
    joined = code.replace("    line.init_app(app)\n", f"    line.init_app(app)\n    {REGISTRATION}")
    assert joined != code
    (tmp_path / "shop.py").write_text(joined, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    # Gone again after the test: every test has a shop of its own.
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    del sys.modules["shop"]
    return vars(import_module("shop"))


@pytest.fixture
def app(
    shop: dict[str, Any],
    tmp_path: Path,
    line_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """Return the app that ``create_app`` makes, with the settings in its environment."""
    line_emulator.set_up(base_url=BASE_URL)
    settings = SETTINGS | line_emulator.settings(BASE_URL)
    settings["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'shop.db'}"
    for name, value in settings.items():
        monkeypatch.setenv(f"FLASK_{name}", str(value).lower() if value is True else str(value))
    made: Flask = shop["create_app"]()
    made.test_client_class = ApartClient
    yield made
    with made.app_context():
        shop["db"].session.remove()
        shop["db"].engine.dispose()


def test_three_customers_without_an_address(
    app: Flask,
    shop: dict[str, Any],
    line_emulator: Emulator,
    line_chat: Callable[[Flask, str], LineChat],
) -> None:
    names = ["佐藤 さくら", "鈴木 一郎", "高橋 五月"]
    for name in names:
        user_id = line_emulator.add_user(name)
        browser, client = LineBrowser(line_emulator.url, user_id), app.test_client()
        log_in(client, browser, "/line/login?next=/my-page")
        answer = press(client, "/line/sign-up", display_name=name, email="")
        assert answer.location == "/my-page", answer.text
        assert client.get("/my-page").text == "Hello!"
        assert name in client.get("/line/liff").text
        said = line_chat(app, user_id).say("残高")
        assert f"{name}さまの残高は0ポイントです。" in [message["text"] for message in said]
    with app.app_context():
        members = shop["db"].session.scalars(shop["db"].select(shop["User"])).all()
        assert [member.name for member in members] == names
        shop["tell"](members[2], "1001")
        shop["tell"](members[2], "1001")
        work_until_idle(app.extensions["lineconnect"])
    received = [message["text"] for message in line_emulator.received(user_id)]
    assert received.count("ご注文の品を発送しました。") == 1


def test_a_known_address_proves_nothing(
    app: Flask, shop: dict[str, Any], line_emulator: Emulator
) -> None:
    with app.app_context():
        shop["db"].session.add(shop["User"](name="A", email="taken@example.com"))
        shop["db"].session.commit()
    browser, client = line_emulator.browser(line_emulator.add_user("B")), app.test_client()
    log_in(client, browser)
    answer = press(client, "/line/sign-up", display_name="B", email="taken@example.com")
    assert "すでに会員登録があるようです" in answer.text


def test_the_macros_of_the_tutorial_draw(app: Flask) -> None:
    [template] = re.findall(r"```jinja\n(.*?)```", TUTORIAL, re.DOTALL)
    with app.test_request_context():
        page = app.jinja_env.from_string(template).render()
    assert "/line/login" in page
    assert "<svg" in page


def test_the_japanese_page_has_the_same_code() -> None:
    japanese = (DOCS / "ja" / "tutorial.md").read_text("utf-8")
    blocks = re.compile(r"^```\w*\n.*?^```", re.DOTALL | re.MULTILINE)
    assert blocks.findall(japanese) == blocks.findall(TUTORIAL)
