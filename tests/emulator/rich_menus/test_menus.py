"""Rich menus and their images, with the official SDK."""

from __future__ import annotations

from typing import Any

import pytest

from flask_lineconnect.emulator.rich_menus.image_sizes import image_size

from ..conftest import SAKURA
from ..conftest import Line
from .making import UNKNOWN
from .making import definition
from .making import image
from .making import make_menu
from .making import refused


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
