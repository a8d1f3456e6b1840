"""Rich menus brought to LINE: only what differs, by link, segment and date, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select

from flask_lineconnect import ConfigError
from flask_lineconnect import Emulator
from flask_lineconnect import LineApiError
from flask_lineconnect import LineBlueprint
from flask_lineconnect import RichMenu
from flask_lineconnect import set_up_channels
from flask_lineconnect.doctor.examination import examine
from flask_lineconnect.engines.upkeep import show_menus
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.line_api.rich_menus import RichMenuApi
from flask_lineconnect.linking import accounts
from flask_lineconnect.marketing.segments.audience import members_in
from flask_lineconnect.models import Account
from flask_lineconnect.models import RichMenuRelease
from flask_lineconnect.rich_menus import releases
from flask_lineconnect.rich_menus.rounds import show_portion
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.people import sign_up
from tests.small_shop import User
from tests.small_shop import line as extension

pytestmark = pytest.mark.joined
on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

Write = Callable[..., None]


@pytest.fixture
def write(app: Flask, tmp_path: Path) -> Write:
    """Return a function that writes a menu's file, or takes it away."""
    app.root_path = str(tmp_path)
    (tmp_path / "line_menus").mkdir()

    def write(name: str, text: str | None = "", label: str = "カード") -> None:
        path = tmp_path / "line_menus" / f"{name}.toml"
        if text is None:
            path.unlink()
            return
        area = f'[[areas]]\nlabel = "{label}"\nliff = ""\n'
        path.write_text(f'chat_bar_text = "メニュー"\n{area}{text}', "utf-8")

    return write


def _sync(line: LineState) -> list[str]:
    work = releases.plan(line)
    steps = list(work.steps())
    releases.sync(line, work)
    while show_portion(line, partial(members_in, line)) is not None:
        pass
    releases.retire(line)
    return steps


def _api(line: LineState) -> RichMenuApi:
    return RichMenuApi(line.part(LineApi))


def _names(line: LineState) -> dict[str, str]:
    """Return the name of each menu at LINE by its id, without the hash."""
    return {menu_id: name.partition(" ")[0] for menu_id, name in _api(line).names().items()}


def _seen_by(line: LineState, emulator: Emulator, user_id: str) -> str | None:
    """Return the name of the menu that a person sees at the emulator."""
    state = emulator._get(f"/phone/{user_id}/state")["rich_menu"]
    return None if state is None else _names(line)[state["id"]]


def test_only_what_differs_is_made(line: LineState, write: Write) -> None:
    write("everybody", "[show]\n")
    write("shop")
    assert _sync(line) == ["make everybody", "make shop"]
    first = _names(line)
    assert _sync(line) == []
    assert _names(line) == first
    assert line.session.scalar(select(func.count()).select_from(RichMenuRelease)) == 1

    write("shop", label="お店")
    assert _sync(line) == ["make shop, which has changed"]
    # The one before is kept, to go back to; of two changes the oldest goes.
    assert sorted(_names(line).values()) == ["everybody", "shop", "shop"]
    write("shop", label="店舗")
    _sync(line)
    assert sorted(_names(line).values()) == ["everybody", "shop", "shop"]
    write("shop", None)
    assert _sync(line) == ["remove shop"]
    assert _sync(line) == []


def test_what_was_interrupted_is_found_again(
    line: LineState, write: Write, line_emulator: Emulator
) -> None:
    write("one", "[show]\n")
    write("two")
    # The image does not arrive: the menu is there, and nothing is written down.
    line_emulator.fault(path="/v2/bot/richmenu/richmenu-*", method="POST", status=500, times=1)
    with pytest.raises(LineApiError, match="upload"):
        _sync(line)
    assert list(_names(line).values()) == ["one"]
    assert _sync(line) == ["give one its image", "make two"]
    assert sorted(_names(line).values()) == ["one", "two"]

    # All was made, and then the process died before it wrote it down.
    line.session.execute(delete(RichMenuRelease))
    line.session.commit()
    assert _sync(line) == ["use one, which LINE has already", "use two, which LINE has already"]
    assert sorted(_names(line).values()) == ["one", "two"]
    # LINE lost them: they are made again.
    for menu_id in _names(line):
        _api(line).delete(menu_id)
    assert _sync(line) == ["make one, which has changed", "make two, which has changed"]


def test_menus_of_others_are_left_alone(line: LineState, write: Write) -> None:
    write("one", "[show]\n")
    _sync(line)
    (work,) = releases.plan(line).composed
    foreign = _api(line).create({**work.definition, "name": "made by somebody else"})
    _api(line).upload(foreign, *work.image())
    _api(line).create_alias("theirs", foreign)
    for label in ("a", "b", "c"):
        write("one", "[show]\n", label=label)
        _sync(line)
    assert foreign in _names(line)
    assert _api(line).aliases() == {"theirs": foreign}


