"""Rich menus as files: what they mean, and every mistake named with its place."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from PIL import Image

from flask_lineconnect import LineBlueprint
from flask_lineconnect import UsageError
from flask_lineconnect.rich_menus.composing import Composed
from flask_lineconnect.rich_menus.image_sizes import size_of
from flask_lineconnect.rich_menus.limits import reader_length
from flask_lineconnect.rich_menus.reading import moment
from flask_lineconnect.rich_menus.releases import declared
from flask_lineconnect.state import LineState

CARD = '[[areas]]\nlabel = "ポイントカード"\nliff = ""\n'
BAR = 'chat_bar_text = "メニュー"\n'


@pytest.fixture
def folder(line: LineState, tmp_path: Path) -> Path:
    """Return the folder of the shop's menus."""
    line.app.root_path = str(tmp_path)
    (tmp_path / "line_menus").mkdir()
    return tmp_path / "line_menus"


def _only(line: LineState, folder: Path, text: str, name: str = "main") -> Composed:
    (folder / f"{name}.toml").write_text(text, "utf-8")
    (found,) = declared(line)
    return found


def test_every_way_to_do_something(line: LineState, folder: Path) -> None:
    ways = """
    chat_bar_text = "メニュー"
    tabs = [{menu = "main", label = "会員"}, {menu = "shop", label = "お店"}]
    areas = [
      {label = "カード", liff = "/orders"},
      {label = "お買いもの", page = "lineconnect.card"},
      {label = "話す", text = "ポイント残高"},
      {label = "外", uri = "https://example.com/"},
      {label = "店", menu = "shop"},
      {label = "日", action = {type = "datetimepicker", data = "d", mode = "date"}},
    ]
    """
    (folder / "shop.toml").write_text(BAR + CARD, "utf-8")
    (folder / "main.toml").write_text(ways, "utf-8")
    main = next(one for one in declared(line) if one.menu.name == "main")
    actions = [area["action"] for area in main.definition["areas"]]
    assert [action["type"] for action in actions] == [
        *("richmenuswitch", "richmenuswitch", "uri", "uri", "message", "uri", "richmenuswitch"),
        "datetimepicker",
    ]
    assert actions[1]["richMenuAliasId"] == "shop"
    assert actions[2]["uri"].endswith("-DemoCard/orders")
    assert actions[3]["uri"] == "https://shop.example/line/liff"
    assert {action["label"] for action in actions} >= {"会員", "カード", "日"}


def test_areas_without_bounds_share_the_whole_menu(line: LineState, folder: Path) -> None:
    for size, count in product(("large", "compact"), range(1, 21)):
        one = _only(line, folder, f'size = "{size}"\n{BAR}{CARD * count}')
        boxes = [area["bounds"] for area in one.definition["areas"]]
        width, height = one.definition["size"].values()
        assert sum(box["width"] * box["height"] for box in boxes) == width * height


def test_a_blueprint_declares_menus_in_the_same_words(app: Flask, folder: Path) -> None:
    points = LineBlueprint("own_menus", __name__)
    points.rich_menu("members", chat_bar_text="会員", areas=[{"label": "カード", "liff": ""}])
    app.register_blueprint(points)
    line: LineState = app.extensions["lineconnect"]
    assert [one.menu.name for one in declared(line)] == ["members"]
    (folder / "members.toml").write_text(BAR + CARD, "utf-8")
    with pytest.raises(UsageError, match="two menus 'members'"):
        declared(line)


MISTAKES = [
    ("chat_bar_text = ", "Invalid value"),
    (CARD, "chat_bar_text"),
    (BAR, "areas"),
    (BAR + CARD + "colour = 1\n", "colour"),
    (BAR + '[[areas]]\nlabel = "x"\n', r"areas\[0\] \(x\) needs exactly one of .* has none"),
    (BAR + CARD + 'text = "x"\n', "liff and text"),
    (BAR + '[[areas]]\nlabel = "x"\nmenu = "gone"\n', "opens the menu 'gone'"),
    (BAR + '[[areas]]\nlabel = "x"\npage = "gone"\n', "no page 'gone'"),
    (BAR + '[[areas]]\nlabel = "x"\npostback = "gone"\n', "no postback hook 'gone'"),
    (BAR + '[[areas]]\nlabel = "x"\nuri = "ftp://x"\n', "must begin with https"),
    (BAR + '[[areas]]\nlabel = "x"\nuri = "http://shop.example"\n', "must begin with https"),
    (BAR + f'[[areas]]\nlabel = "{"あ" * 21}"\nliff = ""\n', "more than 20"),
    (BAR + f'[[areas]]\nlabel = "x"\ntext = "{"あ" * 301}"\n', "longer than 300"),
    (BAR + '[[areas]]\nlabel = "x"\ntext = ""\n', "text is empty"),
    (BAR + '[[areas]]\nlabel = "x"\naction = {type = "camera"}\n', "no action 'camera'"),
    (f'chat_bar_text = "{"あ" * 15}"\n' + CARD, "15 characters"),
    (BAR + CARD * 21, "21 areas"),
    ("size = [2000, 1686]\n" + BAR + CARD, "2000 x 1686"),
    ("size = [799, 400]\n" + BAR + CARD, "799 x 400"),
    (BAR + CARD + "bounds = [0, 0, 2501, 10]\n", "leave the menu"),
    (BAR + CARD + "bounds = [-1, 0, 10, 10]\n", "leave the menu"),
    (BAR + CARD + "bounds = [0, 0, 10, 10]\n" + CARD, "all areas have bounds or none"),
    ('image = "gone.png"\n' + BAR + CARD, "gone.png can't be read"),
    (BAR + CARD + '[show]\nto = "friends"\n', "friends"),
    (BAR + CARD + '[show]\nto = "unlinked"\nsegment = "vip"\n', "of linked members"),
    (BAR + CARD + "[show]\nfrom = 2026-12-25\nuntil = 2026-12-24\n", "before"),
    (BAR + CARD + "[show]\nfrom = 7\n", "dates or times"),
    ('[look]\nground = "red"\n', "ground"),
]


