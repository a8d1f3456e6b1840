"""Settings: a wrong or missing one stops the app with a sentence that says how to mend it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from flask_lineconnect.config.reference import settings_reference
from flask_lineconnect.config.settings import Config
from flask_lineconnect.errors import ConfigError
from tests.conftest import MakeApp
from tests.small_shop import SETTINGS
from tests.small_shop import db

LINE_SETTINGS = {k: v for k, v in SETTINGS.items() if k.startswith("LINECONNECT_")}
REQUIRED = [
    "LINECONNECT_BASE_URL",
    "LINECONNECT_LOGIN_CHANNEL_ID",
    "LINECONNECT_LOGIN_CHANNEL_SECRET",
    "LINECONNECT_MESSAGING_CHANNEL_ID",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET",
]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_setting_is_named(make_app: MakeApp, key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} is missing"):
        make_app(**{key: None})


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Config.from_mapping({})
    assert all(key in str(error.value) for key in REQUIRED)


def test_an_unknown_setting_suggests_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"LINECONNECT_LIF_ID .* Did you mean LINECONNECT_LIFF_ID"
    ):
        Config.from_mapping(LINE_SETTINGS | {"LINECONNECT_LIF_ID": "1-a"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LINECONNECT_BASE_URL", "shop.example"),
        ("LINECONNECT_BASE_URL", "https://user:word@shop.example"),
        ("LINECONNECT_LOGIN_CHANNEL_ID", "my channel"),
        ("LINECONNECT_LOGIN_CHANNEL_SECRET", 123456),
        ("LINECONNECT_LOGIN_CHANNEL_SECRET", 1e10),
        ("LINECONNECT_LIFF_ID", "card"),
        ("LINECONNECT_LOGIN_SCOPE", "profile"),
        ("LINECONNECT_BOT_PROMPT", "loud"),
        ("LINECONNECT_TIMEZONE", "Tokio"),
        ("LINECONNECT_TIMEOUT_SECONDS", 0),
        ("LINECONNECT_URL_PREFIX", "line"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key):
        Config.from_mapping(LINE_SETTINGS | {key: value})


def test_a_channel_id_may_come_as_a_number() -> None:
    config = Config.from_mapping(LINE_SETTINGS | {"LINECONNECT_LOGIN_CHANNEL_ID": 1650000001})
    assert config.login_channel_id == "1650000001"


def test_secrets_are_not_in_the_repr() -> None:
    config = Config.from_mapping(LINE_SETTINGS)
    assert config.login_channel_secret not in repr(config)
    assert config.messaging_channel_secret not in repr(config)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"LINECONNECT_EMULATOR_URL": "http://127.0.0.1:5001"}, "LINECONNECT_EMULATOR_URL"),
        ({"LINECONNECT_BASE_URL": "http://shop.example"}, "LINECONNECT_BASE_URL"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
    ],
)
def test_S6_5_what_is_for_development_stops_production(
    make_app: MakeApp, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        make_app(TESTING=False, DEBUG=False, **changes)


def test_S6_2_the_session_cookie_is_protected(make_app: MakeApp) -> None:
    for app in (make_app(), make_app(TESTING=False)):
        assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"
        assert app.config["SESSION_COOKIE_HTTPONLY"]
        assert app.config["SESSION_COOKIE_SECURE"] is not app.testing


def test_a_page_of_the_shop_costs_no_query(make_app: MakeApp) -> None:
    app = make_app()
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert app.test_client().get("/").text == "home"
    assert asked == []


def test_unset_emulator_means_the_real_line() -> None:
    hosts = Config.from_mapping(LINE_SETTINGS).hosts
    assert (hosts.access, hosts.api, hosts.api_data, hosts.liff) == (
        "https://access.line.me",
        "https://api.line.me",
        "https://api-data.line.me",
        "https://liff.line.me",
    )
    assert hosts.frame_ancestors == ()


def test_the_emulator_stands_for_every_host() -> None:
    emulator = "http://127.0.0.1:5001"
    hosts = Config.from_mapping(LINE_SETTINGS | {"LINECONNECT_EMULATOR_URL": emulator}).hosts
    assert all(emulator in str(value) for value in dataclasses.astuple(hosts))


def test_the_reference_page_is_what_the_settings_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_reference()
