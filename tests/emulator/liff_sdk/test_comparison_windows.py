"""LINE's real SDK and the stand-in open the same windows, and make the same of odd addresses."""

from __future__ import annotations

from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest

from .conftest import IPHONE
from .conftest import MakeSdk
from .conftest import Sdk
from .test_comparison import LINKS
from .test_comparison import Result
from .test_comparison import Scenario
from .test_comparison import compare
from .test_comparison import state

#: Stored values, without what tokens and times are.
SHAPES = """
() => Object.fromEntries(Object.entries({ ...localStorage, ...sessionStorage })
  .filter(([name]) => name.startsWith("LIFF_STORE:"))
  .map(([name, text]) => [name, JSON.parse(text)])
  .map(([name, value]) => [name, value && Object.keys(value).length < 30
    ? Object.entries(value).map(([key, inner]) => `${key}: ${typeof inner}`).sort()
    : typeof value]))
"""
FORGED = "#access_token=forged&client_id=1&feature_token=f&context_token=e30"


def windows(sdk: Sdk) -> Result:
    """Open windows, before and after init."""
    sdk.configure("wait")
    sdk.page.goto(f"{sdk.shop.url}/line/liff")
    sdk.page.evaluate("window.open = (...given) => { window.given = given; return {}; }; 0")
    calls = [
        f"(liff.openWindow({argument}), window.given)"
        for argument in (
            "{ url: 'https://shop.example/x' }",
            "{ url: 'https://shop.example/x?a=1#b', external: true }",
            "{ url: '/x' }",
        )
    ]
    return {call: sdk.call(call) for call in calls}


def closed(sdk: Sdk) -> Result:
    """Close the window before and after init."""
    sdk.configure("wait")
    sdk.open_in_app()
    sdk.call("liff.closeWindow()")
    sdk.call(f"liff.init({{ liffId: '{sdk.liff_id}' }})")
    return {"close": sdk.call("liff.closeWindow()")}


def stored_outside(sdk: Sdk) -> Result:
    """Look at what is stored on the way in and out."""
    sdk.open()
    before = sdk.page.evaluate(SHAPES)
    sdk.page.evaluate("liff.login()")
    return {"before": before, "init": sdk.log_in(), "after": sdk.page.evaluate(SHAPES)}


def stored_in_app(sdk: Sdk) -> Result:
    """Look at what LINE's app brought, on the first and on a second visit."""
    sdk.open_in_app()
    first = sdk.page.evaluate(SHAPES)
    init = sdk.open_in_app("?b=1", "/line/liff?b=1")
    return {"first": first, "init": init, "second": sdk.page.evaluate(SHAPES), **state(sdk)}


def cookie_gone_meanwhile(sdk: Sdk) -> Result:
    """Lose the cookie without a new page."""
    sdk.open()
    sdk.page.evaluate("liff.login()")
    sdk.log_in()
    sdk.context.clear_cookies()
    return {"logged in": sdk.call("liff.isLoggedIn()")}


def used_code(sdk: Sdk) -> Result:
    """Open the address with the code a second time."""
    sdk.open()
    sdk.page.evaluate("liff.login()")
    sdk.log_in()
    address = sdk.page.url
    sdk.call("liff.logout()")
    sdk.page.goto(address)
    return {"init": sdk.settled(), "logged in": sdk.call("liff.isLoggedIn()")}


def endpoint_with_query(sdk: Sdk) -> Result:
    """Have an endpoint that ends with a slash and a query."""
    endpoint = f"{sdk.shop.url}/line/liff/?shop=1"
    sdk.emulator.set_up(liff_apps=[{"liff_id": sdk.liff_id, "endpoint_url": endpoint}])
    init = sdk.open("/x?a=1", "/line/liff/x?shop=1&a=1")
    return {"init": init, **state(sdk, LINKS)}


