"""Flask-Session: a session's id is somebody's for one login, wherever sessions are kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from cachelib import FileSystemCache
from flask import Flask
from flask import session
from flask_session import Session

from flask_lineconnect.login import sessions
from tests import small_shop
from tests.redis_server import running_redis

from . import journey
from .browser import Browser
from .conftest import OpenShop
from .journey import Shop

pytestmark = [
    # Flask-Session makes a model of the same name for each app of this process.
    pytest.mark.filterwarnings(
        "ignore:This declarative base already contains:sqlalchemy.exc.SAWarning"
    ),
    # And reads the clock in a way that Python 3.12 and newer ones warn of.
    pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow:DeprecationWarning"),
]
BACKENDS = ("redis", "sqlalchemy", "cachelib")


@contextmanager
def _settings_of(backend: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Give the settings with which a backend keeps sessions."""
    if backend == "redis":
        with running_redis() as address, redis.Redis.from_url(address) as client:
            yield {"SESSION_REDIS": client}
    elif backend == "sqlalchemy":
        yield {
            "SESSION_SQLALCHEMY": small_shop.db,
            # The models of a process share one metadata.
            "SESSION_SQLALCHEMY_TABLE": f"sessions_{uuid.uuid4().hex}",
        }
    else:
        yield {"SESSION_CACHELIB": FileSystemCache(str(folder / "sessions"))}


@pytest.fixture(params=BACKENDS)
def shop(request: pytest.FixtureRequest, open_shop: OpenShop, tmp_path: Path) -> Iterator[Shop]:
    """Return the small shop, whose sessions are kept on the server."""
    with _settings_of(request.param, tmp_path) as settings:
        yield open_shop(before=(Session,), SESSION_TYPE=request.param, **settings)


def _session_id(browser: Browser) -> str:
    cookie = browser._client.get_cookie("session", domain="shop.example")
    assert cookie
    return str(cookie.value)


def _name(browser: Browser) -> str | None:
    browser.open("/name")
    return browser.page.text if browser.address.endswith("/name") else None


def test_the_whole_journey(shop: Shop) -> None:
    journey.walk(shop)


def test_S6_1_a_planted_id_is_nobodys(shop: Shop) -> None:
    attacker, victim = shop.browser(), shop.browser()
    attacker.open("/token")
    planted = _session_id(attacker)
    victim._client.set_cookie("session", planted, domain="shop.example")
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))

    journey.register(shop, victim, person)

    assert _session_id(victim) != planted
    assert _name(victim) == "佐藤 さくら"
    assert _name(attacker) is None


def test_S6_1_an_id_of_before_an_unlinking_is_nobodys(shop: Shop) -> None:
    person = shop.emulator.browser(shop.emulator.add_user("佐藤 さくら"))
    browser = shop.browser()
    journey.register(shop, browser, person)
    before = _session_id(browser)
    journey.unlink(shop, browser)
    other = shop.browser()
    other._client.set_cookie("session", before, domain="shop.example")
    assert _name(other) is None


def test_S6_1_an_empty_session_gets_a_new_id_too(shop: Shop) -> None:
    app: Flask = shop.app
    with app.test_request_context(base_url=shop.base_url):
        session.clear()
        dict.clear(session._get_current_object())  # type: ignore[attr-defined]  # LocalProxy's own
        before = session.sid  # type: ignore[attr-defined]  # Flask-Session's own
        sessions.renew(())
        assert session.sid != before  # type: ignore[attr-defined]
        assert not set(session) - {"_permanent"}
