"""Rates of logins: counted by address and by LINE account, and refused in the form asked for."""

from __future__ import annotations

from typing import get_args

import pytest
from flask import Flask

from flask_lineconnect import ConfigError
from flask_lineconnect import Refused
from flask_lineconnect.config.settings import Config
from flask_lineconnect.state import LineState
from flask_lineconnect.web.rate_limits import ACCOUNT_RATE
from flask_lineconnect.web.rate_limits import Kind
from flask_lineconnect.web.rate_limits import Purpose
from flask_lineconnect.web.rate_limits import RateLimits
from tests.conftest import MakeApp
from tests.small_shop import SETTINGS


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return a shop with a small limit."""
    return make_app(LINECONNECT_RATE_LIMIT="3/hour")


def test_S12_an_address_begins_so_many_logins(app: Flask) -> None:
    client = app.test_client()
    statuses = [client.get("/line/login").status_code for _attempt in range(5)]
    assert statuses == [302, 302, 302, 429, 429]
    elsewhere = client.get("/line/login", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 302


def test_S12_the_exchange_is_counted_and_answers_in_json(app: Flask) -> None:
    client = app.test_client()
    answers = [client.post("/line/liff/session", json={}) for _attempt in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert answers[-1].get_json()["step"] == "rate"


def test_S1_6_a_header_is_no_address(app: Flask) -> None:
    client = app.test_client()
    for number in range(3):
        client.get("/line/login", headers={"X-Forwarded-For": f"192.0.2.{number}"})
    assert client.get("/line/login", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 429


def test_pages_and_webhooks_are_not_counted(app: Flask) -> None:
    client = app.test_client()
    assert {client.get("/line/liff").status_code for _visit in range(9)} == {200}
    assert {client.post("/line/webhook").status_code for _visit in range(9)} == {400}


def test_S12_each_account_has_its_own_counter(line: LineState) -> None:
    for _attempt in range(int(ACCOUNT_RATE.split("/")[0])):
        line.part(RateLimits).count("account", "U1")
    with pytest.raises(Refused) as refusal:
        line.part(RateLimits).count("account", "U1")
    assert refusal.value.step == "rate"
    line.part(RateLimits).count("account", "U2")


def _is_refused(line: LineState, kind: Kind, name: str, purpose: Purpose) -> bool:
    try:
        line.part(RateLimits).count(kind, name, purpose)
    except Refused:
        return True
    return False


@pytest.mark.parametrize("kind", get_args(Kind))
def test_S12_one_purpose_uses_up_no_other(line: LineState, kind: Kind) -> None:
    first, *others = get_args(Purpose)
    assert any(_is_refused(line, kind, "somebody", first) for _attempt in range(1_000))
    assert not any(_is_refused(line, kind, "somebody", other) for other in others)


def test_S12_exchanges_leave_the_logins_alone(app: Flask) -> None:
    client = app.test_client()
    exchanges = [client.post("/line/liff/session", json={}).status_code for _attempt in range(4)]
    assert exchanges[-1] == 429
    assert client.get("/line/login").status_code == 302


def test_a_wrong_rate_stops_the_start() -> None:
    settings = {k: v for k, v in SETTINGS.items() if k.startswith("LINECONNECT_")}
    with pytest.raises(ConfigError, match="LINECONNECT_RATE_LIMIT must be a rate"):
        Config.from_mapping({**settings, "LINECONNECT_RATE_LIMIT": "often"})


def test_the_counters_of_two_apps_are_two(line: LineState) -> None:
    other = RateLimits(line.config)
    for _attempt in range(3):
        line.part(RateLimits).count("address", "a")
    other.count("address", "a")
