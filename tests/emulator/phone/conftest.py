"""The phone page in a real browser, the shop that opens in it, and the account that writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from flask import Response
from playwright.sync_api import ConsoleMessage
from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator
from tests.emulator.serving import serving

TIMEOUT = 10
NAME = "佐藤 さくら"
#: A sheet without a word on it.
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Root 1 0 R>>
"""


@pytest.fixture(scope="module")
def shop_url() -> Iterator[str]:
    """Serve a shop of numbered pages, each linking to the next."""
    app = Flask(__name__)

    @app.get("/pages/<int:number>")
    def show(number: int) -> str:
        return (
            f"<!doctype html><h1>Page {number}</h1><a href='/pages/{number + 1}'>Next</a>"
            "<button onclick=\"top.location = '/pages/99'\">Break out</button>"
        )

    @app.get("/paper")
    def ask() -> str:
        message = "{type: 'line.openDocument', url: location.href + '.pdf'}"
        return f"<button onclick=\"parent.postMessage({message}, '*')\">Show</button>"

    @app.get("/paper.pdf")
    def paper() -> Response:
        return Response(PDF, mimetype="application/pdf")

    with serving(app) as url:
        yield url


@pytest.fixture
def emulator(line_emulator: Emulator) -> Emulator:
    """Return a fresh emulator."""
    return line_emulator


@pytest.fixture
def user_id(emulator: Emulator) -> str:
    """Return the user whose phone is opened, a friend of the account."""
    found = next(str(user["user_id"]) for user in emulator.users() if user["display_name"] == NAME)
    emulator.add_friend(found)
    return found


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """Fail the test when the page breaks its own security policy or throws."""
    heard: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []


@pytest.fixture
def phone(page: Page, emulator: Emulator, user_id: str, complaints: list[str]) -> Page:
    """Open the chat on the user's phone."""
    page.goto(f"{emulator.url}/phone/{user_id}#chat")
    expect(page.locator("#phone[data-ready]")).to_be_visible()
    return page


class Bot:
    """The shop's official account, as far as it calls the Messaging API."""

    def __init__(self, emulator: Emulator) -> None:
        self.url = emulator.url
        #: The rich menus that it published, oldest first.
        self.menu_ids: list[str] = []
        settings = emulator.settings("http://127.0.0.1:5000")
        form = {
            "grant_type": "client_credentials",
            "client_id": settings["LINECONNECT_MESSAGING_CHANNEL_ID"],
            "client_secret": settings["LINECONNECT_MESSAGING_CHANNEL_SECRET"],
        }
        answer = requests.post(f"{self.url}/oauth2/v3/token", data=form, timeout=TIMEOUT)
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def post(self, path: str, **request: Any) -> Any:
        """Call the API."""
        headers = {**self.headers, **request.pop("headers", {})}
        answer = requests.post(self.url + path, headers=headers, timeout=TIMEOUT, **request)
        assert answer.ok, answer.text
        return answer.json()

    def push(self, user_id: str, *messages: dict[str, Any]) -> None:
        """Send messages to one user."""
        self.post("/v2/bot/message/push", json={"to": user_id, "messages": list(messages)})

    def publish_menu(self, *areas: dict[str, Any]) -> None:
        """Make a rich menu of equal columns everybody's menu."""
        width, height = 1200, 400
        column = width // len(areas)
        bounds = [
            {"x": at * column, "y": 0, "width": column, "height": height}
            for at in range(len(areas))
        ]
        menu = {
            "size": {"width": width, "height": height},
            "selected": True,
            "name": "menu",
            "chatBarText": "お店のメニュー",
            "areas": [
                {"bounds": place, "action": area} for place, area in zip(bounds, areas, strict=True)
            ],
        }
        menu_id = self.post("/v2/bot/richmenu", json=menu)["richMenuId"]
        image = {"data": plain_png(width, height), "headers": {"Content-Type": "image/png"}}
        self.post(f"/v2/bot/richmenu/{menu_id}/content", **image)
        self.post(f"/v2/bot/user/all/richmenu/{menu_id}")
        self.menu_ids.append(menu_id)


@pytest.fixture
def bot(emulator: Emulator) -> Bot:
    """Return the official account."""
    return Bot(emulator)


def plain_png(width: int, height: int) -> bytes:
    """Draw a one-coloured picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x2f\x5d\x50" * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def text(words: str, **more: Any) -> dict[str, Any]:
    """Make a text message."""
    return {"type": "text", "text": words, **more}


def flex(contents: dict[str, Any]) -> dict[str, Any]:
    """Make a Flex message."""
    return {"type": "flex", "altText": "flex", "contents": contents}


def bubble(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make a Flex bubble with a vertical body."""
    body = {"type": "box", "layout": "vertical", "contents": list(contents)}
    return {"type": "bubble", "body": body, **more}


def in_app(page: Page) -> FrameLocator:
    """Return the page inside the in-app browser."""
    return page.frame_locator("#browser-page iframe")
