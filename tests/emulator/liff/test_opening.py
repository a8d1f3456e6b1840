"""LIFF's addresses, and what LINE's app hands to a page."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest

from ..conftest import KENTA
from ..conftest import SAKURA
from ..login.login_browser import CHANNEL
from ..login.login_browser import ENDPOINT
from ..login.login_browser import LIFF_ID
from ..login.login_browser import SITE
from ..login.login_browser import Browser
from ..login.login_browser import parts_of
from ..login.login_browser import phone_of
from .opened import location_of
from .opened import open_on_phone


@pytest.mark.parametrize(
    ("rest", "state"),
    [
        ("", None),
        ("/", None),
        ("/book?menu=cut", "%2Fbook%3Fmenu%3Dcut"),
        ("?card=1", "%3Fcard%3D1"),
        ("/a/b/?x=%E8%8C%B6", "%2Fa%2Fb%2F%3Fx%3D%25E8%258C%25B6"),
        ("/a%2Fb", "%2Fa%252Fb"),
        ("/%E8%8C%B6", "%2F%25E8%258C%25B6"),
    ],
)
def test_I1_a_liff_url_leads_to_the_primary_page(
    sakura: Browser, rest: str, state: str | None
) -> None:
    page = ENDPOINT if state is None else f"{ENDPOINT}?liff.state={state}"
    assert location_of(sakura, f"/{LIFF_ID}{rest}") == page
    assert open_on_phone(sakura, rest)[0] == page


def test_I1_the_endpoints_own_query_stays_first(sakura: Browser) -> None:
    with sakura.line.platform.change() as world:
        world.liff_apps[LIFF_ID].endpoint_url = "https://example.com/2020campaign/?key=value"
    assert open_on_phone(sakura, "/path_A/?key1=value1#f")[0] == (
        "https://example.com/2020campaign/?key=value&liff.state=%2Fpath_A%2F%3Fkey1%3Dvalue1%23f"
    )


@pytest.mark.parametrize("liff_id", [f"{CHANNEL}-Unknown0", "nothing"])
def test_there_must_be_such_an_app(sakura: Browser, liff_id: str) -> None:
    assert sakura.get(f"/{liff_id}").status_code == 404
    url = quote(f"https://liff.line.me/{liff_id}", safe="")
    assert sakura.get(f"/phone/{SAKURA}/open?url={url}").status_code == 404


def test_I2_the_app_hands_over_credentials(sakura: Browser) -> None:
    _page, given = open_on_phone(sakura)
    expected = "access_token context_token feature_token client_id mst_challenge id_token"
    assert set(given) == set(expected.split())
    assert given["client_id"] == CHANNEL
    assert sakura.read("/v2/profile", given["access_token"]).json()["userId"] == SAKURA
    header, claims = parts_of(given["id_token"])
    assert header["alg"] == "ES256"
    assert (claims["sub"], claims["aud"]) == (SAKURA, CHANNEL)
    assert claims["email"] == "sakura@example.com"
    context = parts_of(given["context_token"])[1]
    assert (context["type"], context["viewType"]) == ("utou", "full")
    assert (context["liffId"], context["endpointUrl"]) == (LIFF_ID, ENDPOINT)
    assert context["userId"] == SAKURA
    digest = hashlib.sha256(given["access_token"].encode()).hexdigest()
    assert context["accessTokenHash"] == digest[:32]


def test_I2_a_link_inside_the_app_comes_with_credentials_too(sakura: Browser) -> None:
    phone = phone_of(sakura.line, KENTA)
    location = location_of(phone, f"/{LIFF_ID}/orders")
    fragment = parse_qs(urlsplit(location).fragment)
    assert parts_of(fragment["id_token"][0])[1]["sub"] == KENTA


def test_I2_an_email_address_that_was_kept_back_stays_back(sakura: Browser) -> None:
    sakura.tokens(email=False)
    assert "email" not in parts_of(open_on_phone(sakura)[1]["id_token"])[1]
    assert "email" not in sakura.line.platform.world.users[SAKURA].granted


def test_I3_outside_the_app_there_are_no_credentials(sakura: Browser) -> None:
    phone_of(sakura.line)
    sakura.get(f"/phone/{SAKURA}/open?url={SITE}/")
    assert "#" not in location_of(sakura, f"/{LIFF_ID}")
    answer = sakura.get(f"/{LIFF_ID}", **{"User-Agent": "Mozilla/5.0 (iPhone) Safari Line/15.12.1"})
    assert "#access_token=" in answer.headers["Location"]
