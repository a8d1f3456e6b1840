"""What users send beside text, what bots download, and switching rich menus."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3 import WebhookParser
from linebot.v3.messaging.exceptions import ApiException

from flask_lineconnect.testing.plugin import Emulator

from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from ..rich_menus.making import definition
from ..rich_menus.making import make_menu

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.fixture
def people(line: Line) -> Emulator:
    """Return the client that plays the users."""
    line.befriend(SAKURA)
    return Emulator(line.host)


def message(shop: Shop) -> dict[str, Any]:
    """Return the message of the only event, once the SDK could read it."""
    (event,) = shop.events(1)
    found: dict[str, Any] = event["message"]
    return found


def test_D6_a_sticker(people: Emulator, shop: Shop) -> None:
    message_id = people.send_sticker(SAKURA, "446", "1988")

    sent = message(shop)

    assert sent.pop("quoteToken")
    assert sent == {
        "id": message_id,
        "type": "sticker",
        "packageId": "446",
        "stickerId": "1988",
        "stickerResourceType": "STATIC",
    }


def test_D6_a_place(people: Emulator, shop: Shop) -> None:
    message_id = people.send_location(SAKURA, 35.67966, 139.73669, title="店")

    assert message(shop) == {
        "id": message_id,
        "type": "location",
        "title": "店",
        "latitude": 35.67966,
        "longitude": 139.73669,
    }


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("image", {"type": "image/png"}, {"contentProvider": {"type": "line"}}),
        (
            "video",
            {"type": "video/mp4", "duration": 60_000},
            {"contentProvider": {"type": "line"}, "duration": 60_000},
        ),
        ("audio", {}, {"contentProvider": {"type": "line"}, "duration": 1_000}),
        ("file", {"name": "注文.txt"}, {"fileName": "注文.txt", "fileSize": len(PNG)}),
    ],
)
def test_C16_a_medium_is_downloaded_by_the_sdk(
    line: Line, people: Emulator, shop: Shop, kind: str, fields: Any, told: dict[str, Any]
) -> None:
    message_id = people.send_media(SAKURA, kind, PNG, **fields)

    sent = message(shop)
    parser = WebhookParser(line.platform.world.messaging_channel.secret)
    headers, body = shop.requests[0]
    parser.parse(body.decode(), headers["X-Line-Signature"])

    assert sent.pop("quoteToken", None) is not None if kind in {"image", "video"} else True
    assert sent == {"id": message_id, "type": kind, **told}
    assert bytes(line.blob.get_message_content(message_id)) == PNG
    assert line.call("GET", f"/v2/bot/message/{message_id}/content").headers["content-type"] == (
        fields.get("type") or {"audio": "audio/mp4", "file": "application/octet-stream"}[kind]
    )


def test_C16_previews_and_transcoding(line: Line, people: Emulator) -> None:
    image = people.send_media(SAKURA, "image", PNG, type="image/png")
    video = people.send_media(SAKURA, "video", PNG)

    def get(message_id: str, path: str) -> Any:
        return line.call("GET", f"/v2/bot/message/{message_id}/content/{path}")

    assert get(image, "preview").content == PNG
    assert get(video, "preview").json() == {"message": "The content can not be previewed"}
    assert get(video, "transcoding").json() == {"status": "succeeded"}
    assert get(image, "transcoding").json() == {
        "message": "Transcoding status doesn't support this type of content"
    }


def test_W16_an_unsent_message_is_gone(line: Line, people: Emulator, shop: Shop) -> None:
    message_id = people.send_media(SAKURA, "image", PNG, type="image/png")
    people.unsend(SAKURA, message_id)

    assert shop.events(2)[1]["unsend"] == {"messageId": message_id}
    assert "replyToken" not in shop.events(2)[1]
    assert people.chat(SAKURA) == []
    with pytest.raises(ApiException) as gone:
        line.blob.get_message_content(message_id)
    assert gone.value.status == 410
    answer = line.call("GET", f"/v2/bot/message/{message_id}/content")
    assert answer.json() == {"message": "The content is gone"}


def test_C16_what_nobody_sent(line: Line) -> None:
    answer = line.call("GET", "/v2/bot/message/1/content")

    assert (answer.status_code, answer.json()) == (404, {"message": "not found"})


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("image", {}, 400),
        ("image", {"base64": "?"}, 400),
        ("image", {"base64": "aGk=", "type": "text/html"}, 400),
        ("file", {"base64": "aGk="}, 400),
        ("video", {"base64": "aGk=", "duration": -1}, 400),
        ("location", {"latitude": 91, "longitude": 0}, 400),
        ("location", {"latitude": True, "longitude": 0}, 400),
        ("unsend", {"message_id": "1"}, 404),
        ("beacon", {"hwid": "a", "type": "x"}, 400),
        ("postback", {"data": "a", "params": {"date": "today"}}, 400),
        ("postback", {"data": "a", "params": {"day": "2026-08-14"}}, 400),
    ],
)
def test_what_is_no_message_is_refused(
    line: Line, people: Emulator, shop: Shop, kind: str, body: dict[str, Any], status: int
) -> None:
    answer = line.call("POST", f"/_emulator/users/{SAKURA}/{kind}", json=body)

    assert answer.status_code == status
    assert shop.requests == []
    assert people.chat(SAKURA) == []


def test_C7_a_picker_posts_what_was_chosen(people: Emulator, shop: Shop) -> None:
    people.postback(SAKURA, "storeId=12345", {"datetime": "2017-12-25T01:00"})

    assert shop.events(1)[0]["postback"] == {
        "data": "storeId=12345",
        "params": {"datetime": "2017-12-25T01:00"},
    }


def test_D6_a_beacon_and_a_watched_video(line: Line, people: Emulator, shop: Shop) -> None:
    act = f"/_emulator/users/{SAKURA}"
    line.call("POST", f"{act}/beacon", json={"hwid": "d41d8cd98f", "dm": "0fab"})
    line.call("POST", f"{act}/video-complete", json={"tracking_id": "track-id"})

    beacon, video = shop.events(2)
    assert beacon["beacon"] == {"hwid": "d41d8cd98f", "type": "enter", "dm": "0fab"}
    assert video["videoPlayComplete"] == {"trackingId": "track-id"}
    assert beacon["replyToken"]
    assert video["replyToken"]


def test_M30_a_tap_switches_rich_menus(line: Line, people: Emulator, shop: Shop) -> None:
    action = {"type": "richmenuswitch", "richMenuAliasId": "tab-b", "data": "to-b"}
    first = make_menu(line)
    tab_a = line.platform.world.rich_menus[first]
    tab_a.definition = definition(areas=[{**definition()["areas"][0], "action": action}])
    line.api.link_rich_menu_id_to_user(SAKURA, first)

    people.tap(SAKURA)
    line.platform.world.rich_menu_aliases["tab-b"] = "richmenu-gone"
    people.tap(SAKURA)
    second = make_menu(line)
    line.platform.world.rich_menu_aliases["tab-b"] = second
    people.tap(SAKURA)

    postbacks = [event["postback"] for event in shop.events(3)]
    assert postbacks == [
        {"data": "to-b", "params": {"status": "RICHMENU_ALIAS_ID_NOTFOUND"}},
        {"data": "to-b", "params": {"status": "RICHMENU_NOTFOUND"}},
        {"data": "to-b", "params": {"newRichMenuAliasId": "tab-b", "status": "SUCCESS"}},
    ]
    seen = line.call("GET", f"/phone/{SAKURA}/state").json()["rich_menu"]["id"]
    # What is linked stays linked.
    assert (seen, line.api.get_rich_menu_id_of_user(SAKURA).rich_menu_id) == (second, first)
    line.api.link_rich_menu_id_to_user(SAKURA, first)
    assert line.call("GET", f"/phone/{SAKURA}/state").json()["rich_menu"]["id"] == first


def test_C12_the_chat_shows_that_an_answer_is_coming(line: Line, people: Emulator) -> None:
    def is_answering() -> bool:
        account = line.call("GET", f"/phone/{SAKURA}/state").json()["account"]
        return bool(account["is_answering"])

    start = {"chatId": SAKURA, "loadingSeconds": 5}
    assert not is_answering()
    line.call("POST", "/v2/bot/chat/loading/start", json=start)
    assert is_answering()
    line.platform.clock.advance(5)
    assert not is_answering()
    line.call("POST", "/v2/bot/chat/loading/start", json=start)
    push = {"to": SAKURA, "messages": [{"type": "text", "text": "お待たせしました"}]}
    line.call("POST", "/v2/bot/message/push", json=push)
    assert not is_answering()
