"""What the phone page's script calls: state, changes, actions, and the in-app browser's door."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.phone import views as phone
from flask_lineconnect.emulator.platform import Platform
from tests.emulator.quiet import client as client
from tests.emulator.quiet import line as line
from tests.emulator.quiet import show_menu

SAKURA, KENTA = f"U{1:032x}", f"U{2:032x}"
NOBODY = f"U{99:032x}"
#: A PNG's first bytes are enough: the phone passes images on as they are.
IMAGE = "iVBORw0KGgo="
BALANCE = {"type": "message", "text": "残高"}


@pytest.fixture
def url(line: Platform) -> Iterator[str]:
    """Serve the emulator; give its address."""
    server = make_server("127.0.0.1", 0, create_app(line), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _state(client: FlaskClient, user_id: str = SAKURA) -> dict[str, Any]:
    state = client.get(f"/phone/{user_id}/state").json
    assert isinstance(state, dict)
    return state


def _act(client: FlaskClient, action: str, /, **body: Any) -> int:
    return client.post(f"/phone/{SAKURA}/{action}", json=body).status_code


def test_the_pages(client: FlaskClient) -> None:
    assert client.get("/").location == "/phone"
    phones = client.get("/phone")
    assert "佐藤 さくら" in phones.text
    assert f"/phone/{SAKURA}" in phones.text
    page = client.get(f"/phone/{SAKURA}")
    assert "佐藤 さくら" in page.text
    missing = client.get(f"/phone/{NOBODY}")
    assert missing.status_code == 404
    assert missing.mimetype == "text/html"


def test_a_new_phone(client: FlaskClient) -> None:
    assert _state(client) == {
        "user": {
            "user_id": SAKURA,
            "display_name": "佐藤 さくら",
            "picture_url": "/static/avatars/user-1.svg",
        },
        "account": {
            "basic_id": "@demoshop",
            "display_name": "こもれび堂",
            "picture_url": "/static/avatars/shop.svg",
            "relation": "none",
            "unread": 0,
            "is_answering": False,
        },
        "app": None,
        "liff_views": {"1650000001-DemoCard": "full"},
        "messages": [],
        "rich_menu": None,
        "clock": {"stopped_at": None, "ahead_seconds": 0.0},
    }


def test_what_a_person_does(client: FlaskClient, line: Platform) -> None:
    assert _act(client, "friend") == 204
    assert _state(client)["account"]["relation"] == "friend"
    assert _act(client, "send", text="こんにちは") == 204
    assert _act(client, "postback", data="a=1", display_text="買う") == 204
    assert _act(client, "postback", data="a=1", display_text=None) == 204
    messages = _state(client)["messages"]
    assert [entry["message"]["text"] for entry in messages] == ["こんにちは", "買う"]
    assert {entry["from"] for entry in messages} == {"user"}
    assert set(messages[0]) == {"id", "from", "at", "message"}
    assert _act(client, "block") == 204
    assert _state(client)["account"]["relation"] == "blocked"
    assert _act(client, "unblock") == 204
    assert _state(client)["account"]["relation"] == "friend"
    line.world.users[SAKURA].unread = 3
    assert _act(client, "read") == 204
    assert _state(client)["account"]["unread"] == 0


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("send", {}, 400),
        ("send", {"text": ""}, 400),
        ("send", {"text": ["a"]}, 400),
        ("send", {"text": "あ" * 5001}, 400),
        ("postback", {"display_text": "a"}, 400),
        ("postback", {"data": {}}, 400),
        ("fly", {}, 404),
        # The control pages' business.
        ("revoke", {}, 404),
    ],
)
def test_actions_of_the_wrong_form_are_refused(
    client: FlaskClient, action: str, body: dict[str, Any], status: int
) -> None:
    answer = client.post(f"/phone/{SAKURA}/{action}", json=body)
    assert answer.status_code == status
    assert answer.is_json
    assert _state(client)["messages"] == []


@pytest.mark.parametrize("action", ["send", "postback", "friend", "block", "unblock", "read"])
def test_other_sites_do_nothing(client: FlaskClient, line: Platform, action: str) -> None:
    before = line.world.model_dump_json()
    path, body = f"/phone/{SAKURA}/{action}", {"text": "a", "data": "a"}
    for origin in ("https://evil.example", "null", "http://localhost:81"):
        answer = client.post(path, json=body, headers={"Origin": origin})
        assert answer.status_code == 403
    assert client.post(path, data=body).status_code == 415
    assert client.post(path, data="[", content_type="application/json").status_code == 400
    assert line.world.model_dump_json() == before
    assert client.post(path, json=body, headers={"Origin": "http://localhost"}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "state"), ("GET", "events"), ("POST", "send"), ("POST", "read")],
)
def test_unknown_users_are_not_found(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(f"/phone/{NOBODY}/{path}", method=method, json={})
    assert answer.status_code == 404
    assert answer.is_json


def test_friends_see_the_rich_menu(client: FlaskClient, line: Platform) -> None:
    show_menu(line, BALANCE, image=IMAGE)
    assert _state(client)["rich_menu"] is None
    _act(client, "friend")
    menu = _state(client)["rich_menu"]
    assert menu["id"] == "richmenu-1"
    assert menu["chat_bar_text"] == "メニュー"
    assert menu["selected"] is True
    assert menu["size"] == {"w": 2500, "h": 843}
    assert menu["areas"][0]["action"] == {"type": "message", "text": "残高"}
    image = client.get(menu["image_url"])
    assert image.data.startswith(b"\x89PNG")
    assert image.mimetype == "image/png"
    assert client.get(menu["image_url"] + "2").status_code == 404


def test_a_rich_menu_without_image_is_not_shown(client: FlaskClient, line: Platform) -> None:
    show_menu(line, BALANCE, image=None)
    _act(client, "friend")
    assert _state(client)["rich_menu"] is None
    assert client.get(f"/phone/{SAKURA}/rich-menu/richmenu-1").status_code == 404


def test_other_pages_open_as_they_are(client: FlaskClient) -> None:
    url = "http://127.0.0.1:5000/items?tea=1#top"
    answer = client.get(f"/phone/{SAKURA}/open", query_string={"url": url})
    assert answer.status_code == 302
    assert answer.location == url
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = client.get_cookie("line_emulator_app_user")
    assert cookie is not None
    assert cookie.value == SAKURA
    assert cookie.http_only


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/1650000001-DemoCard",
        "http://localhost/1650000001-DemoCard/orders?a=1",
        "http://127.0.0.1/1650000001-DemoCard",
        "https://liff.line.me/1650000001-DemoCard",
    ],
)
def test_liff_urls_come_with_credentials(client: FlaskClient, address: str) -> None:
    client.put("/_emulator/setup", json={"base_url": "http://127.0.0.1:5000"})
    answer = client.get(f"/phone/{SAKURA}/open", query_string={"url": address})
    assert answer.status_code == 302
    assert "#" in answer.location
    assert client.get_cookie("line_emulator_app_user") is not None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,hello",
        "file:///etc/passwd",
        "//shop.example",
        "http://",
        "http://[",
        "http://localhost:port/1650000001-DemoCard",
        "http://shop.example:99999/",
        "http://shop..example/",
        "http://shop.example/\r\nSet-Cookie: a=b",
        "http://shop.example/\x00",
    ],
)
def test_only_web_addresses_open(client: FlaskClient, address: str) -> None:
    answer = client.get(f"/phone/{SAKURA}/open", query_string={"url": address})
    assert answer.status_code == 400
    assert client.get_cookie("line_emulator_app_user") is None


def test_another_users_phone_opens_nothing(client: FlaskClient) -> None:
    url = {"url": "http://127.0.0.1:5000/"}
    assert client.get(f"/phone/{NOBODY}/open", query_string=url).status_code == 404


def _events(answer: requests.Response) -> Iterator[str]:
    return (str(text) for text in answer.iter_lines(decode_unicode=True) if text)


def test_changes_are_told(url: str, line: Platform) -> None:
    stream = requests.get(f"{url}/phone/{SAKURA}/events", stream=True, timeout=60)
    with closing(stream):
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        lines = _events(stream)
        assert next(lines) == ": alive"
        requests.post(f"{url}/phone/{SAKURA}/send", json={"text": "a"}, timeout=60)
        assert next(lines) == "event: changed"
        assert next(lines) == "data: {}"
        # What happens on another phone only keeps the stream alive.
        requests.post(f"{url}/phone/{KENTA}/send", json={"text": "a"}, timeout=60)
        assert next(lines) == ": alive"
        with line.change() as world:
            del world.users[SAKURA]
        assert list(lines) == ["event: changed", "data: {}"]


def test_quiet_streams_stay_alive(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "HEARTBEAT", 0.05)
    stream = requests.get(f"{url}/phone/{SAKURA}/events", stream=True, timeout=60)
    with closing(stream):
        lines = _events(stream)
        assert [next(lines) for _ in range(3)] == [": alive"] * 3
