"""The two doors by which LINE logs a person in: the web login and a LIFF page's exchange."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from tests.people import BASE_URL
from tests.people import log_in

#: Lets a LINE user in to the shop with a browser.
Door = Callable[[FlaskClient, LineBrowser, Emulator], TestResponse]


def by_web(client: FlaskClient, browser: LineBrowser, _emulator: Emulator) -> TestResponse:
    """Go to LINE and come back."""
    return log_in(client, browser)


def by_liff(client: FlaskClient, browser: LineBrowser, emulator: Emulator) -> TestResponse:
    """Open the card inside LINE, whose page hands in LINE's ID token."""
    return exchange(client, id_token(browser, emulator))


DOORS: dict[str, Door] = {"web": by_web, "liff": by_liff}


def id_token(browser: LineBrowser, emulator: Emulator) -> str:
    """Open the LIFF app on a phone, and take what LINE hands to the page."""
    address = browser.open_in_app(f"{emulator.url}/1650000001-DemoCard")
    return parse_qs(urlsplit(address).fragment)["id_token"][0]


def exchange(
    client: FlaskClient, token: object, path: str = "/line/liff/session", **values: object
) -> TestResponse:
    """Hand an ID token in as a LIFF page does."""
    headers = {"X-CSRFToken": client.get("/token").text, "Origin": BASE_URL}
    return client.post(path, json={"id_token": token, **values}, headers=headers)


def who_is(client: FlaskClient) -> str | None:
    """Return the name of whoever is logged in, or ``None`` for nobody."""
    page = client.get("/name")
    return page.text if page.status_code == 200 else None
