"""Rich menu aliases, with the official SDK."""

from __future__ import annotations

import pytest
from linebot.v3.messaging import CreateRichMenuAliasRequest
from linebot.v3.messaging import UpdateRichMenuAliasRequest

from ..conftest import Line
from .making import UNKNOWN
from .making import make_menu
from .making import refused


def alias(line: Line, alias_id: str, menu_id: str) -> None:
    request = CreateRichMenuAliasRequest(rich_menu_alias_id=alias_id, rich_menu_id=menu_id)
    line.api.create_rich_menu_alias(request)


def test_C14_an_alias_lives(line: Line) -> None:
    first, second = make_menu(line), make_menu(line)
    alias(line, "tab-a", first)
    alias(line, "list", second)
    assert line.api.get_rich_menu_alias("tab-a").rich_menu_id == first

    update = UpdateRichMenuAliasRequest(rich_menu_id=second)
    line.api.update_rich_menu_alias("tab-a", update)

    found = line.api.get_rich_menu_alias_list().aliases
    assert [(one.rich_menu_alias_id, one.rich_menu_id) for one in found] == [
        ("tab-a", second),
        ("list", second),
    ]
    line.api.delete_rich_menu_alias("tab-a")
    assert refused(line.api.get_rich_menu_alias, "tab-a")[0] == 404


def test_M28_a_duplicate_alias(line: Line) -> None:
    menu_id = make_menu(line)
    alias(line, "tab-a", menu_id)

    assert refused(alias, line, "tab-a", menu_id) == (
        400,
        {"message": "conflict richmenu alias id", "details": []},
    )


def test_M28_an_alias_for_an_unknown_menu_or_one_without_image(line: Line) -> None:
    expected = (400, {"message": "richmenu not found", "details": []})
    bare, usable = make_menu(line, has_image=False), make_menu(line)

    assert refused(alias, line, "tab-a", UNKNOWN) == expected
    assert refused(alias, line, "tab-a", bare) == expected
    alias(line, "tab-a", usable)
    update = UpdateRichMenuAliasRequest(rich_menu_id=UNKNOWN)
    assert refused(line.api.update_rich_menu_alias, "tab-a", update) == expected
    assert line.api.get_rich_menu_alias("tab-a").rich_menu_id == usable


def test_M28_an_unknown_alias(line: Line) -> None:
    expected = (404, {"message": "richmenu alias not found", "details": []})
    update = UpdateRichMenuAliasRequest(rich_menu_id=UNKNOWN)

    assert refused(line.api.get_rich_menu_alias, "tab-a") == expected
    assert refused(line.api.update_rich_menu_alias, "tab-a", update) == expected
    assert refused(line.api.delete_rich_menu_alias, "tab-a") == expected


@pytest.mark.parametrize("alias_id", ["", "Tab", "a" * 33, "a b", "a\n", None])
def test_C14_an_alias_of_another_form(line: Line, alias_id: object) -> None:
    body = {"richMenuAliasId": alias_id, "richMenuId": make_menu(line)}
    answer = line.call("POST", "/v2/bot/richmenu/alias", json=body)

    assert answer.status_code == 400
    assert answer.json()["details"][0]["property"] == "richMenuAliasId"


def test_a_snapshot_keeps_menu_image_and_alias(line: Line) -> None:
    menu_id = make_menu(line)
    alias(line, "tab-a", menu_id)

    world = type(line.platform.world).model_validate_json(line.platform.world.model_dump_json())

    assert world == line.platform.world
