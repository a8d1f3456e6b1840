"""``flask line doctor``: its words, its JSON, its exit status; and what it never writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import ArgumentError

from flask_lineconnect import ConfigError
from flask_lineconnect import Emulator
from flask_lineconnect.cli.doctor import doctor
from tests.conftest import MakeApp
from tests.people import sign_up

from .conftest import OpenShop

#: Fast checks of which one asks LINE.
QUICK = ("--only", "quota", "--only", "liff-id", "--only", "same-channel")


def _run(app: Flask, *arguments: str) -> Result:
    return CliRunner().invoke(doctor, arguments, obj=ScriptInfo(create_app=lambda: app))


def test_what_is_fine_is_counted(open_shop: OpenShop) -> None:
    app = open_shop()
    result = _run(app, *QUICK)
    assert result.exit_code == 0
    assert result.stdout == "3 checks: 3 fine\n"
    shown = _run(app, *QUICK, "--all").stdout
    assert "fine: quota\n  0 of the month's 30,000 messages are sent\n" in shown


def test_what_is_wrong_comes_first_and_ends_with_one(
    open_shop: OpenShop, line_emulator: Emulator
) -> None:
    app = open_shop(LINECONNECT_LIFF_ID="1650000009-DemoCard")
    line_emulator.fault(path="/v2/bot/message/quota", status=500, share=1)
    result = _run(app, *QUICK)
    assert result.exit_code == 1
    assert result.stdout.startswith("wrong: liff-id\n  LINECONNECT_LIFF_ID begins with 1650000009")
    assert "\n  -> set the id of a LIFF app" in result.stdout
    assert "\nnot known: quota\n" in result.stdout
    assert "3 checks: 1 wrong, 1 not known, 1 fine" in result.stdout
    assert "Error: something is wrong" in result.output


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503}, {"drop": True}, {"delay_seconds": 3}]
)
def test_what_line_does_not_say_is_not_fine(
    open_shop: OpenShop, line_emulator: Emulator, fault: dict[str, Any]
) -> None:
    app = open_shop(LINECONNECT_TIMEOUT_SECONDS=1)
    line_emulator.fault(path="/v2/bot/message/quota", share=1, **fault)
    result = _run(app, *QUICK)
    assert result.exit_code == 3
    assert "not known: quota" in result.stdout
    assert "not everything could be asked" in result.output


def test_a_line_that_is_away_is_not_fine(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_EMULATOR_URL="http://127.0.0.1:9", LINECONNECT_TIMEOUT_SECONDS=1)
    result = _run(app, "--json")
    found = json.loads(result.stdout)["findings"]
    asking = [one for one in found if one["family"] in {"channels", "webhook", "account"}]
    states = {one["state"] for one in asking if one["check"] != "same-channel"}
    assert states == {"unasked", "untold"}
    assert result.exit_code == 3


def test_a_line_that_hangs_is_not_asked_again_and_again(
    open_shop: OpenShop, line_emulator: Emulator
) -> None:
    app = open_shop(LINECONNECT_TIMEOUT_SECONDS=1)
    line_emulator.fault(path="/v2/bot/*", delay_seconds=1.5, share=1)
    found = json.loads(_run(app, "--json").stdout)["findings"]
    assert sum("no further question was asked" in one["text"] for one in found) > 3


def test_json_for_monitoring(open_shop: OpenShop) -> None:
    result = _run(open_shop(), *QUICK, "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["state"] == "fine"
    assert set(said["findings"][0]) == {"family", "check", "state", "text", "mend"}


def _refuse() -> Flask:
    raise ConfigError("LINECONNECT_BASE_URL is missing.")


def test_an_app_that_does_not_start_is_a_finding() -> None:
    info = ScriptInfo(create_app=_refuse)
    result = CliRunner().invoke(doctor, ["--json"], obj=info)
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)["findings"]
    assert found["check"] == "start"
    assert "LINECONNECT_BASE_URL is missing" in found["text"]


@pytest.mark.parametrize(
    ("error", "said", "mend"),
    [
        (ModuleNotFoundError(name="psycopg2"), "the package psycopg2", "pip install psycopg2"),
        (ArgumentError("postgres://shop:hunter2@db"), "ArgumentError", "flask routes"),
    ],
)
def test_what_stops_an_app_beside_us(error: Exception, said: str, mend: str) -> None:
    def make() -> Flask:
        raise error

    result = CliRunner().invoke(doctor, [], obj=ScriptInfo(create_app=make))
    assert result.exit_code == 1
    assert said in result.stdout
    assert mend in result.stdout
    assert "hunter2" not in result.output


def test_an_app_that_starts(app: Flask) -> None:
    assert _run(app, "--only", "start", "--all").stdout.startswith("fine: start\n")


def test_an_environment_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_LINECONNECT_BASE_URL", "https://shop.example")
    result = CliRunner().invoke(doctor, [], obj=ScriptInfo(create_app=_refuse))
    assert "-> FLASK_LINECONNECT_BASE_URL is in the environment" in result.stdout
    assert "from_prefixed_env()" in " ".join(result.stdout.split())


def test_an_app_without_the_extension_is_a_finding() -> None:
    result = _run(Flask("bare"))
    assert result.exit_code == 1
    assert "call line.init_app(app) first" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"LINECONNECT_MESSAGING_CHANNEL_SECRET": "5ec3e75ec3e75ec3e75ec3e75ec3e7aa"},
        {"LINECONNECT_CHANNEL_ACCESS_TOKEN": "t0k3n-t0k3n-t0k3n"},
        {"LINECONNECT_BASIC_ID": "@other", "LINECONNECT_PLAN": "standard"},
    ],
)
def test_nothing_secret_is_written(
    open_shop: OpenShop, line_emulator: Emulator, changes: dict[str, str]
) -> None:
    app = open_shop(**changes)
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    sign_up(app.test_client(), line_emulator.browser(user_id))
    line_emulator.fault(path="/v2/bot/profile/*", status=500, share=1)
    output = _run(app, "--all").output + _run(app, "--json").output
    secrets = [
        value
        for name, value in app.config.items()
        if value and any(word in name for word in ("SECRET", "TOKEN", "PASSWORD"))
    ]
    assert len(secrets) >= 3
    assert [one for one in secrets if str(one) in output] == []
    tokens = dict(line_emulator._get("/_emulator/state")).get("channel_tokens", {})
    assert [one for one in tokens if one in output] == []
    assert user_id not in output
    assert "さくら" not in output