def forged_issuer(sdk: Sdk) -> Result:
    """Get an ID token of somebody else's."""
    sdk.open()
    sdk.page.evaluate("liff.login()")
    sdk.emulator.fault(id_token={"iss": "https://evil.example"})
    return {"init": sdk.log_in(), "logged in": sdk.call("liff.isLoggedIn()")}


def plugins(sdk: Sdk) -> Result:
    """Use plugins that do not deserve the name."""
    sdk.configure("wait")
    sdk.page.goto(f"{sdk.shop.url}/line/liff")
    nothings = ("", "{}", "{ name: 'a' }", "{ name: 'a', install() {} }")
    calls = [f"[liff.use({nothing}) === liff, '$a' in liff]" for nothing in nothings]
    return {call: sdk.call(call) for call in calls}


def empty_handed(sdk: Sdk) -> Result:
    """Start in LINE's app without its credentials: they are fetched by way of LINE."""
    sdk.configure("wait")
    sdk.page.goto(f"{sdk.shop.url}/line/liff?a=1")
    with sdk.page.expect_request("**/liff/v1/authorize?**") as leaving:
        sdk.page.evaluate(f"void liff.init({{ liffId: '{sdk.liff_id}' }}).catch(() => 0)")
    query = parse_qs(urlsplit(leaving.value.url).query)
    return {"comes back to": sdk.plain(query["redirect_uri"])}


def forged_credentials(sdk: Sdk) -> Result:
    """Bring a token that LINE does not know."""
    sdk.page.goto(f"{sdk.shop.url}/line/liff{FORGED}.e30.x")
    return {"init": sdk.settled(), "stored": sdk.page.evaluate(SHAPES)}


def credentials_of_another_app(sdk: Sdk) -> Result:
    """Bring another LIFF app's context."""
    sdk.page.goto(f"{sdk.shop.url}/line/liff{FORGED}.eyJsaWZmSWQiOiAiMS1Bbm90aGVyMCJ9.x")
    return {"init": sdk.settled(), "stored": sdk.page.evaluate(SHAPES)}


def in_app_before_init(sdk: Sdk) -> Result:
    """Ask too early in LINE's app."""
    sdk.configure("wait")
    sdk.open_in_app()
    found = state(sdk, ("liff.isApiAvailable('iap')", "liff.isApiAvailable('scanCodeV2')"))
    del found["address"]
    return found


def odd_state(sdk: Sdk, wanted: str, lands_on: str) -> Result:
    sdk.page.goto(f"{sdk.shop.url}/line/liff?liff.state={wanted}")
    return {"init": sdk.settled(lands_on)}


OUTSIDE = [
    windows,
    stored_outside,
    cookie_gone_meanwhile,
    used_code,
    endpoint_with_query,
    forged_issuer,
    plugins,
]
INSIDE = [
    windows,
    closed,
    stored_in_app,
    empty_handed,
    forged_credentials,
    credentials_of_another_app,
    in_app_before_init,
]


@pytest.mark.parametrize("scenario", OUTSIDE, ids=lambda one: one.__name__)
def test_both_sdks_do_the_same_outside(make_sdk: MakeSdk, scenario: Scenario) -> None:
    compare(make_sdk, scenario)


@pytest.mark.parametrize("scenario", INSIDE, ids=lambda one: one.__name__)
def test_both_sdks_do_the_same_on_an_iphone(make_sdk: MakeSdk, scenario: Scenario) -> None:
    compare(make_sdk, scenario, in_app=True, agent=IPHONE)


@pytest.mark.parametrize(
    ("wanted", "lands_on"),
    [
        ("%2Fx%3Fa%3D1%23h", "/line/liff/x?a=1#h"),
        ("x", "/line/liff/x"),
        ("https%3A%2F%2Fevil.example%2Fx", "/line/liff/https:/evil.example/x"),
    ],
)
def test_both_sdks_go_where_the_state_says(make_sdk: MakeSdk, wanted: str, lands_on: str) -> None:
    compare(make_sdk, lambda sdk: odd_state(sdk, wanted, lands_on))
