"""LINE's real SDK and the stand-in do, say, store and ask the same, scenario by scenario."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import MakeSdk
from .conftest import Sdk

Result = dict[str, Any]
Scenario = Callable[[Sdk], Result]

GETTERS = (
    "liff.id",
    "liff.isInClient()",
    "liff.isLoggedIn()",
    "liff.isSubWindow()",
    "liff.getOS()",
    "liff.getLanguage()",
    "liff.getAppLanguage()",
    "liff.getVersion()",
    "liff.getLineVersion()",
    "liff.getAccessToken()",
    "liff.getIDToken()",
    "liff.getDecodedIDToken()",
    "liff.getContext()",
)
PEOPLE = (
    "liff.getProfile()",
    "liff.getFriendship()",
    "liff.getFriendship({ officialAccountId: 'demoshop' })",
    "liff.permission.query('profile')",
    "liff.permission.query('openid')",
    "liff.permission.query('email')",
    "liff.permission.query('chat_message.write')",
    "liff.permission.query('camera')",
    "liff.permission.query()",
    "liff.permission.getGrantedAll()",
    "liff.permission.requestAll()",
)
LINKS = (
    "liff.permanentLink.createUrl()",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liff')",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liff/')",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liff/a/?b=1&liff.x=2#c')",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liff?b=1')",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liff#c')",
    "liff.permanentLink.createUrlBy(location.origin + '/line/liffy')",
    "liff.permanentLink.createUrlBy(location.origin + '/elsewhere')",
    "liff.permanentLink.createUrlBy('/line/liff/a')",
    "liff.permanentLink.createUrlBy()",
)
APIS = (
    "liff.isApiAvailable('shareTargetPicker')",
    "liff.isApiAvailable('scanCodeV2')",
    "liff.isApiAvailable('scanCode')",
    "liff.isApiAvailable('multipleLiffTransition')",
    "liff.isApiAvailable('subwindowOpen')",
    "liff.isApiAvailable('createShortcutOnHomeScreen')",
    "liff.isApiAvailable('requestFriendship')",
    "liff.isApiAvailable('iap')",
    "liff.isApiAvailable('getProfile')",
    "liff.isApiAvailable('nonsense')",
    "liff.isApiAvailable()",
)
WINDOWS = (
    "liff.openWindow()",
    "liff.openWindow({})",
    "liff.openWindow({ url: '' })",
    "liff.openWindow({ url: 5 })",
    "liff.openWindow({ url: 'https://shop.example/', external: 'yes' })",
)
MESSAGES = (
    "liff.sendMessages()",
    "liff.sendMessages('や')",
    "liff.sendMessages([])",
    "liff.sendMessages([{}])",
    "liff.sendMessages([null])",
    "liff.sendMessages([{ text: 'や' }])",
    "liff.sendMessages(Array(6).fill({ type: 'text', text: 'や' }))",
    "liff.sendMessages([{ type: 'text', text: '' }])",
    "liff.sendMessages([{ type: 'text', text: 'や' }])",
)
INITS = (
    "liff.init()",
    "liff.init({})",
    "liff.init({ liffId: '' })",
    "liff.ready.then(() => 'ready')",
)
CALLS = PEOPLE + LINKS + APIS + WINDOWS + MESSAGES + INITS


def state(sdk: Sdk, calls: tuple[str, ...] = ()) -> Result:
    """Return all that can be seen of the SDK in the page where it is."""
    said = {expression: sdk.call(expression) for expression in (*GETTERS, *calls)}
    stores = sdk.page.evaluate(
        "[localStorage, sessionStorage].map((store) => Object.keys(store).sort())"
    )
    # The stand-in notes which of the phone's windows it is in; LINE's app knows.
    stores = [[name for name in store if name != "line_emulator:window"] for store in stores]
    cookies = sorted(str(one["name"]) for one in sdk.context.cookies(sdk.shop.url))
    return {
        "said": said,
        "address": sdk.plain(sdk.page.url),
        "stores": stores,
        "cookies": [name for name in cookies if not name.startswith("line_emulator")],
    }


def log_in(sdk: Sdk, extra: str = "") -> None:
    sdk.open(extra, f"/line/liff{extra}")
    sdk.page.evaluate("liff.login({ redirectUri: location.href })")


def logged_out(sdk: Sdk) -> Result:
    return {"init": sdk.open(), **state(sdk, CALLS)}


def logged_out_and_reloaded(sdk: Sdk) -> Result:
    sdk.open()
    sdk.page.goto(f"{sdk.shop.url}/line/liff")
    return {"init": sdk.settled(), **state(sdk)}


def logged_in_on_another_page(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.log_in()
    init = sdk.open("/orders?page=2", "/line/liff/orders?page=2")
    return {"init": init, **state(sdk)}


def asked_twice(sdk: Sdk) -> Result:
    sdk.open()
    again = sdk.call(f"liff.init({{ liffId: '{sdk.liff_id}' }})")
    return {"again": again, **state(sdk)}


def told_by_callbacks(sdk: Sdk) -> Result:
    sdk.configure("wait")
    sdk.open()
    init = (
        "new Promise((ok, ng) => liff.init({ liffId: '%s' }, () => ok('ok'), ng).catch(() => {}))"
    )
    return {"ok": sdk.call(init % sdk.liff_id), "ng": sdk.call(init % "1650000001-Unknown0")}


def with_a_plugin(sdk: Sdk) -> Result:
    sdk.configure("wait")
    sdk.open()
    sdk.page.evaluate(
        """
        window.heard = [];
        liff.use({ name: "ear", install(context, option) {
          context.hooks.init.before(() => heard.push(`before ${option}`));
          context.hooks.init.after(() => heard.push("after"));
          return { hears: true };
        } }, "now");
        """
    )
    init = sdk.call(f"liff.init({{ liffId: '{sdk.liff_id}' }})")
    return {"init": init, "heard": sdk.call("heard"), "plugin": sdk.call("liff.$ear")}


def before_init(sdk: Sdk) -> Result:
    sdk.configure("wait")
    sdk.open()
    return state(sdk, PEOPLE + LINKS + APIS + WINDOWS + MESSAGES + INITS[:-1])


def without_liff_id(sdk: Sdk) -> Result:
    sdk.configure("none")
    return {"init": sdk.open(), "id": sdk.call("liff.id")}


def unknown_app(sdk: Sdk) -> Result:
    sdk.shop.options = "liffId=1650000001-Unknown0"
    return {"init": sdk.open(), "id": sdk.call("liff.id")}


def secondary_redirect(sdk: Sdk) -> Result:
    init = sdk.open("/orders/?page=2&x=1", "/line/liff/orders/?page=2&x=1")
    return {"init": init, **state(sdk)}


def logged_in(sdk: Sdk) -> Result:
    log_in(sdk, "/orders?page=2")
    return {"init": sdk.log_in(), **state(sdk, CALLS)}


def logged_in_by_itself(sdk: Sdk) -> Result:
    sdk.configure("login")
    sdk.page.goto(f"{sdk.emulator.url}/{sdk.liff_id}")
    return {"init": sdk.log_in(), **state(sdk)}


def logged_in_and_reloaded(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.log_in()
    sdk.page.goto(f"{sdk.shop.url}/line/liff")
    return {"init": sdk.settled(), **state(sdk)}


def logged_out_again(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.log_in()
    sdk.call("liff.logout()")
    return state(sdk)


def left_before_the_context_came(sdk: Sdk) -> Result:
    """Neither asks for it again: not with an older one, nor with none."""
    log_in(sdk)
    sdk.log_in()
    results = {}
    for left in ("liffId", ""):
        key = f"LIFF_STORE:{sdk.liff_id}:context"
        context = f'{{"type":"external","liffId":"{sdk.liff_id}"}}' if left else ""
        change = f"setItem('{key}', '{context}')" if left else f"removeItem('{key}')"
        sdk.page.evaluate(f"localStorage.{change}")
        sdk.page.goto(f"{sdk.shop.url}/line/liff")
        results[left] = {"init": sdk.settled(), **state(sdk)}
    return results


def cookie_gone(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.log_in()
    sdk.context.clear_cookies(name=re.compile("LIFF_STORE.*"))
    sdk.page.goto(f"{sdk.shop.url}/line/liff")
    return {"init": sdk.settled(), **state(sdk)}


def refused_consent(sdk: Sdk) -> Result:
    log_in(sdk)
    return {"init": sdk.log_in(allow=False), **state(sdk)}


def forged_id_token(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.emulator.fault(id_token={"aud": "1650000009"})
    return {"init": sdk.log_in(), "logged in": sdk.call("liff.isLoggedIn()")}


def expired_id_token(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.emulator.fault(id_token={"exp": 1})
    return {"init": sdk.log_in(), "logged in": sdk.call("liff.isLoggedIn()")}


def rotated_keys(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.emulator.rotate_keys()
    return {"init": sdk.log_in(), **state(sdk)}


def narrow_scope(sdk: Sdk) -> Result:
    sdk.emulator.set_up(liff_apps=[{"liff_id": sdk.liff_id, "scope": ["openid"]}])
    log_in(sdk)
    return {"init": sdk.log_in(), **state(sdk, PEOPLE)}


def without_openid(sdk: Sdk) -> Result:
    sdk.emulator.set_up(liff_apps=[{"liff_id": sdk.liff_id, "scope": ["profile"]}])
    log_in(sdk)
    return {"init": sdk.log_in(), **state(sdk, PEOPLE)}


def revoked_outside(sdk: Sdk) -> Result:
    log_in(sdk)
    sdk.log_in()
    sdk.emulator.revoke(sdk.user_id)
    return {"profile": sdk.call("liff.getProfile()"), "friend": sdk.call("liff.getFriendship()")}


def in_app(sdk: Sdk) -> Result:
    return {"init": sdk.open_in_app(), **state(sdk, CALLS)}


def in_app_with_path(sdk: Sdk) -> Result:
    init = sdk.open_in_app("/orders?page=2#top", "/line/liff/orders?page=2#top")
    return {"init": init, **state(sdk)}


def in_app_may_write(sdk: Sdk) -> Result:
    scope = ["openid", "profile", "chat_message.write"]
    sdk.emulator.set_up(liff_apps=[{"liff_id": sdk.liff_id, "scope": scope}])
    sdk.open_in_app()
    said = {one: sdk.call(one) for one in MESSAGES}
    texts = [entry["message"]["text"] for entry in sdk.emulator.chat(sdk.user_id)]
    return {"said": said, "texts": texts}


def in_app_reloaded(sdk: Sdk) -> Result:
    sdk.open_in_app()
    sdk.page.goto(f"{sdk.shop.url}/line/liff/orders")
    return {"init": sdk.settled(), **state(sdk)}


def in_app_of_another_app(sdk: Sdk) -> Result:
    sdk.shop.options = "liffId=1650000001-Unknown0"
    return {"init": sdk.open_in_app(), "id": sdk.call("liff.id")}


def outside_the_endpoint(sdk: Sdk) -> Result:
    sdk.page.goto(f"{sdk.shop.url}/elsewhere")
    return {"init": sdk.settled(), **state(sdk, LINKS)}


OUTSIDE = [
    outside_the_endpoint,
    logged_out,
    logged_out_and_reloaded,
    logged_in_on_another_page,
    asked_twice,
    told_by_callbacks,
    with_a_plugin,
    before_init,
    without_liff_id,
    unknown_app,
    secondary_redirect,
    logged_in,
    logged_in_by_itself,
    logged_in_and_reloaded,
    logged_out_again,
    left_before_the_context_came,
    cookie_gone,
    refused_consent,
    forged_id_token,
    expired_id_token,
    rotated_keys,
    narrow_scope,
    without_openid,
    revoked_outside,
]
INSIDE = [in_app, in_app_with_path, in_app_may_write, in_app_reloaded, in_app_of_another_app]


@pytest.mark.parametrize("scenario", [*OUTSIDE, *INSIDE], ids=lambda one: one.__name__)
def test_both_sdks_do_the_same(make_sdk: MakeSdk, scenario: Scenario) -> None:
    compare(make_sdk, scenario, in_app=scenario in INSIDE)


def compare(make_sdk: MakeSdk, scenario: Scenario, **browser: Any) -> None:
    """Play a scenario with both; fail if they differ in what they say, store, ask or open."""
    results, requests, left_for = {}, {}, {}
    for name in ("real", "stand-in"):
        sdk = make_sdk(name, **browser)
        sdk.emulator.reset()
        sdk.emulator.set_up(base_url=sdk.shop.url)
        results[name] = comparable(scenario(sdk))
        requests[name], left_for[name] = sdk.requests, sdk.left_for

    assert differences(results["stand-in"], results["real"]) == {}
    assert requests["stand-in"] == requests["real"]
    assert left_for["stand-in"] == left_for["real"]


def differences(stand_in: Any, real: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Return what differs, by its place: what the stand-in has there, and the real one."""
    if not isinstance(stand_in, dict) or not isinstance(real, dict):
        return {} if stand_in == real else {where: (stand_in, real)}
    found: dict[str, tuple[Any, Any]] = {}
    for name in stand_in | real:
        inner = f"{where} > {name}".lstrip(" >")
        found |= differences(stand_in.get(name, "(nothing)"), real.get(name, "(nothing)"), inner)
    return found


def comparable(value: Any, name: str = "") -> Any:
    """Return a result without what differs from run to run: tokens, hashes and times."""
    if isinstance(value, dict):
        return {inner: comparable(value[inner], inner) for inner in value}
    if isinstance(value, list):
        return [comparable(inner) for inner in value]
    if name in {"iat", "exp", "accessTokenHash"}:
        return f"({name})"
    if isinstance(value, str) and name == "value" and re.fullmatch(r"eyJ[\w.-]+", value):
        return "(token)"
    if isinstance(value, str):
        return re.sub(r"(code|state)=[\w-]+", r"\1=…", value)
    return value
