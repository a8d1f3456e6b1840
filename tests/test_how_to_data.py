"""How-tos of what is written as data, in both languages: all words are there, and it works."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flask_lineconnect import Fact
from flask_lineconnect import Product
from flask_lineconnect import ProductDesk
from flask_lineconnect import RichMenu
from flask_lineconnect import ShopAdapter
from flask_lineconnect.marketing.campaigns import reading as campaigns
from flask_lineconnect.marketing.event_kinds import EventKind
from flask_lineconnect.marketing.event_kinds import EventKinds
from flask_lineconnect.marketing.scenarios import reading as scenarios
from flask_lineconnect.marketing.scenarios.checking import World
from flask_lineconnect.marketing.scenarios.checking import check_scenario
from flask_lineconnect.marketing.scenarios.conditions import read_condition
from flask_lineconnect.rich_menus import reading as rich_menus
from flask_lineconnect.rich_menus.publish import contents_of
from flask_lineconnect.rich_menus.releases import declared
from flask_lineconnect.state import LineState
from tests.small_shop import User

DOCS = Path(__file__).parents[1] / "docs"
FOLDERS = ("how-to", "ja")
PAGES = ("scenarios", "campaigns", "rich-menu")


def _read(folder: str, page: str) -> str:
    return (DOCS / folder / f"{page}.md").read_text("utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _words() -> Iterator[tuple[str, str]]:
    """Yield each word that data may have, behind the page that tells it."""
    yield from (("scenarios", word) for word in (*scenarios._WORDS, *scenarios._STEP_WORDS))
    yield from (("campaigns", word) for word in campaigns._WORDS)
    kinds = (rich_menus.Menu, rich_menus.Area, rich_menus.Showing, rich_menus.Look, rich_menus.Tab)
    yield from (
        ("rich-menu", field.encode_name) for kind in kinds for field in msgspec.structs.fields(kind)
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_word_is_told(folder: str) -> None:
    texts = {page: _read(folder, page) for page in PAGES}
    # `name` of a menu is its file's.
    missing = {f"{page}: {word}" for page, word in _words() if not _tells(texts[page], word)}
    assert missing <= {"rich-menu: name"}


def _tells(text: str, word: str) -> bool:
    """Tell whether a word stands in the prose, or in the data that is shown."""
    shown = rf"`{word}\b|^{word} = |[{{ ]{word} = |^\[+{word}\]"
    return re.search(shown, text, re.MULTILINE) is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_japanese_page_has_all_that_the_english_one_has(page: str) -> None:
    english, japanese = (set(_tabled(_read(folder, page))) for folder in FOLDERS)
    assert english
    assert english <= japanese


def _tabled(text: str) -> Iterator[str]:
    """Yield what stands as code in the first column of tables."""
    for row in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", row)


@pytest.mark.parametrize("folder", FOLDERS)
def test_scenarios_and_their_pieces_are_in_order(folder: str) -> None:
    whole, only, message = _blocks(_read(folder, "scenarios"), "toml")
    conditions = [tomllib.loads(one)["only"] for one in only.splitlines()]
    assert len(conditions) == 4
    assert all(read_condition(one) for one in conditions)
    cart = tomllib.loads(whole)["cart"]
    cart["steps"].append({"name": "more", **tomllib.loads(message)["cart"]["steps"]})
    checked = check_scenario(scenarios.read_scenario("cart", cart), _world())
    assert [str(one) for one in checked.problems] == []


def _world() -> World:
    """Return what the shop of the page knows."""
    kinds = EventKinds()
    facts = {"count": Fact(int, ""), "total": Fact(int, "")}
    kinds.add(EventKind("cart.changed", "", facts, home="shop"))
    for name in ("order.placed", "cart.emptied"):
        kinds.add(EventKind(name, "", {}, home="shop"))
    return World(kinds, categories=["cart"], segments=["lapsed"], languages=("ja", "en"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_desk_of_products_is_one(folder: str) -> None:
    (code,) = _blocks(_read(folder, "scenarios"), "python")
    names: dict[str, Any] = {
        **{"ProductDesk": ProductDesk, "ShopAdapter": ShopAdapter, "Product": Product},
        **{"User": User, "Sequence": Sequence, "Mapping": Mapping, "datetime": datetime},
    }
    exec(code, names)
    assert names["MyProducts"].lists == {"bestsellers": "よく売れている商品"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_campaign_can_be_read(folder: str) -> None:
    (data,) = _blocks(_read(folder, "campaigns"), "toml")
    (found,) = campaigns.read_campaigns(tomllib.loads(data))
    assert [one.name for one in found.variants] == ["plain", "named"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_menus_can_be_made(folder: str, line: LineState, tmp_path: Path) -> None:
    members, look = _blocks(_read(folder, "rich-menu"), "toml")
    line.app.root_path = str(tmp_path)
    (tmp_path / "line_menus").mkdir()
    # The other tab's, and a font that is on this machine.
    look = re.sub(r"^font = .*\n", "", look, flags=re.MULTILINE)
    shopping = f'chat_bar_text = "お買いもの"\nareas = [{{label = "カード", liff = ""}}]\n{look}'
    (tmp_path / "line_menus" / "members.toml").write_text(members, "utf-8")
    (tmp_path / "line_menus" / "shopping.toml").write_text(shopping, "utf-8")
    found = {one.menu.name: one for one in declared(line)}
    assert len(found["members"].definition["areas"]) == 2 + 4
    assert found["shopping"].menu.look.accent == "#b3552e"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_template_of_one_menu_can_be_made(folder: str, line: LineState, tmp_path: Path) -> None:
    text = _read(folder, "rich-menu")
    (template,) = _blocks(text, "json")
    (code,) = _blocks(text, "python")
    calls = [one for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Call)]
    (call,) = (one for one in calls if getattr(one.func, "id", "") == "RichMenu")
    given = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    line.app.root_path = str(tmp_path)
    line.app.template_folder = str(tmp_path / "templates")
    for name, written in (
        (f"templates/{given['template']}", template.encode()),
        (given["image"], b"\x89PNG"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(written)
    with line.app.test_request_context():
        (content,) = contents_of(RichMenu(**given), str(tmp_path))
    assert [one["action"]["type"] for one in content.definition["areas"]] == ["uri", "message"]
