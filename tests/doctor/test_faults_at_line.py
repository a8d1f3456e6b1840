"""What LINE is asked for: each check finds its fault on the emulator, and says the mend."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from jinja2 import DictLoader
from werkzeug.wrappers import Response

from flask_lineconnect import Emulator
from flask_lineconnect import RichMenu
from flask_lineconnect import set_up_channels
from flask_lineconnect.doctor import webhook
from flask_lineconnect.doctor.findings import State
from flask_lineconnect.doctor.visit import Visit
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.state import LineState
from tests.people import log_in
from tests.people import sign_up
from tests.setting_up.test_channels import IMAGE
from tests.setting_up.test_channels import MENU

from .conftest import OpenShop
from .conftest import look

SHORT = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Fault:
    """A fault, and what the doctor says of it.

    :ivar settings: of the shop.
    :ivar setup: of the emulator.
    :ivar plant: what else is done.
    """

    check: str
    seen: str
    mend: str
    state: State = "wrong"
    settings: Mapping[str, str] = field(default_factory=dict)
    setup: Mapping[str, Any] = field(default_factory=dict)
    plant: Callable[[Flask, Emulator], object] = lambda _app, _emulator: None


def _state(app: Flask) -> LineState:
    line: LineState = app.extensions["lineconnect"]
    return line


def _clock_is_off(seconds: int) -> Callable[[Flask, Emulator], object]:
    def plant(app: Flask, _emulator: Emulator) -> None:
        line = _state(app)
        clock = line.clock
        line.clock = lambda: clock() + timedelta(seconds=seconds)

    return plant


def _use_up(app: Flask, emulator: Emulator) -> None:
    emulator.set_up(messaging_channel={"quota": 0})


def _has_menu(app: Flask, _emulator: Emulator) -> None:
    _state(app).rich_menu = RichMenu(template="menu.json", image="menu.png")


def _shows_another_menu(app: Flask, emulator: Emulator) -> None:
    _has_menu(app, emulator)
    api = _state(app).part(LineApi)
    area = {
        "bounds": {"x": 0, "y": 0, "width": 2500, "height": 1686},
        "action": {"type": "message", "text": "x"},
    }
    menu = {
        "size": {"width": 2500, "height": 1686},
        "selected": True,
        "name": "other",
        "chatBarText": "Menu",
        "areas": [area],
    }
    api.set_default_rich_menu(api.create_rich_menu(menu, IMAGE.read_bytes(), "image/png"))


def _member(app: Flask, emulator: Emulator) -> None:
    """Let somebody register who is a friend."""
    user_id = emulator.add_user("佐藤 さくら")
    emulator.add_friend(user_id)
    browser = emulator.browser(user_id)
    client = app.test_client()
    sign_up(client, browser)
    log_in(app.test_client(), browser)


def _member_of_another_provider(app: Flask, emulator: Emulator) -> None:
    emulator.set_up(login_channel={"provider": "another"})
    _member(app, emulator)


def _member_without_linked_account(app: Flask, emulator: Emulator) -> None:
    emulator.set_up(login_channel={"is_bot_linked": False})
    _member(app, emulator)


APP = "1650000001-DemoCard"
FAULTS = [
    Fault(
        "same-channel",
        "are both 1650000001",
        "make a LINE Login channel and a Messaging API channel",
        settings={"LINECONNECT_MESSAGING_CHANNEL_ID": "1650000001"},
    ),
    Fault(
        "messaging-channel",
        "LINE refuses the ID 1650000002",
        "LINECONNECT_MESSAGING_CHANNEL_SECRET",
        settings={"LINECONNECT_MESSAGING_CHANNEL_SECRET": "f" * 32},
    ),
    Fault(
        "login-channel",
        "LINE refuses the ID 1650000009",
        "LINECONNECT_LOGIN_CHANNEL_ID",
        settings={"LINECONNECT_LOGIN_CHANNEL_ID": "1650000009"},
    ),
    Fault(
        "channel-kinds",
        "swapped",
        "swap the LINECONNECT_LOGIN_",
        settings={
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000002",
            "LINECONNECT_LOGIN_CHANNEL_SECRET": "fedcba9876543210fedcba9876543210",
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000001",
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": SHORT,
        },
    ),
    Fault(
        "channel-kinds",
        "is no Messaging API channel",
        "of your official account",
        settings={
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000001",
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": SHORT,
        },
    ),
    Fault(
        "channel-kinds",
        "is no LINE Login channel",
        "the LINE Login channel of the same provider",
        settings={
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000002",
            "LINECONNECT_LOGIN_CHANNEL_SECRET": "fedcba9876543210fedcba9876543210",
        },
    ),
    Fault(
        "access-token",
        "it ended or was revoked",
        "unset LINECONNECT_CHANNEL_ACCESS_TOKEN",
        settings={"LINECONNECT_CHANNEL_ACCESS_TOKEN": "a-token-that-line-does-not-know"},
    ),
    Fault("clock", "behind LINE's", "NTP", plant=_clock_is_off(-300)),
    Fault("clock", "ahead of LINE's", "NTP", plant=_clock_is_off(300)),
    Fault("clock", "from a minute on", "NTP", "doubtful", plant=_clock_is_off(31)),
    Fault(
        "callback",
        "no callback URL of the login channel",
        "Callback URL",
        setup={"login_channel": {"callback_urls": ["https://other.example/line/callback"]}},
    ),
    Fault(
        "callback",
        "LINE knows no login channel 1650000009",
        "LINECONNECT_LOGIN_CHANNEL_ID",
        settings={"LINECONNECT_LOGIN_CHANNEL_ID": "1650000009"},
    ),
    Fault(
        "login-scope",
        "LINE refuses LINECONNECT_LOGIN_SCOPE",
        "e-mail permission",
        settings={"LINECONNECT_LOGIN_SCOPE": "openid profile email"},
        setup={"login_channel": {"may_ask_for_email": False}},
    ),
    Fault(
        "login-scope",
        "e-mail permission",
        "OpenID Connect",
        "untold",
        settings={"LINECONNECT_LOGIN_SCOPE": "openid profile email"},
    ),
    Fault(
        "linked-account",
        "no official account is linked",
        "Linked LINE Official Account",
        plant=_member_without_linked_account,
    ),
    Fault(
        "provider",
        "of two providers",
        "of one provider",
        plant=_member_of_another_provider,
    ),
    Fault("published", "is published", "Published", "untold"),
    Fault(
        "liff-id",
        "begins with 1650000009",
        "from LINE Developers console",
        settings={"LINECONNECT_LIFF_ID": "1650000009-DemoCard"},
    ),
    Fault(
        "liff-app",
        "no LIFF app 1650000001-Deleted1; it has 1650000001-DemoCard",
        "LINECONNECT_LIFF_ID",
        settings={"LINECONNECT_LIFF_ID": "1650000001-Deleted1"},
    ),
    Fault(
        "liff-endpoint",
        "opens https://other.example/line/liff",
        "flask line setup",
        setup={"liff_apps": [{"liff_id": APP, "endpoint_url": "https://other.example/line/liff"}]},
    ),
    Fault(
        "liff-endpoint",
        "opens nothing",
        "flask line setup",
        setup={"liff_apps": [{"liff_id": APP, "endpoint_url": ""}]},
    ),
    Fault(
        "liff-scope",
        "lacks the scope openid",
        "tick openid",
        setup={"liff_apps": [{"liff_id": APP, "scope": ["profile", "chat_message.write"]}]},
    ),
    Fault(
        "liff-scope",
        "lacks the scope profile",
        "tick profile",
        "doubtful",
        setup={"liff_apps": [{"liff_id": APP, "scope": ["openid"]}]},
    ),
    Fault(
        "liff-size",
        "is compact",
        "choose Full",
        "doubtful",
        setup={"liff_apps": [{"liff_id": APP, "view_type": "compact"}]},
    ),
    Fault(
        "liff-friend",
        "offers nobody",
        "Add friend option",
        "doubtful",
        setup={"liff_apps": [{"liff_id": APP, "bot_prompt": "none"}]},
    ),
    Fault(
        "webhook-address",
        "no webhook address",
        "flask line setup",
        setup={"messaging_channel": {"webhook_url": None}},
    ),
    Fault(
        "webhook-address",
        "LINE sends webhooks to https://other.example/hook?…",
        "flask line setup",
        setup={"messaging_channel": {"webhook_url": "https://other.example/hook?key=1"}},
    ),
    Fault(
        "webhook-switch",
        "Use webhook is off",
        "switch Use webhook on",
        setup={"messaging_channel": {"use_webhook": False}},
    ),
    Fault("webhook-redelivery", "redelivery is on", "switch Webhook redelivery on", "untold"),
    Fault(
        "bot-user-id",
        "of another official account",
        "set it to U8e742f61d673b39c7fff3cecb7536ef0",
        settings={"LINECONNECT_BOT_USER_ID": "U" + "0" * 32},
    ),
    Fault(
        "basic-id",
        "is @another",
        "set it to @demoshop",
        settings={"LINECONNECT_BASIC_ID": "@another"},
    ),
    Fault(
        "chat-mode",
        "staff answer by hand",
        "switch Chat off",
        "doubtful",
        setup={"messaging_channel": {"chat_mode": "chat"}},
    ),
    Fault(
        "greeting",
        "the greeting message of the official account is on",
        "Response settings",
        "doubtful",
        setup={"messaging_channel": {"sent_by_tools": {"welcomeResponse": 3}}},
    ),
    Fault("greeting", "does not tell whether the greeting", "look", "untold"),
    Fault(
        "auto-reply",
        "LINE sent it 12 times yesterday",
        "Response settings",
        "doubtful",
        setup={"messaging_channel": {"sent_by_tools": {"autoResponse": 12}}},
    ),
    Fault("quota", "refuses every push", "plan", plant=_use_up),
    Fault(
        "plan",
        "LINE grants 200",
        "LINECONNECT_PLAN",
        settings={"LINECONNECT_PLAN": "standard"},
        setup={"messaging_channel": {"quota": 200}},
    ),
    Fault("rich-menu", "LINE shows none", "flask line setup", plant=_has_menu),
    Fault("rich-menu", "another rich menu", "flask line setup", plant=_shows_another_menu),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}: {fault.seen[:30]}")
def test_it_is_found(open_shop: OpenShop, line_emulator: Emulator, fault: Fault) -> None:
    app = open_shop(**fault.settings)
    line_emulator.set_up(**fault.setup)
    fault.plant(app, line_emulator)
    found = look(app, fault.check)[fault.check]
    assert fault.seen in found.text
    assert found.state == fault.state
    assert fault.mend in found.mend


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (400, "it is not the signature"),
        (401, "lineconnect.webhook"),
        (302, "lineconnect.webhook"),
        (404, "LINECONNECT_URL_PREFIX"),
        (500, "the database"),
    ],
)
def test_what_the_webhook_is_answered_with_tells_the_mend(
    open_shop: OpenShop, status: int, mend: str
) -> None:
    def wrap(_application: Any) -> Any:
        return Response("", status)

    found = look(open_shop(wrap=wrap), "webhook-answer")["webhook-answer"]
    assert found.state == "wrong"
    assert f"with {status}" in found.text
    assert mend in found.mend


def test_a_wrong_messaging_secret_is_seen_by_the_webhook(
    open_shop: OpenShop, line_emulator: Emulator
) -> None:
    app = open_shop()
    line_emulator.set_up(messaging_channel={"secret": "e" * 32})
    found = look(app, "messaging-channel", "webhook-answer")
    assert found["messaging-channel"].state == "wrong"
    # What can't be asked is not fine.
    assert found["webhook-answer"].state == "unasked"
    assert "refuses the channel's ID or secret" in found["webhook-answer"].text


def test_a_webhook_that_nobody_reaches(open_shop: OpenShop, line_emulator: Emulator) -> None:
    app = open_shop()
    line_emulator.set_up(messaging_channel={"webhook_url": "http://127.0.0.1:9/line/webhook"})
    found = look(app, "webhook-answer")["webhook-answer"]
    assert found.state == "wrong"
    assert "could_not_connect" in found.text
    assert "certificate" in found.mend


def _sleepy(seconds: float) -> Callable[[Any], Any]:
    def wrap(application: Any) -> Any:
        def serve(environ: Any, start_response: Any) -> Any:
            time.sleep(seconds if environ["PATH_INFO"].endswith("/webhook") else 0)
            return application(environ, start_response)

        return serve

    return wrap


def test_a_slow_webhook(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SLOW_SECONDS", 0.2)
    found = look(open_shop(wrap=_sleepy(0.3)), "webhook-speed", "webhook-answer")
    assert found["webhook-answer"].state == "fine"
    assert found["webhook-speed"].state == "doubtful"
    assert "gives up after two" in found["webhook-speed"].text


def test_a_webhook_that_is_too_slow(open_shop: OpenShop) -> None:
    found = look(open_shop(wrap=_sleepy(2.5)), "webhook-speed", "webhook-answer")
    assert found["webhook-answer"].state == "wrong"
    assert "in time" in found["webhook-answer"].text
    assert "webhook-speed" not in found


def test_a_token_of_another_channel(open_shop: OpenShop, line_emulator: Emulator) -> None:
    token = line_emulator.long_lived_token()
    app = open_shop(LINECONNECT_CHANNEL_ACCESS_TOKEN=token)
    assert look(app, "access-token")["access-token"].state == "fine"
    line_emulator.set_up(messaging_channel={"id": "1650000003"})
    other = open_shop(LINECONNECT_CHANNEL_ACCESS_TOKEN=token)
    found = look(other, "access-token")["access-token"]
    assert found.state == "wrong"
    assert "of another channel" in found.text


def test_one_token_is_not_taken_for_another(open_shop: OpenShop, line_emulator: Emulator) -> None:
    token = line_emulator.long_lived_token()
    app = open_shop(LINECONNECT_CHANNEL_ACCESS_TOKEN=token)
    visit = Visit(_state(app))
    answers = [
        visit.form("/v2/oauth/verify", {"access_token": one}).status for one in ("none", token)
    ]
    assert answers == [400, 200]


def test_a_token_that_ends_soon(open_shop: OpenShop, line_emulator: Emulator) -> None:
    settings = line_emulator.settings("http://127.0.0.1:1")
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["LINECONNECT_MESSAGING_CHANNEL_ID"],
        "client_secret": settings["LINECONNECT_MESSAGING_CHANNEL_SECRET"],
    }
    issued = requests.post(f"{line_emulator.url}/v2/oauth/accessToken", data=form, timeout=60)
    app = open_shop(LINECONNECT_CHANNEL_ACCESS_TOKEN=issued.json()["access_token"])
    assert look(app, "access-token")["access-token"].state == "fine"
    line_emulator.advance(27 * 86_400)
    found = look(app, "access-token")["access-token"]
    assert found.state == "doubtful"
    assert "ends in 7" in found.text


def test_a_token_that_line_takes_from_elsewhere(
    open_shop: OpenShop, line_emulator: Emulator
) -> None:
    app = open_shop(LINECONNECT_CHANNEL_ACCESS_TOKEN=line_emulator.long_lived_token())
    line_emulator.fault(path="/v2/bot/info", status=403)
    found = look(app, "access-token")["access-token"]
    assert found.state == "wrong"
    assert "IP allow list" in found.mend


def test_an_older_rich_menu(open_shop: OpenShop, line_emulator: Emulator, tmp_path: Path) -> None:
    app = open_shop()
    line = _state(app)
    app.root_path = str(tmp_path)
    shutil.copy(IMAGE, tmp_path / "menu.png")
    line.rich_menu = RichMenu(template="menu.json", image="menu.png")
    line.json_environment.loader = DictLoader({"menu.json": MENU % "first"})
    with app.app_context():
        list(set_up_channels(line))
    assert look(app, "rich-menu")["rich-menu"].state == "fine"
    (tmp_path / "menu.png").write_bytes(IMAGE.read_bytes() + b"changed")
    found = look(app, "rich-menu")["rich-menu"]
    assert found.state == "wrong"
    assert "older rich menu" in found.text


def test_a_member_tells_that_all_is_well(open_shop: OpenShop, line_emulator: Emulator) -> None:
    app = open_shop()
    _member(app, line_emulator)
    found = look(app, "linked-account", "provider")
    assert {one.state for one in found.values()} == {"fine"}


def test_most_of_the_quota(open_shop: OpenShop, line_emulator: Emulator) -> None:
    app = open_shop()
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    token = _state(app).part(LineApi).messaging_token.get()
    message = {"to": user_id, "messages": [{"type": "text", "text": "x"}]}
    answer = requests.post(
        f"{line_emulator.url}/v2/bot/message/push",
        json=message,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 200
    line_emulator.set_up(messaging_channel={"quota": 1})
    assert look(app, "quota")["quota"].state == "wrong"
    line_emulator.set_up(messaging_channel={"quota": 2})
    assert look(app, "quota")["quota"].state == "fine"
    line_emulator.set_up(messaging_channel={"quota": None})
    assert look(app, "quota")["quota"].state == "fine"
