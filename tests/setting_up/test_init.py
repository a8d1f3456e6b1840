"""``flask line init``: from two channels to settings, LIFF app and webhook, and nothing twice."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from click.testing import Result
from dotenv import dotenv_values
from flask import Flask
from flask.cli import ScriptInfo
from jinja2 import DictLoader

from flask_lineconnect import Emulator
from flask_lineconnect import RichMenu
from flask_lineconnect.cli import init as init_module
from flask_lineconnect.cli.init import init
from flask_lineconnect.config.settings import Config
from flask_lineconnect.setting_up.env_file import read_env
from flask_lineconnect.setting_up.env_file import write_env
from flask_lineconnect.setting_up.joining import Addresses
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.doctor.conftest import look
from tests.setting_up.test_channels import IMAGE
from tests.setting_up.test_channels import MENU

pytestmark = pytest.mark.usefixtures("folder")

BASE_URL = "http://127.0.0.1:5999"
CHANGES = {"POST", "PUT", "DELETE"}


def _known_settings(emulator: Emulator) -> dict[str, str]:
    """Return what an owner has copied from LINE's console; the emulator stands for LINE."""
    settings = emulator.settings(BASE_URL)
    return {
        f"FLASK_{name}": value
        for name, value in settings.items()
        if not name.endswith(("LIFF_ID", "BASIC_ID"))
    }


def _run(*arguments: str, env: Mapping[str, str] | None = None, **more: Any) -> Result:
    return CliRunner().invoke(init, arguments, env=env, **more)


def _delete_liff_apps(emulator: Emulator) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "1650000001",
        "client_secret": "0123456789abcdef0123456789abcdef",
    }
    issued = requests.post(f"{emulator.url}/oauth2/v3/token", data=form, timeout=60).json()
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    apps = f"{emulator.url}/liff/v1/apps"
    for app in requests.get(apps, headers=headers, timeout=60).json()["apps"]:
        requests.delete(f"{apps}/{app['liffId']}", headers=headers, timeout=60)


def _told(emulator: Emulator) -> list[str]:
    """Return what LINE was told to change."""
    return [
        f"{call['method']} {call['path']}"
        for call in emulator.calls()
        if call["method"] in CHANGES and "/oauth2/" not in call["path"]
    ]


def test_two_channels_become_settings(line_emulator: Emulator, folder: Path) -> None:
    env = _known_settings(line_emulator)
    _delete_liff_apps(line_emulator)
    result = _run(env=env)
    assert result.exit_code == 0, result.output
    state = dict(line_emulator._get("/_emulator/state"))
    (app,) = state["liff_apps"]
    assert app["endpoint_url"] == f"{BASE_URL}/line/liff"
    assert app["scope"] == ["openid", "profile"]
    assert state["messaging_channel"]["webhook_url"] == f"{BASE_URL}/line/webhook"
    settings = read_env(folder / ".env")
    assert settings["LINECONNECT_LIFF_ID"] == app["liff_id"]
    assert settings["LINECONNECT_BASIC_ID"] == "@demoshop"
    assert Config.from_mapping(settings).liff_id == app["liff_id"]
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_the_second_time_changes_nothing(line_emulator: Emulator, folder: Path) -> None:
    assert _run(env=_known_settings(line_emulator)).exit_code == 0
    told, before = _told(line_emulator), (folder / ".env").read_text("utf-8")
    result = _run()
    assert result.exit_code == 0, result.output
    assert ".env has all settings" in result.output
    assert _told(line_emulator) == told
    assert (folder / ".env").read_text("utf-8") == before


def test_a_dry_run_changes_nothing(line_emulator: Emulator, folder: Path) -> None:
    env = _known_settings(line_emulator)
    _delete_liff_apps(line_emulator)
    told = _told(line_emulator)
    result = _run("--dry-run", env=env)
    assert result.exit_code == 0, result.output
    assert f"would be: a LIFF app that opens {BASE_URL}/line/liff" in result.output
    assert f"would be: the webhook goes to {BASE_URL}/line/webhook" in result.output
    assert "FLASK_LINECONNECT_BASIC_ID" in result.output
    assert _told(line_emulator) == told
    assert list(folder.iterdir()) == []


