"""Flask-Security: its decorators, its freshness, its own login; shops without anonymous users."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cachelib import FileSystemCache
from flask import Flask
from flask_session import Session
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

from flask_lineconnect import UsageError
from flask_lineconnect.testing.plugin import Emulator
from tests.people import IN_APP
from tests.small_shop import SETTINGS
from tests.small_shop import db
from tests.small_shop import line

from . import journey
from .conftest import BASE_URL
from .journey import OpenChat
from .journey import Shop
from .security_shop import Person
from .security_shop import create_app
from .security_shop import name_in

MakeShop = Callable[..., Shop]

#: Flask-WTF's protection of the whole app, with what Flask-Security's documentation sets for it.
CSRF = {
    "WTF_CSRF_CHECK_DEFAULT": False,
    "SECURITY_CSRF_PROTECT_MECHANISMS": ["session", "basic"],
    "SECURITY_CSRF_COOKIE_NAME": "XSRF-TOKEN",
    "WTF_CSRF_TIME_LIMIT": None,
}
WAYS = ("line", "liff", "form", "view", "remember")


@pytest.fixture
def make_shop(line_emulator: Emulator, line_chat: OpenChat, tmp_path: Path) -> Iterator[MakeShop]:
    """Return a function that makes a members' site on Flask-Security."""
    made: list[Any] = []

    def make(before: tuple[Any, ...] = (), after: tuple[Any, ...] = (), **changes: Any) -> Shop:
        line_emulator.set_up(base_url=BASE_URL)
        settings = {
            **line_emulator.settings(BASE_URL),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'shop.db'}",
            **changes,
        }
        app, its_db, its_line = create_app(settings, before=before, after=after)
        made.append(its_db)
        return Shop(app=app, line=its_line, emulator=line_emulator, open_chat=line_chat)

    yield make
    for its_db in made:
        for engine in getattr(its_db, "_app_engines", {}).values():
            for one in engine.values():
                one.dispose()


def _with_session(folder: Path) -> dict[str, Any]:
    return {
        "SESSION_TYPE": "cachelib",
        "SESSION_CACHELIB": FileSystemCache(str(folder / "sessions")),
    }


@pytest.mark.parametrize("is_none", [False, True])
def test_the_whole_journey(make_shop: MakeShop, is_none: bool) -> None:
    journey.walk(make_shop(SECURITY_ANONYMOUS_USER_DISABLED=is_none))


NEIGHBOURS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "session": lambda folder: {"before": (Session,), **_with_session(folder)},
    "talisman": lambda _folder: {"before": (Talisman,)},
    "csrf-after": lambda _folder: {"after": (CSRFProtect,)},
    "csrf-by-mechanism": lambda _folder: {"before": (CSRFProtect,), **CSRF},
    "all": lambda folder: {
        "before": (Session, CSRFProtect),
        "after": (partial(Talisman, content_security_policy_nonce_in=["script-src"]),),
        "SECURITY_ANONYMOUS_USER_DISABLED": True,
        **_with_session(folder),
    },
}


@pytest.mark.parametrize("beside", NEIGHBOURS)
def test_the_whole_journey_beside_a_second_neighbour(
    make_shop: MakeShop, tmp_path: Path, beside: str
) -> None:
    journey.walk(make_shop(**NEIGHBOURS[beside](tmp_path)))


def test_its_decorator_logs_in_by_itself_inside_line(make_shop: MakeShop) -> None:
    shop = make_shop()
    person = Person(shop, "佐藤 さくら")
    person.register()
    phone = shop.browser(IN_APP)
    to_line = phone.open("/private")
    assert to_line.startswith(shop.emulator.url), to_line
    assert journey.come_back(phone, person.line, to_line).endswith("/private")
    assert phone.page.text == "佐藤 さくら"
    # Once in a while: nobody goes round in circles.
    other = shop.browser(IN_APP)
    other.open("/private")
    assert other.open("/private").startswith(BASE_URL)


def test_a_login_with_line_is_fresh_and_has_the_members_roles(make_shop: MakeShop) -> None:
    shop = make_shop()
    browser = Person(shop, "佐藤 さくら").register()
    for page in ("fresh", "for-customers"):
        assert browser.open(f"/{page}").endswith(f"/{page}")
        assert browser.page.text == page.replace("-", " ")


def test_without_anonymous_users_nobody_is_somebody_not_logged_in(make_shop: MakeShop) -> None:
    shop = make_shop(SECURITY_ANONYMOUS_USER_DISABLED=True)
    browser = shop.browser()
    for path in ("/line/liff", "/line/liff/link", "/line/link", "/line/unlink", "/line/friend"):
        browser.open(path)
        assert browser.page.status_code < 500, path


@pytest.mark.parametrize("first", WAYS)
def test_whoever_logs_in_last_is_who_the_browser_is(make_shop: MakeShop, first: str) -> None:
    shop = make_shop()
    one, other = Person(shop, "一郎"), Person(shop, "二郎")
    one.register()
    other.register()
    browsers = {then: shop.browser() for then in WAYS}
    for then, browser in browsers.items():
        one.log_in(first, browser)
        assert name_in(browser) == "一郎", then
        other.log_in(then, browser)
        browser.open("/line/liff")
        assert "二郎" in browser.page.text, then
    one.unlink()
    for then, browser in browsers.items():
        assert name_in(browser) == "二郎", then
    other.unlink()
    for then, browser in browsers.items():
        assert name_in(browser) == (None if then in {"line", "liff"} else "二郎"), then


def test_S6_1_a_planted_id_is_nobodys(make_shop: MakeShop, tmp_path: Path) -> None:
    shop = make_shop(**NEIGHBOURS["session"](tmp_path))
    person = Person(shop, "佐藤 さくら")
    person.register()
    attacker = shop.browser()
    attacker.open("/token")
    planted = attacker._client.get_cookie("session", domain="shop.example")
    assert planted
    for way in ("line", "liff"):
        victim = shop.browser()
        victim._client.set_cookie("session", planted.value, domain="shop.example")
        person.log_in(way, victim)
        assert name_in(victim) == "佐藤 さくら"
        assert name_in(attacker) is None, way


def test_joined_before_flask_security_it_says_what_to_do() -> None:
    app = Flask("shop")
    app.config.update(SETTINGS, SQLALCHEMY_DATABASE_URI="sqlite://")
    db.init_app(app)
    with pytest.raises(UsageError, match="Flask-Security"):
        line.init_app(app)
