"""Rich menus in the console: what people see, what a publishing changes, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader
from jinja2 import DictLoader
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from werkzeug.test import TestResponse

from flask_lineconnect import RichMenu
from flask_lineconnect import set_up_channels
from flask_lineconnect.engines.upkeep import show_menus
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.line_api.rich_menus import RichMenuApi
from flask_lineconnect.models import Click
from flask_lineconnect.models import RichMenuRelease
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.models.rich_menu import IS_CURRENT
from flask_lineconnect.rich_menus import image_sizes
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop

MENUS = f"{CONSOLE}/menus"
PNG = Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png"
TEMPLATE = """{"size": {"width": 2500, "height": 1686}, "selected": true, "name": "main",
"chatBarText": "メニュー", "areas": [
{"bounds": {"x": 0, "y": 0, "width": 1250, "height": 1686},
 "action": {"type": "uri", "label": "お店<b>", "uri": "https://shop.example/a"}},
{"bounds": {"x": 1250, "y": 0, "width": 1250, "height": 1686},
 "action": {"type": "message", "label": "残高", "text": "残高"}}]}"""

Write = Callable[..., None]


@pytest.fixture
def app(request: pytest.FixtureRequest, staffed: StaffedShop, make_app: MakeApp) -> Flask:
    """Return the small shop with its console; in tests marked ``joined`` LINE answers it."""
    if request.node.get_closest_marker("joined") is None:
        return make_app()
    app: Flask = request.getfixturevalue("joined_app")
    return app


@pytest.fixture
def write(app: Flask, tmp_path: Path) -> Write:
    """Return a function that writes a menu's file, or takes it away."""
    app.root_path = str(tmp_path)
    folder = tmp_path / "line_menus"
    folder.mkdir()

    def write(name: str, more: str | None = "", label: str = "カード") -> None:
        path = folder / f"{name}.toml"
        if more is None:
            path.unlink()
            return
        area = f'[[areas]]\nlabel = "{label}"\nliff = "/orders"\n'
        path.write_text(f'chat_bar_text = "メニュー"\n{area}{more}', "utf-8")

    return write


def _press(client: FlaskClient, what: str) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{MENUS}/{what}", data={"csrf_token": token})


def _everybodys(line: LineState) -> str | None:
    """Do the round that is due; return the menu that LINE was told to show to everybody."""
    show_menus(line)
    line.session.rollback()
    return line.session.scalar(select(RichMenuRelease.default_menu_id).where(text(IS_CURRENT)))


def _releases(line: LineState) -> int:
    line.session.rollback()
    return line.session.scalar(select(func.count()).select_from(RichMenuRelease)) or 0


def test_without_menus_a_page_says_what_they_are_for(owner: FlaskClient) -> None:
    assert "まだメニューがありません" in owner.get(MENUS).text
    assert owner.get(f"{MENUS}/none").status_code == 404
    assert owner.get(f"{MENUS}/none/image").status_code == 404
    assert _press(owner, "rollback").status_code == 400


def test_a_menu_is_shown_with_its_areas_whom_it_is_for_and_its_picture(
    owner: FlaskClient, write: Write
) -> None:
    write("spring", '[show]\nto = "linked"\nfrom = 2099-04-01\nuntil = 2099-04-30\n', "カード")
    page = owner.get(MENUS).text
    assert "未公開" in page
    assert "連携会員・2099年4月1日（水）〜2099年4月30日（木）" in page
    page = owner.get(f"{MENUS}/spring").text
    assert "注文の一覧を開く" in page
    assert "このメニューのタップは数えていません。" in page
    picture = owner.get(f"{MENUS}/spring/image")
    assert picture.mimetype == "image/png"
    assert image_sizes.size_of(picture.data) == (2500, 1686)


def test_a_wrong_file_is_told_and_nothing_can_be_published(
    owner: FlaskClient, write: Write
) -> None:
    write("wrong", "nonsense = 1\n")
    page = owner.get(MENUS).text
    assert "お店のファイルに直すところがあります" in page
    assert "wrong.toml" in page
    assert "公開すると変わること" not in page