def test_a_liff_app_keeps_what_the_owner_chose(line_emulator: Emulator) -> None:
    app: dict[str, Any] = {
        "liff_id": "1650000001-DemoCard",
        "endpoint_url": "https://old.example/line/liff",
        "scope": ["profile", "chat_message.write"],
        "view_type": "tall",
    }
    line_emulator.set_up(liff_apps=[app])
    env = {**_known_settings(line_emulator), "FLASK_LINECONNECT_LIFF_ID": app["liff_id"]}
    assert _run(env=env).exit_code == 0
    (now,) = dict(line_emulator._get("/_emulator/state"))["liff_apps"]
    assert now["scope"] == ["profile", "chat_message.write", "openid"]
    assert now["endpoint_url"] == f"{BASE_URL}/line/liff"
    assert now["view_type"] == "tall"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MESSAGING_CHANNEL_SECRET": "f" * 32}, "MESSAGING_CHANNEL_SECRET; copy both from LINE"),
        ({"LOGIN_CHANNEL_ID": "1650000009"}, "LINECONNECT_LOGIN_CHANNEL_ID"),
        ({"MESSAGING_CHANNEL_ID": "1650000001"}, "are the same"),
        (
            {
                "LOGIN_CHANNEL_ID": "1650000002",
                "LOGIN_CHANNEL_SECRET": "fedcba9876543210fedcba9876543210",
                "MESSAGING_CHANNEL_ID": "1650000001",
                "MESSAGING_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
            },
            "1650000001 is no Messaging API channel",
        ),
        ({"LIFF_ID": "1650000001-Deleted1"}, "has no LIFF app 1650000001-Deleted1"),
        ({"BASE_URL": "not an address"}, "LINECONNECT_BASE_URL must be an address"),
        ({"EMULATOR_URL": "http://127.0.0.1:9"}, "did not answer"),
        ({"EMULATOR_URL": ""}, "must start with https://"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    line_emulator: Emulator, folder: Path, changes: dict[str, str], said: str
) -> None:
    wrong = {f"FLASK_LINECONNECT_{name}": value for name, value in changes.items()}
    result = _run(env={**_known_settings(line_emulator), **wrong})
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    assert _told(line_emulator) == []
    assert list(folder.iterdir()) == []


