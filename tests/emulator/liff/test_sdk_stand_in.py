"""The stand-in for `window.liff`, in a real browser, on a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Frame
from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import expect

from flask_lineconnect.testing.plugin import Emulator
from tests.emulator.serving import serving

#: Awaits a LIFF call and returns its value, or the error's code and message.
TRY = """
async (call) => {
  try { return { value: await eval(`(async () => (${call}))()`) ?? null }; }
  catch (error) { return { code: error.code, message: error.message }; }
}
"""


@pytest.fixture(scope="module")
def shop_url(line_emulator_server: Emulator) -> Iterator[str]:
    """Serve a page that loads the stand-in and does nothing else, wherever the LIFF app leads."""
    app = Flask(__name__)
    sdk = f"{line_emulator_server.url}/liff/edge/2/sdk.js"

    @app.get("/line/liff")
    @app.get("/line/liff/<path:rest>")
    @app.get("/elsewhere")
    def page(rest: str = "") -> str:
        return f"<!doctype html><title>会員証</title><script src='{sdk}'></script><p>{rest}</p>"

    with serving(app) as url:
        yield url


@pytest.fixture
def emulator(line_emulator: Emulator, shop_url: str) -> Emulator:
    """Return a fresh emulator whose LIFF app lives in the shop."""
    line_emulator.set_up(base_url=shop_url)
    return line_emulator


@pytest.fixture
def liff_id(emulator: Emulator, shop_url: str) -> str:
    """Return the LIFF app's id."""
    return emulator.settings(shop_url)["LINECONNECT_LIFF_ID"]


def call(place: Page | Frame, expression: str) -> dict[str, Any]:
    """Call something of LIFF in a page; return its value or its error."""
    answer: dict[str, Any] = place.evaluate(TRY, expression)
    return answer


def init(place: Page | Frame, liff_id: str) -> dict[str, Any]:
    """Start LIFF in a page."""
    return call(place, f"liff.init({{ liffId: '{liff_id}' }})")


def log_in_at_line(page: Page, name: str, *, allow: bool = True) -> None:
    """Choose a user on the emulator's login page and answer the pages that follow."""
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="許可する" if allow else "キャンセル").click()
    if allow:
        page.get_by_role("button", name="あとで").click()


def log_in(page: Page, shop_url: str, liff_id: str, name: str = "佐藤 さくら") -> dict[str, Any]:
    """Log in from an ordinary browser; return what the second `init` says."""
    page.goto(f"{shop_url}/line/liff")
    init(page, liff_id)
    page.evaluate("liff.login({ redirectUri: location.href })")
    log_in_at_line(page, name)
    page.wait_for_url(f"{shop_url}/**")
    return init(page, liff_id)


def open_in_phone(page: Page, emulator: Emulator, user_id: str, url: str) -> FrameLocator:
    """Let a link in the chat open in the phone's in-app browser."""
    emulator.add_friend(user_id)
    emulator.write(user_id, url)
    page.goto(f"{emulator.url}/phone/{user_id}#chat")
    page.get_by_role("link", name=url).last.click()
    return page.frame_locator("#browser-page iframe")


def frame_of(page: Page, inside: FrameLocator) -> Frame:
    """Return the in-app browser's frame once it shows a page of the shop."""
    expect(inside.locator("p")).to_be_attached()
    return page.frames[-1]


def user_called(emulator: Emulator, name: str) -> str:
    """Return a LINE user id."""
    return next(str(user["user_id"]) for user in emulator.users() if user["display_name"] == name)


def test_before_init_the_getters_say_so(page: Page, shop_url: str, emulator: Emulator) -> None:
    page.goto(f"{shop_url}/line/liff")
    assert call(page, "liff.getIDToken()")["code"] == "INVALID_CONFIG"
    assert call(page, "liff.isLoggedIn()")["code"] == "INVALID_CONFIG"
    assert call(page, "liff.init({})")["code"] == "INVALID_CONFIG"
    assert call(page, "liff.id") == {"value": None}
    assert call(page, "[liff.isInClient(), liff.getOS(), liff.getLineVersion()]") == {
        "value": [False, "web", None]
    }


