"""Rich menus that are made in the console: checked at each field, saved as versions, published."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import set_up_channels
from flask_lineconnect.console import menu_form
from flask_lineconnect.console import menu_making
from flask_lineconnect.models import SavedMenu
from flask_lineconnect.rich_menus import releases
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop

MENUS = f"{CONSOLE}/menus"
PNG = (Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png").read_bytes()
CARD = {"label-0": "ポイントカード", "way-0": "card"}
ORDERS = {"label-1": "ご注文", "way-1": "orders"}
FORM = {"title": "会員メニュー", "to": "linked", "size": "large", **CARD, **ORDERS}


@pytest.fixture
def app(request: pytest.FixtureRequest, staffed: StaffedShop, make_app: MakeApp) -> Flask:
    """Return the small shop with its console; in tests marked ``joined`` LINE answers it."""
    if request.node.get_closest_marker("joined") is None:
        return make_app(LINECONNECT_LIFF_ID="1234567890-AbcdEfgh")
    app: Flask = request.getfixturevalue("joined_app")
    return app


def _save(
    client: FlaskClient, form: Mapping[str, Any], path: str = "new", image: bytes | None = None
) -> TestResponse:
    data = {"csrf_token": token_in(client.get(f"{CONSOLE}/more")), "version": "0", **form}
    if image is not None:
        data["image"] = (BytesIO(image), "絵.png")
    return client.post(f"{MENUS}/{path}", data=data, content_type="multipart/form-data")


def _newest(line: LineState) -> SavedMenu:
    line.session.rollback()
    statement = select(SavedMenu).order_by(SavedMenu.version.desc()).limit(1)
    return line.session.scalars(statement).one()


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_menu_is_made_of_a_picture_changed_and_removed(
    open_console: Open, line: LineState
) -> None:
    editor = open_console("editor")
    placed = {"x-0": "0", "y-0": "0", "w-0": "１２５０", "h-0": "1686"} | {
        "x-1": "1250",
        "y-1": "0",
        "w-1": "1250",
        "h-1": "1686",
    }
    answer = _save(editor, {**FORM, **placed}, image=PNG)
    assert answer.status_code == 303, answer.text
    row = _newest(line)
    assert row.image == PNG
    assert row.definition is not None
    assert row.definition["areas"][0] == {
        "label": "ポイントカード",
        "liff": "",
        "bounds": [0, 0, 1250, 1686],
    }
    page = editor.get(f"{MENUS}/{row.name}").text
    assert "未公開" in page
    assert "注文の一覧を開く" in page
    assert editor.get(f"{MENUS}/{row.name}/image").data == PNG
    assert 'value="1250"' in editor.get(f"{MENUS}/{row.name}/edit").text
    changed = {**FORM, **placed, "title": "新しい<b>", "version": "1"}
    assert _save(editor, changed, f"{row.name}/edit").status_code == 303
    row = _newest(line)
    assert (row.version, row.image) == (2, PNG), "the picture stays"
    assert "新しい&lt;b&gt;" in editor.get(MENUS).text
    token = token_in(editor.get(f"{CONSOLE}/more"))
    removal = {"csrf_token": token, "version": "2"}
    assert editor.post(f"{MENUS}/{row.name}/remove", data=removal).status_code == 303
    assert editor.get(f"{MENUS}/{row.name}/edit").status_code == 404
    assert releases.declared(line) == []
    audit = open_console("owner").get(f"{CONSOLE}/audit").text
    assert (audit.count("メニューを保存した"), audit.count("メニューを消した")) == (2, 1)


def test_without_a_picture_one_is_drawn_and_viewers_only_look(
    open_console: Open, line: LineState
) -> None:
    assert _save(open_console("viewer"), FORM).status_code == 403
    assert _save(open_console("editor"), FORM).status_code == 303
    row = _newest(line)
    assert row.image is None
    assert open_console("viewer").get(f"{MENUS}/{row.name}/image").mimetype == "image/png"


def test_the_second_of_two_owners_is_told_and_keeps_what_was_typed(
    owner: FlaskClient, line: LineState
) -> None:
    _save(owner, FORM)
    name = _newest(line).name
    for title, status in (("ひとり目", 303), ("ふたり目", 200)):
        answer = _save(owner, {**FORM, "title": title, "version": "1"}, f"{name}/edit")
        assert answer.status_code == status
    assert "ほかの方が先に保存しました" in answer.text
    assert 'value="ふたり目"' in answer.text
    row = _newest(line)
    assert row.definition is not None
    assert row.definition["chat_bar_text"] == "ひとり目"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "文字で付けてください"),
        ({"title": "あ" * 15}, "文字で付けてください"),
        ({"to": "all"}, "一覧から選んでください"),
        ({"segment": "none"}, "一覧から選んでください"),
        ({"starts": "いつか"}, "日付を選んでください"),
        ({"starts": "2026-12-24", "until": "2026-12-01"}, "始まりより前"),
        ({"label-0": "", "value-0": "x"}, "文字で書いてください"),
        ({"label-0": "", "label-1": ""}, "領域を1つ以上"),
        ({"way-0": "link", "value-0": "javascript:alert(1)"}, "https:// か tel:"),
        ({"way-0": "message"}, "送る言葉を"),
        ({"way-0": "menu", "value-0": "none"}, "メニューの名前を"),
        ({"way-0": "nonsense"}, "一覧から選んでください"),
        ({"x-0": "0"}, "すべての領域に"),
        ({f"{side}-{n}": "900" for side in "xywh" for n in (0, 1)}, "はみ出しています"),
        (
            {
                "label-0": "W" * 20,
                "label-1": "W" * 20,
                "label-2": "W" * 20,
                "label-3": "W" * 20,
                "label-4": "W" * 20,
                "label-5": "W" * 20,
            },
            "絵を描けません",
        ),
    ],
)
def test_what_line_would_refuse_is_said_at_its_field(
    owner: FlaskClient, line: LineState, changes: dict[str, str], words: str
) -> None:
    answer = _save(owner, {**FORM, **changes})
    assert answer.status_code == 200
    assert words in answer.text
    assert line.session.scalar(select(func.count()).select_from(SavedMenu)) == 0


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (b"GIF89a", "PNGかJPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNGかJPEG"),
        (PNG + bytes(200_000), "1MBまで"),
        (PNG[:16] + b"\0\0\x03\x20\0\0\x03\x20" + PNG[24:], "この絵は800×800です"),
    ],
)
def test_a_picture_that_line_takes_not_is_refused(
    owner: FlaskClient, monkeypatch: pytest.MonkeyPatch, image: bytes, words: str
) -> None:
    for module in (menu_form, menu_making):
        monkeypatch.setattr(module, "MAX_IMAGE", 200_000)
    assert words in _save(owner, FORM, image=image).text


@pytest.mark.joined
def test_what_was_made_is_published_with_the_shops_own(owner: FlaskClient, line: LineState) -> None:
    set_up_channels(line)
    assert _save(owner, FORM).status_code == 303
    token = token_in(owner.get(f"{CONSOLE}/more"))
    assert owner.post(f"{MENUS}/publish", data={"csrf_token": token}).status_code == 303
    page = owner.get(MENUS).text
    assert "公開中" in page
    assert "公開すると変わること" not in page
