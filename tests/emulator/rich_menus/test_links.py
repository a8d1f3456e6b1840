"""Who is shown which rich menu, with the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3.messaging import RichMenuBulkLinkRequest
from linebot.v3.messaging import RichMenuBulkUnlinkRequest

from flask_lineconnect.emulator.messaging import friendship
from flask_lineconnect.emulator.rich_menus.menus import shown_to

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line
from .making import UNKNOWN
from .making import make_menu
from .making import refused


def test_C14_the_default_menu(line: Line) -> None:
    assert refused(line.api.get_default_rich_menu_id) == (
        404,
        {"message": "no default richmenu", "details": []},
    )
    menu_id = make_menu(line)
    line.api.set_default_rich_menu(menu_id)

    assert line.api.get_default_rich_menu_id().rich_menu_id == menu_id
    shown = shown_to(line.platform.world, SAKURA)
    assert shown is not None
    assert shown.rich_menu_id == menu_id

    line.api.cancel_default_rich_menu()

    assert refused(line.api.get_default_rich_menu_id)[0] == 404
    assert refused(line.api.set_default_rich_menu, UNKNOWN) == (404, {"message": "Not found"})


def test_C14_a_users_own_menu_comes_first(line: Line) -> None:
    line.befriend(SAKURA)
    everybodys, own = make_menu(line), make_menu(line)
    line.api.set_default_rich_menu(everybodys)
    line.api.link_rich_menu_id_to_user(SAKURA, own)

    def shown(user_id: str) -> str | None:
        menu = shown_to(line.platform.world, user_id)
        return None if menu is None else menu.rich_menu_id

    assert line.api.get_rich_menu_id_of_user(SAKURA).rich_menu_id == own
    assert (shown(SAKURA), shown(KENTA)) == (own, everybodys)
    line.api.unlink_rich_menu_id_from_user(SAKURA)
    assert shown(SAKURA) == everybodys
    line.api.link_rich_menu_id_to_user(SAKURA, own)
    line.api.delete_rich_menu(own)
    assert shown(SAKURA) == everybodys
    line.api.delete_rich_menu(everybodys)
    assert shown(SAKURA) is None
    assert refused(line.api.get_default_rich_menu_id)[0] == 404


@pytest.mark.parametrize("who", ["blocker", "non-friend", "foreign"])
def test_M29_linking_where_it_has_no_effect(line: Line, who: str) -> None:
    if who == "blocker":
        friendship.block(line.platform, SAKURA)
    user_id = STRANGER if who == "foreign" else SAKURA

    line.api.link_rich_menu_id_to_user(user_id, make_menu(line))

    assert refused(line.api.get_rich_menu_id_of_user, user_id) == (
        404,
        {"message": "the user has no richmenu", "details": []},
    )
    line.api.unlink_rich_menu_id_from_user(user_id)


def test_C14_a_malformed_user_id(line: Line) -> None:
    expected = (400, {"message": "The value for the 'userId' parameter is invalid"})

    assert refused(line.api.link_rich_menu_id_to_user, "x", UNKNOWN) == expected
    assert refused(line.api.get_rich_menu_id_of_user, "x") == expected
    assert refused(line.api.unlink_rich_menu_id_from_user, "x") == expected


def test_C14_many_are_linked_and_unlinked_at_once(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    menu_id, users = make_menu(line), [SAKURA, KENTA, YOKO]
    link = RichMenuBulkLinkRequest(rich_menu_id=menu_id, user_ids=users)

    assert line.api.link_rich_menu_id_to_users_with_http_info(link).status_code == 202
    linked = [user.user_id for user in line.platform.world.users.values() if user.rich_menu_id]
    assert linked == [SAKURA, KENTA]

    unlink = RichMenuBulkUnlinkRequest(user_ids=users)
    assert line.api.unlink_rich_menu_id_from_users_with_http_info(unlink).status_code == 202
    assert not [user for user in line.platform.world.users.values() if user.rich_menu_id]


def test_C14_what_linking_many_refuses(line: Line) -> None:
    def link(menu_id: object, user_ids: object) -> tuple[int, dict[str, Any]]:
        body = {"richMenuId": menu_id, "userIds": user_ids}
        answer = line.call("POST", "/v2/bot/richmenu/bulk/link", json=body)
        return answer.status_code, answer.json()

    text = "The property, 'userIds[0]', in the request body is invalid (line: -, column: -)"
    assert link(UNKNOWN, ["x"]) == (400, {"message": text})
    assert link(UNKNOWN, [SAKURA] * 501)[1]["details"][0]["property"] == "userIds"
    assert link("x", [SAKURA])[1]["details"] == [
        {"message": "invalid richMenuId", "property": "richMenuId"}
    ]
    assert link(UNKNOWN, [SAKURA]) == (404, {"message": "richmenu not found", "details": []})