def test_outside_line_one_starts_logged_out(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    page.goto(f"{shop_url}/line/liff")
    assert init(page, liff_id) == {"value": None}
    assert call(page, "liff.isLoggedIn()") == {"value": False}
    assert call(page, "liff.getContext().type") == {"value": "external"}
    assert call(page, "liff.getAccessToken()") == {"value": None}
    assert call(page, "liff.getProfile()")["code"] == "UNAUTHORIZED"


def test_an_unknown_liff_id_is_refused(page: Page, shop_url: str, emulator: Emulator) -> None:
    page.goto(f"{shop_url}/line/liff")
    assert init(page, "1650000001-Unknown0")["code"] == "404"


def test_login_from_an_ordinary_browser(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    assert log_in(page, shop_url, liff_id) == {"value": None}
    user_id = user_called(emulator, "佐藤 さくら")
    assert call(page, "liff.isLoggedIn()") == {"value": True}
    profile = call(page, "liff.getProfile()")["value"]
    assert (profile["userId"], profile["displayName"]) == (user_id, "佐藤 さくら")
    claims = call(page, "liff.getDecodedIDToken()")["value"]
    assert (claims["sub"], claims["aud"]) == (user_id, liff_id.split("-")[0])
    assert call(page, "liff.getFriendship()")["value"] == {"friendFlag": False}
    emulator.add_friend(user_id)
    assert call(page, "liff.getFriendship()")["value"] == {"friendFlag": True}


def test_a_login_survives_a_reload_and_ends_with_logout(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    log_in(page, shop_url, liff_id)
    page.goto(f"{shop_url}/line/liff/orders")
    assert init(page, liff_id) == {"value": None}
    assert call(page, "liff.isLoggedIn()") == {"value": True}
    call(page, "liff.logout()")
    assert call(page, "liff.isLoggedIn()") == {"value": False}
    assert page.evaluate("Object.keys(localStorage)") == []


def test_init_can_log_in_by_itself(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    page.goto(f"{shop_url}/line/liff")
    page.evaluate(f"void liff.init({{ liffId: '{liff_id}', withLoginOnExternalBrowser: true }})")
    log_in_at_line(page, "鈴木 健太")
    page.wait_for_url(f"{shop_url}/line/liff?**")
    init(page, liff_id)
    assert call(page, "liff.getProfile()")["value"]["displayName"] == "鈴木 健太"


def test_a_refused_consent_fails_init(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    page.goto(f"{shop_url}/line/liff")
    init(page, liff_id)
    page.evaluate("liff.login()")
    log_in_at_line(page, "佐藤 さくら", allow=False)
    page.wait_for_url(f"{shop_url}/**")
    error = init(page, liff_id)
    assert error["code"] == "INIT_FAILED"
    assert "access_denied" in error["message"].lower()


def test_an_id_token_for_another_channel_is_refused(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    emulator.fault(id_token={"aud": "1650000009"}, times=1)
    error = log_in(page, shop_url, liff_id)
    assert error == {"code": "INVALID_ID_TOKEN", "message": 'Invalid "aud" value in ID_TOKEN'}
    # As with LINE's own SDK: the tokens are kept, the claims are not.
    assert call(page, "[liff.isLoggedIn(), liff.getDecodedIDToken()]") == {"value": [True, None]}


@pytest.mark.parametrize(
    ("rest", "lands_on"),
    [
        ("", "/line/liff"),
        ("/orders?from=chat", "/line/liff/orders?from=chat"),
        ("/orders/", "/line/liff/orders/"),
        ("?card=1", "/line/liff?card=1"),
        ("/orders?name=%E8%8C%B6", "/line/liff/orders?name=%E8%8C%B6"),
    ],
)
def test_a_liff_url_leads_to_the_page_it_names(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator, rest: str, lands_on: str
) -> None:
    page.goto(f"{emulator.url}/{liff_id}{rest}")
    # The primary page's `init` leaves for the secondary one and never settles.
    page.evaluate(f"void liff.init({{ liffId: '{liff_id}' }})")
    page.wait_for_url(shop_url + lands_on)


def test_in_the_phone_one_is_logged_in_at_once(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    user_id = user_called(emulator, "高橋 陽子")
    inside = open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}")
    frame = frame_of(page, inside)
    assert init(frame, liff_id) == {"value": None}
    assert call(frame, "[liff.isInClient(), liff.isLoggedIn()]") == {"value": [True, True]}
    assert call(frame, "liff.getDecodedIDToken().sub") == {"value": user_id}
    assert call(frame, "liff.getContext().userId") == {"value": user_id}
    assert frame.evaluate("location.hash") == ""
    expect(page.locator("#browser-title")).to_have_text("会員証")
    frame.goto(f"{shop_url}/elsewhere")
    expect(page.locator("#browser-title")).to_be_empty()


def test_in_the_phone_the_second_page_is_in_client_too(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    user_id = user_called(emulator, "佐藤 さくら")
    inside = open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}/orders?a=1#b")
    frame = frame_of(page, inside)
    frame.evaluate(f"void liff.init({{ liffId: '{liff_id}' }})")
    frame.wait_for_url(f"{shop_url}/line/liff/orders?a=1#b")
    assert init(frame, liff_id) == {"value": None}
    assert call(frame, "[liff.isInClient(), liff.isLoggedIn()]") == {"value": [True, True]}


def test_another_window_of_the_phone_starts_anew(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    user_id = user_called(emulator, "佐藤 さくら")
    inside = open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}")
    assert init(frame_of(page, inside), liff_id) == {"value": None}
    page.get_by_role("button", name="閉じる").click()
    inside = open_in_phone(page, emulator, user_id, f"{shop_url}/elsewhere")
    assert call(frame_of(page, inside), "liff.isInClient()") == {"value": False}


def test_forged_credentials_fail_init(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    forged = "access_token=forged&context_token=e30.e30.x&feature_token=f&client_id=1"
    page.goto(f"{shop_url}/line/liff#{forged}")
    assert init(page, liff_id)["code"] == "invalid_request"


def test_close_window_closes_the_sheet(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    user_id = user_called(emulator, "佐藤 さくら")
    frame = frame_of(page, open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}"))
    frame.evaluate("liff.closeWindow()")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("is_revoked", [True, False])
def test_I9_closing_the_window_revokes_the_token(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator, is_revoked: bool
) -> None:
    emulator.set_up(liff_apps=[{"liff_id": liff_id, "revokes_on_close": is_revoked}])
    user_id = user_called(emulator, "佐藤 さくら")
    tokens = []
    for _ in range(2):
        frame = frame_of(page, open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}"))
        init(frame, liff_id)
        tokens.append(call(frame, "liff.getAccessToken()")["value"])
        assert call(frame, "liff.getProfile()")["value"]["userId"] == user_id
        with page.expect_response("**/close-liff"):
            frame.evaluate("liff.closeWindow()")
    answers = [
        page.request.get(f"{emulator.url}/oauth2/v2.1/verify?access_token={token}")
        for token in tokens
    ]
    assert [answer.ok for answer in answers] == [not is_revoked] * 2
    if is_revoked:
        assert answers[0].json()["error_description"] == "The access token revoked"


def test_sharing_from_the_phone(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    emulator.set_up(liff_apps=[{"liff_id": liff_id, "has_share_target_picker": True}])
    user_id = user_called(emulator, "佐藤 さくら")
    frame = frame_of(page, open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}"))
    init(frame, liff_id)
    with page.expect_popup() as opening:
        frame.evaluate(
            "window.shared = liff.shareTargetPicker([{ type: 'text', text: 'どうぞ' }]); 0"
        )
    opening.value.get_by_label("こもれび堂").check()
    opening.value.get_by_role("button", name="送信").click()
    assert frame.evaluate("shared") == {"status": "success"}
    expect(page.locator("#messages")).to_contain_text("どうぞ")


def test_open_window_opens_the_in_app_browser(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    user_id = user_called(emulator, "佐藤 さくら")
    inside = open_in_phone(page, emulator, user_id, f"{emulator.url}/{liff_id}")
    frame = frame_of(page, inside)
    init(frame, liff_id)
    assert call(frame, "liff.openWindow({})")["code"] == "INVALID_ARGUMENT"
    frame.evaluate(f"liff.openWindow({{ url: '{shop_url}/line/liff/from-here' }})")
    expect(inside.locator("p")).to_have_text("from-here")


def test_permanent_links(page: Page, shop_url: str, liff_id: str, emulator: Emulator) -> None:
    page.goto(f"{shop_url}/line/liff")
    init(page, liff_id)
    link = "liff.permanentLink.createUrlBy"
    below = call(page, f"{link}('{shop_url}/line/liff/orders?a=1&liff.x=2')")
    assert below == {"value": f"{emulator.url}/{liff_id}/orders?a=1"}
    outside = call(page, f"{link}('{shop_url}/elsewhere')")
    assert outside["code"] == "INVALID_ARGUMENT"


def test_permissions_follow_the_granted_scope(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    log_in(page, shop_url, liff_id)
    assert call(page, "liff.permission.query('profile')") == {"value": {"state": "granted"}}
    assert call(page, "liff.permission.query('camera')")["code"] == "INVALID_ARGUMENT"
    assert "openid" in call(page, "liff.permission.getGrantedAll()")["value"]


def test_sending_needs_the_permission(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    log_in(page, shop_url, liff_id)
    assert call(page, "liff.sendMessages('hello')")["code"] == "FORBIDDEN"
    assert call(page, "liff.sendMessages([])")["code"] == "FORBIDDEN"


def test_a_plugin_gets_the_hooks(
    page: Page, shop_url: str, liff_id: str, emulator: Emulator
) -> None:
    page.goto(f"{shop_url}/line/liff")
    page.evaluate("""
      window.heard = [];
      liff.use({ name: 'ear', install({ hooks }) {
        hooks.init.before(() => heard.push('before'));
        hooks.init.after(() => heard.push('after'));
        return { listens: true };
      } });
    """)
    init(page, liff_id)
    assert page.evaluate("[...heard, liff.$ear.listens]") == ["before", "after", True]
