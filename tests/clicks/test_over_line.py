"""Links that LINE carries, in messages and the menu, opened where members log in by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemLoader
from sqlalchemy import select

from flask_lineconnect import RichMenu
from flask_lineconnect import UsageError
from flask_lineconnect import track_links
from flask_lineconnect import tracked_url
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.models import Click
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.rich_menus.publish import hashes
from flask_lineconnect.rich_menus.publish import publish
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.people import BASE_URL
from tests.people import IN_APP
from tests.people import add_member
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.joined

IMAGE = Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png"


@pytest.fixture
def member(line: LineState, sakura: LineBrowser) -> User:
    """Return a member who came with LINE."""
    sign_up(line.app.test_client(), sakura)
    return line.session.scalars(select(User)).one()


def in_app(app: Flask) -> FlaskClient:
    """Return LINE's in-app browser."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = IN_APP
    return client


def path_of(address: str) -> str:
    """Return what stands behind the shop's host."""
    assert address.startswith(f"{BASE_URL}/line/l/")
    return urlsplit(address).path


def the_click(line: LineState) -> Click:
    """Return the only click."""
    line.session.rollback()
    return line.session.scalars(select(Click)).one()


def test_a_tap_in_line_logs_in_and_says_whose_it_was(
    app: Flask, line: LineState, member: User, sakura: LineBrowser
) -> None:
    path = path_of(tracked_url("/private", source="flyer", label="ちらし"))
    line.session.commit()
    client = in_app(app)
    answer = client.get(path)
    assert answer.location == f"{BASE_URL}/private"
    assert the_click(line).member_id is None
    asked = client.get("/private")
    back = client.get(sakura.log_in(asked.location))
    assert client.get(back.location).text == "private"
    assert the_click(line).member_id == member.id


def test_a_message_that_a_member_got(
    app: Flask, line: LineState, member: User, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    message = extension.send(member, f"ご覧ください {BASE_URL}/private", key="a")
    assert track_links(message, utm={"utm_source": "line"}) is message
    line.session.commit()
    assert message is not None
    text = message.messages
    # Once more changes nothing.
    again = extension.send(member, f"ご覧ください {BASE_URL}/private", key="a")
    assert track_links(again) is message
    assert message.messages == text
    work_until_idle(line)
    address = line_emulator.received(sakura.user_id)[-1]["text"].split()[-1]
    assert read_address(line, address) == (1, message.id)
    assert in_app(app).get(path_of(address)).location == f"{BASE_URL}/private?utm_source=line"
    click = the_click(line)
    assert (click.member_id, click.message_id) == (member.id, message.id)


def test_whoever_is_not_linked_gets_nothing_to_track(line: LineState) -> None:
    assert track_links(extension.send(add_member(line), "a")) is None


def test_an_address_for_any_place(line: LineState) -> None:
    assert tracked_url("https://line.me/R/", source="flyer") == "https://line.me/R/"
    assert tracked_url("tel:1", source="flyer") == "tel:1"
    with pytest.raises(UsageError, match="source"):
        tracked_url("/", source="x" * 101)
    assert db.session.scalars(select(TrackedLink)).all() == []


def test_the_rich_menu(
    app: Flask,
    line: LineState,
    member: User,
    sakura: LineBrowser,
    line_emulator: Emulator,
    tmp_path: Path,
) -> None:
    menu = {
        "size": {"width": 2500, "height": 1686},
        "selected": True,
        "name": "main",
        "chatBarText": "menu",
        "areas": [
            {
                "bounds": {"x": 0, "y": 0, "width": 2500, "height": 1686},
                "action": {"type": "uri", "label": "a", "uri": f"{BASE_URL}/private"},
            }
        ],
    }
    (tmp_path / "menu.json").write_text(json.dumps(menu), "utf-8")
    plain, tracked = (
        RichMenu(template="menu.json", image=str(IMAGE), track=is_on) for is_on in (False, True)
    )
    line.json_environment.loader = FileSystemLoader(tmp_path)
    assert hashes(plain, root_path="/") != hashes(tracked, root_path="/")
    publish(line, line.part(LineApi), tracked, now=line.clock())
    assert publish(line, line.part(LineApi), tracked, now=line.clock())[1] is False
    address = line_emulator.tap(sakura.user_id)
    assert address is not None
    assert in_app(app).get(path_of(address)).location == f"{BASE_URL}/private"
    assert db.session.scalars(select(TrackedLink.source)).one() == "menu:main"
    assert the_click(line).kind == "person"


def test_a_store_qr_code(app: Flask, line: LineState) -> None:
    runner = app.test_cli_runner()
    result = runner.invoke(commands, ["store-qr", "棚3", "--next", "/private", "--track"])
    assert result.exit_code == 0, result.output
    answer = app.test_client().get(path_of(result.output.strip()))
    assert answer.location == f"{BASE_URL}/line/login?source=%E6%A3%9A3&next=/private"
    (row,) = line.session.scalars(select(TrackedLink))
    assert (row.source, row.label) == ("qr:棚3", "棚3")
    assert runner.invoke(commands, ["store-qr", "棚3", "--next", "/private", "--track"]).output == (
        result.output
    )
