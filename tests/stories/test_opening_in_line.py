"""How a page inside LINE opens: by LINE's word alone, with either SDK, wherever it is opened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.emulator.liff_sdk.conftest import lead_to_emulator
from tests.emulator.liff_sdk.conftest import real_sdk as real_sdk
from tests.serving.routes import ask

from .cards import CARD
from .cards import LINE_APP
from .cards import SDK
from .cards import Member
from .cards import add_member
from .cards import liff_url
from .cards import open_in_line
from .cards import open_outside
from .cards import phone_link
from .cards import read_codes
from .conftest import Open
from .conftest import Shoot
from .conftest import Street
from .people import log_in_at_line


def test_a_first_visit_is_one_exchange_which_brings_the_card(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "はじめての人")
    phone = open_browser(**LINE_APP)
    complaints: list[str] = []
    phone.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    phone.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    assert sum(url.endswith("/liff/session") for url in asked) == 1
    assert asked.count(f"{street.shop}{CARD}") == 1
    expect(phone).to_have_title("ポイントカード | こもれび堂")
    expect(phone.get_by_role("heading", level=1)).to_be_focused()
    shoot(phone, "drawn")
    # It is as good as one that was opened.
    assert phone.url == f"{street.shop}{CARD}"
    phone.get_by_role("button", name="お支払い用のコードを表示する").click()
    expect(phone.locator("#pay .lc-code-qr")).to_be_visible()
    phone.reload()
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)
    assert sum(url.endswith("/liff/session") for url in asked) == 1
    assert complaints == []


def test_a_session_whose_cookie_never_stays_is_begun_anew_once(
    street: Street, open_browser: Open
) -> None:
    """A shop that keeps too much in its session: browsers drop cookies above 4 kB."""
    member = add_member(street, "クッキーの残らない人")
    phone = open_browser(**LINE_APP)

    def drop_session(route: Route) -> None:
        before: list[Any] = phone.context.cookies()
        answer = ask(route)
        phone.context.clear_cookies(name="session")
        phone.context.add_cookies([one for one in before if one["name"] == "session"])
        lines = answer.headers.pop("set-cookie", "").splitlines()
        kept = [one for one in lines if not one.startswith("session=")]
        answer.headers["set-cookie"] = "\n".join(kept)
        answer.fulfill(route)

    phone.context.route("**/liff/session", drop_session)
    asked: list[str] = []
    phone.on(
        "response", lambda answer: asked.append(f"{answer.status} {urlsplit(answer.url).path}")
    )
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    for _look in range(300):
        # The first of them reload the page, the others leave it as it is.
        if asked.count("401 /line/liff/changes") >= 6:
            break
        phone.wait_for_timeout(100)
    phone.wait_for_timeout(6_000)
    assert asked.count("200 /line/liff/session") == 2
    assert asked.count("401 /line/liff/changes") == 6
    assert read_codes(phone.locator(".lc-codes").screenshot())["EAN-13"] == member.card_number


def test_S11_what_is_drawn_in_place_runs_what_its_page_allowed_and_nothing_else(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "うめこまれた人")
    phone = open_browser(**LINE_APP)
    foreign = "ImageOfAForeignNonce"

    def plant(route: Route) -> None:
        answer = ask(route)
        body = json.loads(answer.body)
        nonce = body["nonce"]
        body["page"] = (
            body["page"]
            .replace(
                "</head>",
                f'<style nonce="{nonce}">.lc-brand {{ color: rgb(1, 2, 3) }}</style>'
                f'<script nonce="{nonce}">window.allowed = true</script>'
                f'<script nonce="{foreign}">window.planted = true</script>'
                f'<noscript><style nonce="{nonce}">.lc-brand {{ color: red }}</style></noscript>'
                "</head>",
            )
            .replace(
                "</main>",
                f'<script nonce="{nonce}">window.allowedBelow = true</script>'
                "<script>window.planted = true</script></main>",
            )
        )
        answer.body = json.dumps(body).encode()
        answer.fulfill(route)

    phone.context.route("**/liff/session", plant)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    expect(phone.locator(".lc-brand").first).to_have_css("color", "rgb(1, 2, 3)")
    found = phone.evaluate("[window.allowed, window.allowedBelow, window.planted]")
    assert found == [True, True, None]


def test_a_token_that_expired_while_the_page_was_open_asks_to_open_it_again(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "一時間あとの人")
    phone = open_browser(**LINE_APP)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    phone.context.clear_cookies()
    # The shop's answer to an expired token; its own check is tested with the exchange.
    refused = '{"message": "", "step": "exp"}'
    phone.context.route(
        "**/liff/session",
        lambda route: route.fulfill(status=401, body=refused, content_type="application/json"),
    )
    phone.reload()
    expect(phone.get_by_role("alert")).to_contain_text("有効期限が切れました")
    shoot(phone, "expired")


@pytest.mark.parametrize("in_app", [True, False])
def test_an_hour_later_the_token_that_the_sdk_kept_is_not_sent_any_more(
    street: Street, open_browser: Open, in_app: bool
) -> None:
    member = add_member(street, f"二時間あとの人{in_app}")
    phone = open_browser(**(LINE_APP if in_app else {}))
    if in_app:
        open_in_line(phone, street, member)
    else:
        open_outside(phone, street, member.name)
    expect(phone.locator("#card")).to_be_visible()
    phone.context.clear_cookies(name="session")
    phone.clock.set_system_time(datetime.now(UTC) + timedelta(hours=2))
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    if in_app:
        phone.reload()
        # LINE gives a new one to a new window only.
        expect(phone.get_by_role("alert")).to_contain_text("有効期限が切れました")
    else:
        with phone.expect_request("**/liff/v1/authorize?*"):
            # The page may leave for LINE before it has come in whole.
            phone.reload(wait_until="commit")
    assert not any("/liff/session" in url for url in asked)


@pytest.mark.parametrize("is_real", [True, False], ids=["line's-sdk", "stand-in"])
def test_a_mini_app_that_may_ask_for_the_id_token_alone_is_enough(
    street: Street, open_browser: Open, request: pytest.FixtureRequest, is_real: bool
) -> None:
    member = add_member(street, f"ミニアプリの人{is_real}")
    newcomer = street.line.add_user(f"ミニアプリではじめる人{is_real}")
    with _scope(street, "openid"):
        phone = open_browser(**LINE_APP)
        if is_real:
            _use_real_sdk(phone, street, request)
        open_in_line(phone, street, member)
        expect(phone.locator("#card")).to_contain_text(member.name)
        phone = open_browser(**LINE_APP)
        phone.goto(phone_link(street, newcomer))
        # LINE says no name, so the form asks for it.
        expect(phone.get_by_role("heading", name="会員登録が完了します")).to_be_visible()
        expect(phone.get_by_label("お名前")).to_have_value("")


@contextmanager
def _scope(street: Street, *scope: str) -> Iterator[None]:
    """Let the LIFF app ask for so much and no more."""
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    for scopes in (scope, ("openid", "profile", "email")):
        app = {"liff_id": liff_id, "endpoint_url": f"{street.shop}{CARD}", "scope": list(scopes)}
        street.line.set_up(liff_apps=[app])
        if scopes == scope:
            yield


def _use_real_sdk(
    phone: Page, street: Street, request: pytest.FixtureRequest, *, has_app: bool = True
) -> None:
    """Give LINE's own SDK to the pages of a browser, and LINE's app around it."""
    script = request.getfixturevalue("real_sdk")
    lead_to_emulator(phone.context, street.line.url, script)
    phone.context.route(
        SDK, lambda route: route.fulfill(body=script, content_type="text/javascript")
    )
    if has_app:
        phone.add_init_script("window._liff = { features: [], postMessage() {} };")


def test_inside_line_another_try_succeeds_when_the_sdk_did_not_come(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "SDKが届かない人")
    phone = open_browser(**LINE_APP)
    phone.context.route(SDK, lambda route: route.abort())
    open_in_line(phone, street, member)
    expect(phone.get_by_role("alert")).to_contain_text("読み込めませんでした")
    phone.context.unroute(SDK)
    phone.get_by_role("button", name="もう一度ためす").click()
    expect(phone.locator("#card")).to_contain_text(member.name)


def _handed_over(street: Street, member: Member) -> str:
    """Return the fragment that LINE's app gives to a member's own window."""
    browser = street.line.browser(member.line_user_id)
    return urlsplit(browser.open_in_app(liff_url(street))).fragment


@pytest.mark.parametrize("browser_options", [{}, LINE_APP], ids=["browser", "in-app"])
@pytest.mark.parametrize("is_whole", [True, False], ids=["all", "id-token"])
def test_S5_1_a_token_planted_in_a_link_logs_nobody_in(
    street: Street, open_browser: Open, browser_options: dict[str, Any], is_whole: bool
) -> None:
    attacker = add_member(street, f"うえる人{len(browser_options)}{is_whole}")
    planted = _handed_over(street, attacker)
    if not is_whole:
        planted = f"id_token={parse_qs(planted)['id_token'][0]}"
    phone = open_browser(**browser_options)
    phone.context.route(SDK, lambda route: route.abort())
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{street.shop}{CARD}#{planted}")
    expect(phone.get_by_role("alert")).to_contain_text("読み込めませんでした")
    assert not any("/liff/session" in url for url in asked)
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator("#card")).to_have_count(0)


@pytest.mark.parametrize("app", [" LIFF", ""], ids=["liff", "plain"])
def test_S5_1_lines_own_sdk_believes_no_link_outside_its_windows(
    street: Street, open_browser: Open, request: pytest.FixtureRequest, app: str
) -> None:
    planted = _handed_over(street, add_member(street, f"本物にうえる人{app}"))
    agent = LINE_APP["user_agent"].replace(" LIFF", app)
    phone = open_browser(user_agent=agent, service_workers="block")
    _use_real_sdk(phone, street, request, has_app=False)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{street.shop}{CARD}#{planted}", wait_until="commit")
    phone.wait_for_timeout(3_000)
    assert any(SDK.search(url) for url in asked)
    assert not any("/liff/session" in url for url in asked)


def test_S5_1_outside_line_a_planted_token_leads_to_lines_login(
    street: Street, open_browser: Open
) -> None:
    phone = open_browser()
    # The emulator's SDK takes whole credentials for its app's; LINE's own one looks at the browser.
    planted = parse_qs(_handed_over(street, add_member(street, "うえる人")))["id_token"][0]
    phone.goto(f"{street.shop}{CARD}#id_token={planted}")
    phone.wait_for_url(f"{street.line.url}/**")
    assert "id_token" not in phone.url


def test_S5_1_no_credentials_go_along_to_registration(street: Street, open_browser: Open) -> None:
    name = "はじめて登録する人"
    phone = open_browser(**LINE_APP)
    phone.goto(phone_link(street, street.line.add_user(name)))
    expect(phone.get_by_role("heading", name="会員登録が完了します")).to_be_visible()
    assert phone.url == f"{street.shop}{CARD}/sign-up"
    # Nor do they wait behind the back button.
    assert "_token=" not in phone.evaluate("navigation.entries().map((one) => one.url).join()")


def test_S5_1_what_somebody_else_planted_leaves_the_address(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "ひらきなおす人")
    phone = open_browser()
    open_outside(phone, street, member.name)
    phone.context.clear_cookies(name="session")
    phone.goto("about:blank")
    phone.goto(f"{street.shop}{CARD}#id_token=of-somebody-else")
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)
    assert phone.url == f"{street.shop}{CARD}"


def test_outside_line_it_says_what_to_do_without_the_sdk(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    phone = open_browser()
    phone.context.route(SDK, lambda route: route.abort())
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.get_by_role("alert")).to_contain_text("読み込めませんでした")
    shoot(phone, "no-sdk")
    phone.context.unroute(SDK)
    phone.get_by_role("button", name="もう一度ためす").click()
    phone.wait_for_url(f"{street.line.url}/**")


def test_a_slow_network_shows_the_cards_shape_at_once(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "おそい人")
    phone = open_browser(**LINE_APP)
    held: list[Route] = []
    phone.context.route("**/liff/session", lambda route: held.append(route))
    with phone.context.expect_event("request", lambda one: one.url.endswith("/liff/session")):
        open_in_line(phone, street, member)
    expect(phone.locator(".lc-ghost").first).to_be_visible()
    shoot(phone, "opening")
    held[0].continue_()
    expect(phone.locator("#card")).to_be_visible()


def test_without_javascript_there_is_a_plain_card(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "スクリプトなしの人")
    phone = open_browser(java_script_enabled=False)
    phone.goto(f"{street.shop}{CARD}?from=flyer")
    phone.get_by_role("link", name="LINEでログイン").click()
    log_in_at_line(phone, member.name, add_friend=False)
    phone.get_by_role("link", name="追加しないで進む").click()
    expect(phone).to_have_url(f"{street.shop}{CARD}?from=flyer")
    shoot(phone, "no-script")
    assert read_codes(phone.locator(".lc-codes").screenshot())["EAN-13"] == member.card_number
    phone.get_by_role("button", name="お支払い用のコードを表示する").click()
    assert len(read_codes(phone.locator(".lc-codes").screenshot())["QR Code"]) == 26


def test_a_desk_offers_the_phone_and_keeps_path_and_query(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "机の人")
    desk = open_browser(viewport={"width": 1280, "height": 800}, has_touch=False)
    desk.goto(f"{street.shop}{CARD}/points?page=2")
    qr = desk.get_by_role("img", name="このページをLINEで開くQRコード")
    expect(qr).to_be_visible()
    expect(desk.get_by_role("button", name="LINEでログイン")).to_be_visible()
    shoot(desk, "desk")
    assert read_codes(qr.screenshot()) == {"QR Code": f"{liff_url(street)}/points?page=2"}
    desk.get_by_role("button", name="LINEでログイン").click()
    log_in_at_line(desk, member.name, add_friend=False)
    expect(desk.get_by_role("heading", name="ポイントの履歴")).to_be_visible()
    assert desk.url == f"{street.shop}{CARD}/points?page=2"


@pytest.mark.parametrize("in_app", [True, False])
def test_lines_own_sdk_opens_the_card_inside_line_and_outside(
    street: Street, open_browser: Open, request: pytest.FixtureRequest, in_app: bool
) -> None:
    member = add_member(street, f"本物のSDKの人{in_app}")
    phone = open_browser(**(LINE_APP if in_app else {}))
    _use_real_sdk(phone, street, request)
    if in_app:
        open_in_line(phone, street, member)
        expect(phone.locator("#card")).to_contain_text(member.name)
    else:
        open_outside(phone, street, member.name)
    phone.get_by_role("link", name="ポイントの履歴").click()
    expect(phone.locator(".lc-changes li")).to_have_count(1)


@pytest.mark.parametrize("in_app", [True, False])
def test_lines_own_sdk_has_its_context_on_every_page(
    street: Street, open_browser: Open, request: pytest.FixtureRequest, in_app: bool
) -> None:
    """The SDK fetches it once, after the login: nothing of ours may leave the page before."""
    member = add_member(street, f"履歴からひらく人{in_app}")
    phone = open_browser(**(LINE_APP if in_app else {}))
    _use_real_sdk(phone, street, request, has_app=in_app)

    def answer_late(route: Route) -> None:
        time.sleep(0.5)
        route.fallback()

    phone.context.route("**/contextToken", answer_late)
    if in_app:
        open_in_line(phone, street, member, "/points")
    else:
        phone.goto(f"{street.shop}{CARD}/points")
        log_in_at_line(phone, member.name, add_friend=False)
    expect(phone.locator(".lc-changes li")).to_have_count(1)
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    store = "sessionStorage" if in_app else "localStorage"
    context = phone.evaluate(f"{store}.getItem('LIFF_STORE:{liff_id}:context')")
    assert context
    assert member.line_user_id in context