@on_both
def test_linked_and_unlinked_people_see_their_own(
    line: LineState,
    write: Write,
    client: FlaskClient,
    sakura: LineBrowser,
    user_id: str,
    line_emulator: Emulator,
) -> None:
    write("guests", '[show]\nto = "unlinked"\n')
    write("members", '[show]\nto = "linked"\n')
    _sync(line)
    line_emulator.add_friend(sakura.user_id)
    assert _seen_by(line, line_emulator, user_id) == "guests"
    assert _seen_by(line, line_emulator, sakura.user_id) == "guests"
    sign_up(client, sakura)
    work_until_idle(line)
    assert _seen_by(line, line_emulator, sakura.user_id) == "members"

    # Another content is shown at once to those who saw the first one.
    before = line.session.scalars(select(Account.rich_menu_id)).all()
    write("members", '[show]\nto = "linked"\n', label="会員証")
    _sync(line)
    line.session.rollback()
    assert line.session.scalars(select(Account.rich_menu_id)).all() != before
    assert _seen_by(line, line_emulator, sakura.user_id) == "members"

    with line.work_context():
        member = line.session.scalars(select(User)).first()
        assert member is not None
        extension.unlink(member)
        line.session.commit()
    work_until_idle(line)
    assert _seen_by(line, line_emulator, sakura.user_id) == "guests"


@on_both
def test_a_segment_goes_before_everybody_and_a_date_ends(
    line: LineState, write: Write, line_emulator: Emulator
) -> None:
    vip = _members(line, line_emulator, 3)
    soon = line.clock().astimezone(line.config.zone) + timedelta(days=2)
    write("everybody", "[show]\n")
    write("some", '[show]\nsegment = "some"\n')
    write("party", f"[show]\npriority = 1\nfrom = {soon:%Y-%m-%d}\nuntil = {soon:%Y-%m-%d}\n")
    _sync(line)
    assert [_seen_by(line, line_emulator, one) for one in vip] == ["some", "everybody", "some"]

    _travel(line, soon)
    assert {_seen_by(line, line_emulator, one) for one in vip} == {"party"}
    _travel(line, soon + timedelta(days=2))
    assert [_seen_by(line, line_emulator, one) for one in vip] == ["some", "everybody", "some"]


def _travel(line: LineState, at: datetime) -> None:
    line.clock = lambda: at
    while show_menus(line):
        pass


def _members(line: LineState, emulator: Emulator, count: int) -> list[str]:
    """Make linked members; the segment ``some`` has those with odd keys."""
    people = [emulator.add_user(f"会員 {number}") for number in range(count)]
    for user_id in people:
        emulator.add_friend(user_id)
        member = User(name="会員")
        line.session.add(member)
        line.session.flush()
        account = accounts.ensure_account(line.session, user_id, now=line.clock())
        accounts.link(line, account, member.id, source=None, now=line.clock())
    line.session.commit()
    return people


odd = LineBlueprint("odd", __name__)


@odd.segment("some", label="一部")
def some(now: datetime) -> Any:
    """Return the members with odd keys."""
    return select(User.id).where(User.id % 2 == 1)


@pytest.fixture(autouse=True)
def _segments(app: Flask) -> None:
    app.register_blueprint(odd)


def test_many_people_take_one_request_for_five_hundred(
    line: LineState, write: Write, line_emulator: Emulator
) -> None:
    now = line.clock()
    people = range(1, 602)
    line.session.execute(insert(User), [{"id": number, "name": "会員"} for number in people])
    line.session.execute(
        insert(Account),
        [
            {
                "line_user_id": f"U{number:032x}",
                "is_friend": True,
                "member_id": number,
                "created_at": now,
            }
            for number in people
        ],
    )
    line.session.commit()
    write("guests", '[show]\nto = "unlinked"\n')
    write("members", '[show]\nto = "linked"\n')
    # LINE did it and could not say so: it is told again.
    bulk = "/v2/bot/richmenu/bulk/link"
    line_emulator.fault(path=bulk, status=500, times=1, after_acceptance=True)
    with pytest.raises(LineApiError, match="link rich menu to many"):
        _sync(line)
    told = select(func.count()).where(Account.rich_menu_id.is_not(None))
    assert line.session.scalar(told) == 0
    later = now + timedelta(minutes=6)
    line.clock = lambda: later
    while show_menus(line):
        pass
    assert line.session.scalar(told) == 601
    calls = [
        call for call in line_emulator._get("/_emulator/calls")["calls"] if call["path"] == bulk
    ]
    # Twice the first five hundred, and the rest.
    assert len(calls) == 3


