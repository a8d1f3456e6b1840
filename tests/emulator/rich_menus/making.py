"""Rich menus that tests make."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from linebot.v3.messaging import RichMenuArea
from linebot.v3.messaging import RichMenuBounds
from linebot.v3.messaging import RichMenuRequest
from linebot.v3.messaging import RichMenuSize
from linebot.v3.messaging import URIAction
from linebot.v3.messaging.exceptions import ApiException
from PIL import Image

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
