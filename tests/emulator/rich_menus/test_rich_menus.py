"""Rich menus, their images, links and aliases, with the official SDK."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from linebot.v3.messaging import CreateRichMenuAliasRequest
from linebot.v3.messaging import RichMenuArea
from linebot.v3.messaging import RichMenuBounds
from linebot.v3.messaging import RichMenuBulkLinkRequest
from linebot.v3.messaging import RichMenuBulkUnlinkRequest
from linebot.v3.messaging import RichMenuRequest
from linebot.v3.messaging import RichMenuSize
from linebot.v3.messaging import UpdateRichMenuAliasRequest
from linebot.v3.messaging import URIAction
from linebot.v3.messaging.exceptions import ApiException
from PIL import Image

from flask_lineconnect.emulator.phone import friendship
from flask_lineconnect.emulator.rich_menus.image_sizes import image_size
from flask_lineconnect.emulator.rich_menus.menus import shown_to

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line

WIDTH, HEIGHT = 2500, 843
UNKNOWN = "richmenu-" + "0" * 32


def image(width: int = WIDTH, height: int = HEIGHT, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, kind, **options)
    return file.getvalue()


def definition(**changes: Any) -> dict[str, Any]:
    area = {
        "bounds": {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT},
        "action": {"type": "uri", "uri": "https://shop.example/"},
    }
    whole: dict[str, Any] = {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": False,
        "name": "主",
        "chatBarText": "メニュー",
        "areas": [area],
    }
    return whole | changes


def make_menu(line: Line, *, has_image: bool = True) -> str:
    area = RichMenuArea(
        bounds=RichMenuBounds(x=0, y=0, width=WIDTH, height=HEIGHT),
        action=URIAction(label="ひらく", uri="https://shop.example/"),
    )
    request = RichMenuRequest(
        size=RichMenuSize(width=WIDTH, height=HEIGHT),
        selected=True,
        name="主",
        chat_bar_text="メニュー",
        areas=[area],
    )
    line.api.validate_rich_menu_object(request)
    menu_id: str = line.api.create_rich_menu(request).rich_menu_id
    if has_image:
        line.blob.set_rich_menu_image(menu_id, image(), _headers={"Content-Type": "image/png"})
    return menu_id


def refused(call: Callable[..., object], *arguments: object) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ApiException) as caught:
        call(*arguments)
    return caught.value.status, json.loads(caught.value.body)


def test_C14_a_menu_is_made_listed_and_deleted(line: Line) -> None:
    menu_id = make_menu(line)

    assert line.api.get_rich_menu(menu_id).chat_bar_text == "メニュー"
    assert [menu.rich_menu_id for menu in line.api.get_rich_menu_list().richmenus] == [menu_id]
    assert bytes(line.blob.get_rich_menu_image(menu_id)) == image()

    line.api.delete_rich_menu(menu_id)

    assert line.api.get_rich_menu_list().richmenus == []
    for call in (line.api.get_rich_menu, line.api.delete_rich_menu, line.blob.get_rich_menu_image):
        assert refused(call, menu_id) == (404, {"message": "Not found"})


def test_C14_a_menu_without_image_has_nothing_to_download(line: Line) -> None:
    menu_id = make_menu(line, has_image=False)

    assert refused(line.blob.get_rich_menu_image, menu_id) == (404, {"message": "Not found"})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"size": {"width": 2500, "height": 1725}}, "size"),
        ({"size": {"width": 799, "height": 250}}, "size"),
        ({"size": {"width": 2501, "height": 843}}, "size"),
        ({"size": {"width": 800, "height": 249}}, "size"),
        ({"size": {"width": "2500", "height": 843}}, "size"),
        ({"size": [1]}, "size"),
        ({"chatBarText": "あ" * 15}, "chatBarText"),
        ({"chatBarText": ""}, "chatBarText"),
        ({"name": "あ" * 301}, "name"),
        ({"selected": "yes"}, "selected"),
        ({"areas": definition()["areas"] * 21}, "areas"),
        ({"areas": None}, "areas"),
        ({"areas": [{"action": {"type": "uri", "uri": "https://a.example/"}}]}, "areas[0].bounds"),
        ({"areas": [{"bounds": {"x": 0, "y": 0, "width": 1, "height": -1},
                     "action": {"type": "message", "text": "や"}}]}, "areas[0].bounds.height"),
        ({"areas": [{"bounds": {"x": 0, "y": 0, "width": 1, "height": 1},
                     "action": {"type": "camera", "label": "や"}}]}, "areas[0].action.type"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v2/bot/richmenu", "/v2/bot/richmenu/validate"])
def test_M27_a_definition_that_breaks_a_rule(
    line: Line, path: str, changes: dict[str, Any], where: str
) -> None:
    answer = line.call("POST", path, json=definition(**changes))

    assert answer.status_code == 400
    assert [detail["property"] for detail in answer.json()["details"]] == [where]
    assert line.platform.world.rich_menus == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"areas": []},
        {"areas": definition()["areas"] * 20},
        {"chatBarText": "👨‍👩‍👧" * 14},
        {"size": {"width": 800, "height": 250}},
        {"areas": [{"bounds": {"x": 0, "y": 0, "width": 1, "height": 1}, "action": {
            "type": "richmenuswitch", "richMenuAliasId": "tab-b", "data": "b"}}]},
    ],
)  # fmt: skip
def test_C14_a_definition_at_the_limits(line: Line, changes: dict[str, Any]) -> None:
    path = "/v2/bot/richmenu/validate"

    assert line.call("POST", path, json=definition(**changes)).status_code == 200


def test_M27_a_default_needs_an_image(line: Line) -> None:
    menu_id = make_menu(line, has_image=False)
    text = "must upload richmenu image before applying it to user"

    assert refused(line.api.set_default_rich_menu, menu_id) == (
        400,
        {"message": text, "details": []},
    )
    assert refused(line.api.link_rich_menu_id_to_user, SAKURA, menu_id)[0] == 400


def upload(line: Line, menu_id: str, body: bytes, content_type: str = "image/png") -> Any:
    headers = {"Content-Type": content_type}
    return line.call("POST", f"/v2/bot/richmenu/{menu_id}/content", data=body, headers=headers)


def test_M27_an_image_is_uploaded_once(line: Line) -> None:
    answer = upload(line, make_menu(line), image())

    assert answer.status_code == 400
    assert answer.json() == {"message": "An image has already been uploaded to the richmenu"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (image(), "image/gif", 415),
        (image(), "application/json", 415),
        (image() + b"\0" * 1_000_000, "image/png", 413),
        (image(1200, 405), "image/png", 400),
        (b"not an image", "image/png", 400),
        (b"", "image/png", 400),
        (b"\xff\xd8" + b"\xff" * 20, "image/jpeg", 400),
    ],
)
def test_M27_an_image_that_is_refused(
    line: Line, body: bytes, content_type: str, status: int
) -> None:
    menu_id = make_menu(line, has_image=False)

    assert upload(line, menu_id, body, content_type).status_code == status
    assert upload(line, menu_id, image()).status_code == 200


def test_M27_an_image_for_an_unknown_menu(line: Line) -> None:
    assert upload(line, UNKNOWN, image()).status_code == 404


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"x" * 99}])
def test_C14_a_jpeg_does_as_well(line: Line, options: dict[str, Any]) -> None:
    menu_id, body = make_menu(line, has_image=False), image(kind="JPEG", **options)

    assert upload(line, menu_id, body, "image/jpeg").status_code == 200
    assert line.platform.world.rich_menus[menu_id].image_type == "image/jpeg"


def test_image_size_reads_what_pillow_writes() -> None:
    for size in ((800, 250), (2500, 1686)):
        for kind in ("PNG", "JPEG"):
            assert image_size(image(*size, kind=kind)) == size
    assert image_size(b"GIF89a") is None
    assert image_size(image()[:20]) is None


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


def batch(line: Line, *operations: dict[str, str], path: str = "batch") -> Any:
    return line.call("POST", f"/v2/bot/richmenu/{path}", json={"operations": list(operations)})


def test_C14_a_batch_moves_links(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    line.platform.clock.freeze(line.platform.clock.now())
    old, new = make_menu(line), make_menu(line)
    line.api.link_rich_menu_id_to_user(SAKURA, old)
    line.api.link_rich_menu_id_to_user(KENTA, new)

    # Swapped: an operation does not see what another one did.
    answer = batch(
        line,
        {"type": "link", "from": old, "to": new},
        {"type": "link", "from": new, "to": old},
    )

    assert (answer.status_code, answer.json()) == (202, {})
    users = line.platform.world.users
    assert [users[SAKURA].rich_menu_id, users[KENTA].rich_menu_id] == [new, old]
    progress = f"/v2/bot/richmenu/progress/batch?requestId={answer.headers['x-line-request-id']}"
    assert line.call("GET", progress).json()["phase"] == "ongoing"
    line.platform.clock.advance(1)
    assert line.call("GET", progress).json()["phase"] == "succeeded"


def test_C14_a_batch_takes_links_away(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    one, other = make_menu(line), make_menu(line)
    line.api.link_rich_menu_id_to_user(SAKURA, one)
    line.api.link_rich_menu_id_to_user(KENTA, other)

    assert batch(line, {"type": "unlink", "from": one}).status_code == 202
    users = line.platform.world.users
    assert [users[SAKURA].rich_menu_id, users[KENTA].rich_menu_id] == [None, other]
    assert batch(line, {"type": "unlinkAll"}).status_code == 202
    assert users[KENTA].rich_menu_id is None


@pytest.mark.parametrize("path", ["batch", "validate/batch"])
def test_C14_a_wrong_batch_changes_nothing(line: Line, path: str) -> None:
    line.befriend(SAKURA)
    line.platform.world.messaging_channel.rate_limit_scale = None
    used, bare = make_menu(line), make_menu(line, has_image=False)
    line.api.link_rich_menu_id_to_user(SAKURA, used)
    unlink = {"type": "unlink", "from": used}
    cases: list[tuple[list[dict[str, str]], int, str]] = [
        ([], 400, "Size must be between 1 and 1000"),
        ([{"type": "explode"}], 400, "Must be one of"),
        ([unlink, {"type": "unlinkAll"}], 400, "'unlinkAll' type can't be combined"),
        ([unlink, unlink], 400, f"from richmenu ({used}) is duplicated"),
        ([{"type": "link", "from": used, "to": bare}], 400, f"'to' richmenu ({bare}) must have"),
        ([{"type": "unlink", "from": "richmenu-x"}], 404, "Richmenu (richmenu-x) is not found"),
    ]
    for operations, status, text in cases:
        answer = batch(line, *operations, path=path)
        assert answer.status_code == status
        assert text in answer.json()["details"][0]["message"]

    assert line.platform.world.users[SAKURA].rich_menu_id == used
    assert line.platform.world.rich_menu_batches == {}