def test_tabs_lead_from_menu_to_menu_after_every_change(line: LineState, write: Write) -> None:
    tabs = 'tabs = [{menu = "left", label = "左"}, {menu = "right", label = "右"}]\n'
    write("left", "")
    write("right", "")
    folder = releases.folder_of(line)
    for name in ("left", "right"):
        text = (folder / f"{name}.toml").read_text("utf-8")
        (folder / f"{name}.toml").write_text(tabs + text, "utf-8")
    _sync(line)
    there = _names(line)
    assert {alias: there[menu] for alias, menu in _api(line).aliases().items()} == {
        "left": "left",
        "right": "right",
    }
    before = _api(line).aliases()
    path = folder / "right.toml"
    path.write_text(path.read_text("utf-8").replace("カード", "新しい"), "utf-8")
    assert _sync(line) == [
        "make right, which has changed",
        "let tabs and areas open right",
    ]
    assert _api(line).aliases()["left"] == before["left"]
    assert _api(line).aliases()["right"] != before["right"]
    releases.rollback(line)
    assert _api(line).aliases() == before
    # Nobody leads to them any more.
    write("left", "")
    write("right", "")
    _sync(line)
    _sync(line)
    write("left", label="x")
    _sync(line)
    assert _api(line).aliases() == {}


def test_the_way_back(line: LineState, write: Write, line_emulator: Emulator, user_id: str) -> None:
    write("good", "[show]\n")
    _sync(line)
    write("good", None)
    write("bad", "[show]\n")
    _sync(line)
    assert _seen_by(line, line_emulator, user_id) == "bad"
    result = _run(line, "rollback")
    assert "good" in result.output
    assert _seen_by(line, line_emulator, user_id) == "good"
    assert _run(line, "rollback").exit_code == 1
    # The files are still the bad ones: a sync makes them current again, without making them anew.
    assert _sync(line) == ["use bad, which LINE has already", "remove good"]
    assert _seen_by(line, line_emulator, user_id) == "bad"


def _run(line: LineState, *words: str) -> Any:
    group = FlaskGroup(create_app=lambda: line.app)
    return CliRunner().invoke(group, ["line", "richmenu", *words])


def test_the_commands(line: LineState, write: Write, tmp_path: Path) -> None:
    assert "members.toml" in _run(line, "sync").output
    write("everybody", "[show]\nuntil = 2099-12-31\n")
    assert _run(line, "sync", "--dry-run").output == "would make everybody\n"
    assert _names(line) == {}
    assert _run(line, "diff").exit_code == 1
    assert _run(line, "sync").exit_code == 0
    assert "LINE has the rich menus" in _run(line, "sync").output
    assert _run(line, "diff").exit_code == 0
    (listed,) = json.loads(_run(line, "list", "--json").output)
    assert (listed["name"], listed["to"]) == ("everybody", "everybody")
    assert listed["until"].startswith("2100-01-01T00:00:00+09:00") or listed["until"]
    write("everybody", "[show]\n", label="お店")
    diff = _run(line, "diff")
    assert diff.exit_code == 1
    assert '-        "label": "カード"' in diff.output
    drawn = _run(line, "draw", "everybody", str(tmp_path / "look.png"))
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")
    assert "there is no rich menu 'x'" in _run(line, "draw", "x", str(tmp_path / "x")).output
    write("everybody", None)
    assert _run(line, "sync").exit_code == 1
    assert _run(line, "sync", "--remove-all").exit_code == 0
    assert line.part(LineApi).rich_menu_ids()
    assert _run(line, "list").output == "No rich menus have been brought to LINE.\n"


def test_setup_and_the_doctor_know_them(line: LineState, write: Write) -> None:
    def state(name: str) -> str | None:
        return next((one.state for one in examine(line, names={name})), None)

    write("everybody", "[show]\n")
    assert state("rich-menu") == "wrong"
    assert "make everybody" in list(set_up_channels(line))
    assert [state("rich-menu"), state("rich-menu-files")] == ["fine", "fine"]
    assert "make everybody" not in list(set_up_channels(line))
    # Somebody shows everybody another one by hand.
    _api(line).clear_default()
    assert state("rich-menu") == "wrong"
    _sync(line)
    assert state("rich-menu") == "fine"
    write("everybody", "[show]\n", label="お店")
    assert state("rich-menu") == "wrong"
    write("everybody", 'image = "gone.png"\n')
    assert state("rich-menu-files") == "wrong"
    # A menu of the other kind beside them: only one can be everybody's.
    write("everybody", "[show]\n")
    line.rich_menu = RichMenu(template="menu.json", image="menu.png")
    with pytest.raises(ConfigError, match="only one"):
        releases.plan(line)
    assert state("rich-menu-files") == "wrong"