def test_what_is_missing_is_asked_for(
    line_emulator: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = _known_settings(line_emulator)
    secret = env.pop("FLASK_LINECONNECT_LOGIN_CHANNEL_SECRET")
    refused = _run(env=env)
    assert refused.exit_code == 1
    assert "FLASK_LINECONNECT_LOGIN_CHANNEL_SECRET must be in the environment" in refused.output
    monkeypatch.setattr(init_module, "_is_somebody_there", lambda: True)
    result = _run(env=env, input=f"{secret}\n")
    assert result.exit_code == 0, result.output
    assert "LINE Login channel: Channel secret:" in result.output
    assert read_env(folder / ".env")["LINECONNECT_LOGIN_CHANNEL_SECRET"] == secret


def test_no_secret_is_shown(line_emulator: Emulator) -> None:
    env = _known_settings(line_emulator)
    output = _run("--dry-run", env=env).output + _run(env=env).output
    shown = [value for name, value in env.items() if "SECRET" in name and value in output]
    assert shown == []


def test_the_emulator_gives_a_whole_configuration(
    line_emulator: Emulator, folder: Path, make_app: MakeApp
) -> None:
    result = _run("--emulator", "--emulator-url", line_emulator.url)
    assert result.exit_code == 0, result.output
    settings = read_env(folder / ".env")
    assert {"SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "DEBUG"} <= set(settings)
    ours = {name: value for name, value in settings.items() if name.startswith("LINECONNECT_")}
    found = look(make_app(**ours))
    bad = {name for name, one in found.items() if one.state in {"wrong", "unasked"}}
    # The shop itself does not run here.
    assert bad == {"public-address", "webhook-answer"}
    assert ".env has all settings" in _run("--emulator", "--emulator-url", line_emulator.url).output


def test_the_rich_menu_of_an_app_is_published_once(
    line_emulator: Emulator, folder: Path, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = _known_settings(line_emulator)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    app = make_app(**line_emulator.settings(BASE_URL))
    app.root_path = str(folder)
    shutil.copy(IMAGE, folder / "menu.png")
    state: LineState = app.extensions["lineconnect"]
    state.rich_menu = RichMenu(template="menu.json", image="menu.png")
    state.json_environment.loader = DictLoader({"menu.json": MENU % "first"})
    info = ScriptInfo(create_app=lambda: app)
    first = _run(obj=info)
    assert "done: the rich menu is richmenu-" in first.output, first.output
    told = _told(line_emulator)
    again = _run(obj=info)
    assert again.exit_code == 0
    assert "the rich menu is" not in again.output
    assert _told(line_emulator) == told


def _raise() -> Flask:
    raise KeyError("a-word-of-the-shop")


def test_an_app_that_does_not_start_yet(line_emulator: Emulator) -> None:
    result = _run(env=_known_settings(line_emulator), obj=ScriptInfo(create_app=_raise))
    assert result.exit_code == 0, result.output
    assert "The app does not start yet (KeyError)." in result.output


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere", "", "http://\0", "ftp://x"])
def test_an_emulator_that_does_not_run(url: str) -> None:
    result = _run("--emulator", "--emulator-url", url)
    assert result.exit_code == 1
    assert "flask line emulator --base-url" in result.output


@pytest.mark.parametrize("prefix", ["/line", "/", "/shop/line"])
@pytest.mark.parametrize("base_url", ["https://shop.example", "https://shop.example/tea"])
def test_addresses_are_those_of_the_app(make_app: MakeApp, prefix: str, base_url: str) -> None:
    app = make_app(LINECONNECT_URL_PREFIX=prefix, LINECONNECT_BASE_URL=base_url)
    line: LineState = app.extensions["lineconnect"]
    found = Addresses.of(line.config)
    assert found.callback == line.url_for("lineconnect.callback")
    assert found.webhook == line.url_for("lineconnect.webhook")
    assert found.card == line.url_for("lineconnect.card")


def test_other_lines_of_the_file_stay(folder: Path) -> None:
    file = folder / "shop.env"
    file.write_text("# mine\nexport OTHER=1\nFLASK_X=old # note\n\nFLASK_X=twice\n", "utf-8")
    file.chmod(0o640)
    write_env(file, {"X": "new", "Y": "two words"})
    assert file.read_text("utf-8") == (
        "# mine\nexport OTHER=1\nFLASK_X=new\n\nFLASK_Y='two words'\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "shared").write_text("FLASK_X=1\n", "utf-8")
    (folder / ".env").symlink_to(folder / "shared")
    write_env(folder / ".env", {"X": "two"})
    assert (folder / ".env").is_symlink()
    assert (folder / "shared").read_text("utf-8") == "FLASK_X=two\n"


@pytest.mark.parametrize(
    "secret",
    ["0" * 31 + "1", "1" * 32, "12e5", "true", "null", "0123456789abcdef" * 2, "a b"],
)
def test_secrets_come_back_as_texts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    write_env(folder / ".env", {"LINECONNECT_LOGIN_CHANNEL_SECRET": secret})
    assert read_env(folder / ".env")["LINECONNECT_LOGIN_CHANNEL_SECRET"] == secret
    for name, value in dotenv_values(folder / ".env").items():
        monkeypatch.setenv(name, str(value))
    app = Flask("shop")
    app.config.from_prefixed_env()
    assert app.config["LINECONNECT_LOGIN_CHANNEL_SECRET"] == secret
    assert json.dumps(secret)