def test_every_mistake_is_named(line: LineState, folder: Path) -> None:
    for text, said in MISTAKES:
        (folder / "main.toml").write_text(text, "utf-8")
        with pytest.raises(UsageError, match=f"main.*{said}"):
            declared(line)


def test_all_mistakes_are_said_at_once(line: LineState, folder: Path) -> None:
    (folder / "one.toml").write_text(CARD, "utf-8")
    (folder / "Two.toml").write_text(BAR + CARD, "utf-8")
    with pytest.raises(UsageError) as raised:
        declared(line)
    assert "one.toml" in str(raised.value)
    assert "'Two' must have lower-case letters" in str(raised.value)


@pytest.mark.parametrize(
    ("given", "is_end", "expected"),
    [
        (date(2026, 12, 24), False, "2026-12-24T00:00:00+09:00"),
        (date(2026, 12, 24), True, "2026-12-25T00:00:00+09:00"),
        ("2026-12-24", True, "2026-12-25T00:00:00+09:00"),
        ("2026-12-24T18:00", True, "2026-12-24T18:00:00+09:00"),
        (datetime(2026, 12, 24, 18), True, "2026-12-24T18:00:00+09:00"),  # noqa: DTZ001
        ("2026-12-24T18:00+00:00", False, "2026-12-24T18:00:00+00:00"),
    ],
)
def test_dates_are_the_shops(given: Any, is_end: bool, expected: str) -> None:
    found = moment(given, ZoneInfo("Asia/Tokyo"), is_end=is_end)
    assert found == datetime.fromisoformat(expected)


def test_a_drawn_picture_fits_line_and_stays_the_same_menu(line: LineState, folder: Path) -> None:
    text = (
        'tabs = [{menu = "main", label = "会員"}]\n'
        + BAR
        + '[[areas]]\nlabel = "お誕生月の特別クーポン"\nliff = ""\n'
        + CARD * 5
    )
    one = _only(line, folder, text)
    image, kind = one.image()
    assert kind == "image/png"
    assert size_of(image) == (2500, 1686)
    assert len(image) < 200_000
    assert one.digest == _only(line, folder, text).digest
    for changed in (text + '[look]\nground = "#ffeeee"\n', text.replace("会員", "みせ", 1)):
        assert _only(line, folder, changed).digest != one.digest


def test_a_picture_has_its_own_size(line: LineState, folder: Path) -> None:
    for name, kind in (("a.png", "PNG"), ("a.jpg", "JPEG")):
        Image.new("RGB", (1200, 810)).save(folder / name, kind)
        one = _only(line, folder, f'image = "{name}"\n' + BAR + CARD)
        assert one.definition["size"] == {"width": 1200, "height": 810}
        assert one.image()[1] == f"image/{kind.lower()}"
    (folder / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(UsageError, match="PNG or JPEG"):
        _only(line, folder, 'image = "a.png"\n' + BAR + CARD)


def test_a_label_that_is_too_long_to_read_is_refused(line: LineState, folder: Path) -> None:
    areas = f'[[areas]]\nlabel = "{"あいうえおかきくけこ" * 2}"\nliff = ""\n' * 20
    one = _only(line, folder, 'columns = 20\nsize = "compact"\n' + BAR + areas)
    with pytest.raises(UsageError, match="too long for its area"):
        one.image()


@pytest.mark.parametrize(
    ("text", "length"), [("がぎ", 2), ("か\u3099", 1), ("👨‍👩‍👧", 1), ("🇯🇵🇹🇭", 2), ("👍🏽!", 2)]
)
def test_characters_are_counted_as_readers_do(text: str, length: int) -> None:
    assert reader_length(text) == length