@pytest.mark.joined
def test_the_owner_publishes_and_goes_back_and_others_look(
    open_console: Open, line: LineState, write: Write
) -> None:
    set_up_channels(line)
    owner, editor = open_console("owner"), open_console("editor")
    write("main", '[show]\nto = "everybody"\n')
    assert "公開できるのは店主だけです" in editor.get(MENUS).text
    assert _press(editor, "publish").status_code == 403
    assert _press(owner, "publish").status_code == 303
    page = owner.get(MENUS).text
    assert "公開しました" in page
    assert "公開すると変わること" not in page
    assert "前の版に戻す" not in page
    assert _press(owner, "publish").status_code == 303
    assert "もうこのとおりです" in owner.get(MENUS).text
    assert _releases(line) == 1
    first = _everybodys(line)
    write("main", '[show]\nto = "everybody"\n', label="ポイント")
    assert "変更あり" in owner.get(MENUS).text
    assert _press(owner, "publish").status_code == 303
    assert _everybodys(line) != first
    assert _press(editor, "rollback").status_code == 403
    assert _press(owner, "rollback").status_code == 303
    assert _everybodys(line) == first
    audit = owner.get(f"{CONSOLE}/audit").text
    assert audit.count("メニューを公開した") == 2
    assert audit.count("メニューを前の版に戻した") == 1


@pytest.mark.joined
def test_what_nobody_sees_any_more_makes_room(
    owner: FlaskClient, line: LineState, write: Write
) -> None:
    set_up_channels(line)
    real = line.clock
    for day, label in enumerate(("一", "二", "三", "四")):
        line.clock = lambda day=day: real() + timedelta(days=day)  # type: ignore[misc]
        write("main", '[show]\nto = "everybody"\n', label=label)
        assert _press(owner, "publish").status_code == 303
    assert len(RichMenuApi(line.part(LineApi)).names()) == 3


@pytest.mark.joined
def test_what_is_gone_from_the_files_is_told_before_it_disappears(
    owner: FlaskClient, line: LineState, write: Write
) -> None:
    set_up_channels(line)
    for name in ("one", "two"):
        write(name)
    assert _press(owner, "publish").status_code == 303
    write("two", None)
    assert "なくなります" in owner.get(MENUS).text
    assert "次に公開すると、出なくなります" in owner.get(f"{MENUS}/two").text
    write("one", None)
    assert _press(owner, "publish").status_code == 400, "all of them go by the command alone"


def test_taps_are_counted_by_area_where_links_are_tracked(
    owner: FlaskClient,
    line: LineState,
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app.root_path = str(tmp_path)
    (tmp_path / "menu.png").write_bytes(PNG.read_bytes())
    own = line.json_environment.loader
    assert own is not None
    texts = DictLoader({"menu.json": TEMPLATE})
    monkeypatch.setattr(line.json_environment, "loader", ChoiceLoader([texts, own]))
    line.rich_menu = RichMenu("menu.json", "menu.png", track=True)
    link = TrackedLink(
        key="k", source="menu:main", target="https://shop.example/a", created_at=line.clock()
    )
    line.session.add(link)
    line.session.flush()
    for kind, days in (("person", 0), ("person", 1), ("robot", 0), ("person", 40)):
        at = line.clock() - timedelta(days=days)
        line.session.add(Click(link_id=link.id, clicked_at=at, kind=kind))
    line.session.commit()
    page = owner.get(f"{MENUS}/template").text
    assert "お店&lt;b&gt;" in page
    assert 'data-label="タップ">2<' in page
    assert "「残高」と送る" in page
    assert owner.get(f"{MENUS}/template/image").data == PNG.read_bytes()


def test_a_template_that_is_missing_is_told(
    owner: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "rich_menu", RichMenu("line/gone.json", str(PNG)))
    answer = owner.get(MENUS)
    assert answer.status_code == 200
    assert "line/gone.json" in answer.text
