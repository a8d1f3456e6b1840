"""Settings of Flask's session cookie with which no login could end are refused, with the mend."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import ConfigError
from flask_lineconnect.config.cookies import check_session_cookie
from tests.conftest import MakeApp

#: What else must be set, and what the sentence names.
REFUSED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"SESSION_COOKIE_SAMESITE": "Strict"}, {}, '"Lax"'),
    ({"SESSION_COOKIE_SAMESITE": "strict"}, {}, '"Lax"'),
    ({"SESSION_COOKIE_SAMESITE": "off"}, {}, '"Lax"'),
    ({"SESSION_COOKIE_SAMESITE": "None"}, {}, "SESSION_COOKIE_SECURE"),
    ({"SESSION_COOKIE_PARTITIONED": True}, {}, "SESSION_COOKIE_SECURE"),
    ({"SESSION_COOKIE_SECURE": True}, {"base_url": "http://shop.example"}, "plain http"),
    ({"SESSION_COOKIE_PATH": "/account"}, {}, "SESSION_COOKIE_PATH"),
    ({"SESSION_COOKIE_PATH": "/lin"}, {}, "SESSION_COOKIE_PATH"),
    ({"SESSION_COOKIE_PATH": "/line/liff"}, {}, "SESSION_COOKIE_PATH"),
    ({"APPLICATION_ROOT": "/shop"}, {}, "LINECONNECT_BASE_URL"),
    ({"APPLICATION_ROOT": "/shop"}, {"base_url": "https://shop.example/other"}, "APPLICATION_ROOT"),
    ({"SESSION_COOKIE_DOMAIN": "other.example"}, {}, "SESSION_COOKIE_DOMAIN"),
    ({"SESSION_COOKIE_DOMAIN": "op.example"}, {}, "SESSION_COOKIE_DOMAIN"),
    ({"SESSION_COOKIE_DOMAIN": "www.shop.example"}, {}, "SESSION_COOKIE_DOMAIN"),
    ({"SESSION_COOKIE_NAME": "__Host-session"}, {}, "SESSION_COOKIE_SECURE"),
    ({"SESSION_COOKIE_NAME": "__Secure-session"}, {}, "SESSION_COOKIE_SECURE"),
    (
        {
            "SESSION_COOKIE_NAME": "__Host-session",
            "SESSION_COOKIE_SECURE": True,
            "SESSION_COOKIE_DOMAIN": "shop.example",
        },
        {},
        "SESSION_COOKIE_DOMAIN",
    ),
]
TAKEN: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"SESSION_COOKIE_SAMESITE": "lax"}, {}),
    ({"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": True}, {}),
    ({"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SECURE": True}, {}),
    ({"SESSION_COOKIE_SECURE": True}, {"base_url": "http://127.0.0.1:5000"}),
    ({"SESSION_COOKIE_SECURE": True}, {"base_url": "http://localhost:5000"}),
    ({"SESSION_COOKIE_PATH": "/line"}, {}),
    ({"SESSION_COOKIE_PATH": "/line/"}, {}),
    ({"APPLICATION_ROOT": "/shop"}, {"base_url": "https://shop.example/shop"}),
    ({"APPLICATION_ROOT": "/shop", "SESSION_COOKIE_PATH": "/"}, {}),
    ({"SESSION_COOKIE_DOMAIN": ".shop.example"}, {}),
    ({"SESSION_COOKIE_DOMAIN": "shop.example"}, {"base_url": "https://www.shop.example"}),
    ({"SESSION_COOKIE_NAME": "__Host-session", "SESSION_COOKIE_SECURE": True}, {}),
]
WHERE = {"base_url": "https://shop.example", "url_prefix": "/line"}


@pytest.mark.parametrize(("values", "where", "mend"), REFUSED)
def test_what_browsers_would_not_keep_or_send_is_refused(
    values: dict[str, Any], where: dict[str, str], mend: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_session_cookie(values, **{**WHERE, **where})
    assert mend in str(refused.value)
    assert next(iter(values)) in str(refused.value)


@pytest.mark.parametrize(("values", "where"), TAKEN)
def test_what_works_is_taken(values: dict[str, Any], where: dict[str, str]) -> None:
    check_session_cookie(values, **{**WHERE, **where})


def test_a_shop_whose_logins_could_not_end_does_not_start(make_app: MakeApp) -> None:
    with pytest.raises(ConfigError, match="SESSION_COOKIE_SAMESITE is 'Strict'"):
        make_app(SESSION_COOKIE_SAMESITE="Strict")


def test_what_an_extension_sets_later_is_refused_at_the_first_request(make_app: MakeApp) -> None:
    def set_strict(app: Flask) -> None:
        app.config["SESSION_COOKIE_SAMESITE"] = "Strict"

    app = make_app(after=(set_strict,))
    for _again in range(2):
        with pytest.raises(ConfigError, match="SESSION_COOKIE_SAMESITE is 'Strict'"):
            app.test_client().get("/")
