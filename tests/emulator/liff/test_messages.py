"""What a LIFF page writes as its user."""

from __future__ import annotations

from typing import Any

import requests

from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from ..login.login_browser import Browser
from .opened import open_on_phone
from .opened import set_scope


def _share(line: Line, token: str, *messages: Any) -> requests.Response:
    return requests.post(
        f"{line.host}/message/v3/share",
        json={"messages": list(messages)},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )


TEXT = {"type": "text", "text": "予約しました"}
STICKER = {"type": "sticker", "packageId": "446", "stickerId": "1988"}


def test_I13_only_a_page_of_a_chat_can_write_there(sakura: Browser) -> None:
    set_scope(sakura.line, "openid", "profile", "chat_message.write")
    outside = sakura.exchange_liff(sakura.log_in(liff=True)["code"]).json()["access_token"]
    assert _share(sakura.line, outside, TEXT).status_code == 403
    set_scope(sakura.line, "openid", "profile")
    assert _share(sakura.line, open_on_phone(sakura)[1]["access_token"], TEXT).status_code == 403
    assert _share(sakura.line, "nobody's", TEXT).status_code == 401


def test_I14_a_page_writes_as_its_user(sakura: Browser, shop: Shop) -> None:
    set_scope(sakura.line, "profile", "chat_message.write")
    token = open_on_phone(sakura)[1]["access_token"]
    assert _share(sakura.line, token, STICKER, TEXT).json() == {}
    entries = sakura.line.platform.world.chats[SAKURA]
    assert [(entry.sender, entry.message["type"]) for entry in entries] == [
        ("user", "sticker"),
        ("user", "text"),
    ]
    events = shop.events(1)
    assert [event["message"]["text"] for event in events] == [TEXT["text"]]
    refused = _share(sakura.line, token, {"type": "text"})
    assert (refused.status_code, "details" in refused.json()) == (400, True)
    assert _share(sakura.line, token).status_code == 400
