"""Journey 8: the card at the counter, on small and dark phones, in bad networks, in two windows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page
from playwright.sync_api import Response
from playwright.sync_api import Route
from playwright.sync_api import expect

from demo_shop.seed import STAFF
from tests.emulator.liff_sdk.conftest import lead_to_emulator
from tests.emulator.liff_sdk.conftest import real_sdk as real_sdk

from .cards import CARD
from .cards import LINE_APP
from .cards import Member
from .cards import add_member
from .cards import buy
from .cards import open_in_line
from .cards import read_codes
from .cards import unlink
from .conftest import Street
from .people import log_in_to_shop

pytestmark = pytest.mark.xdist_group("liff")

Open = Callable[..., Page]
Shoot = Callable[..., None]
SDK = re.compile(r"/liff/edge/2/sdk\.js$")


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(320, 568, "light"), (390, 844, "dark"), (430, 932, "light")]
)
def test_a_scanner_reads_the_card_on_every_phone(
    street: Street, open_browser: Open, shoot: Shoot, width: int, height: int, scheme: str
) -> None:
    member = add_member(street, f"読まれる人{width}")
    phone = open_browser(
        **LINE_APP,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
    )
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-code-bars svg")).to_be_visible()
    # Without scrolling: there is a queue behind the customer.
    assert phone.locator(".lc-code-bars").bounding_box()["y"] < height * 0.7  # type: ignore[index]
    read = read_codes(phone.locator(".lc-codes").screenshot())
    assert read == {"EAN-13": member.card_number, "QR Code": member.card_number}
    shoot(phone, f"{width}-{scheme}")


def test_a_returning_customer_sees_the_card_without_the_sdk(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "またきた人")
    phone = open_browser(**LINE_APP)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    phone.context.route(SDK, lambda route: None)  # It never answers.
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{street.shop}{CARD}", wait_until="commit")
    expect(phone.locator(".lc-code-bars svg")).to_be_visible(timeout=3_000)
    assert not any("/liff/session" in url for url in asked)


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
        answer = route.fetch()
        phone.context.clear_cookies(name="session")
        phone.context.add_cookies([one for one in before if one["name"] == "session"])
        headers = dict(answer.headers)
        lines = headers.pop("set-cookie", "").splitlines()
        headers["set-cookie"] = "\n".join(one for one in lines if not one.startswith("session="))
        route.fulfill(response=answer, headers=headers)

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
        answer = route.fetch()
        body = answer.json()
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
        route.fulfill(response=answer, json=body)

    phone.context.route("**/liff/session", plant)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    expect(phone.locator(".lc-brand").first).to_have_css("color", "rgb(1, 2, 3)")
    found = phone.evaluate("[window.allowed, window.allowedBelow, window.planted]")
    assert found == [True, True, None]


def test_points_from_the_counter_appear_by_themselves(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "まつ人")
    # Two windows: the second one gets no stream of its own and asks.
    phones = [open_browser(**LINE_APP) for _window in range(2)]
    for phone in phones:
        open_in_line(phone, street, member)
        expect(phone.locator(".lc-balance strong")).to_have_text("120")
        phone.evaluate("window.isSamePage = true")
    buy(street, member, 3_200)
    for phone in phones:
        expect(phone.locator(".lc-balance strong")).to_have_text("152")
        expect(phone.locator("#news")).to_contain_text("更新しました")
        assert phone.evaluate("window.isSamePage")
    shoot(phones[0], "updated")


def test_news_that_could_not_be_fetched_are_fetched_later(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "とぎれる人")
    phone = open_browser(**LINE_APP)
    with phone.expect_response(lambda answer: "/liff/changes" in answer.url):
        open_in_line(phone, street, member)
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if route.request.resource_type != "fetch" or lost:
            return route.continue_()
        lost.append(route.request.url)
        return route.abort()

    phone.context.route(f"{street.shop}{CARD}", lose_first)
    buy(street, member, 1_000)
    expect(phone.locator(".lc-balance strong")).to_have_text("130")
    assert len(lost) == 1
    # And it hears of the next ones as well.
    buy(street, member, 2_000)
    expect(phone.locator(".lc-balance strong")).to_have_text("150")


def test_the_code_that_pays_is_read_once(street: Street, open_browser: Open, shoot: Shoot) -> None:
    member = add_member(street, "ポイントで払う人")
    phone = open_browser(**LINE_APP)
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    phone.wait_for_timeout(500)  # A faster tap gets the code on a page of its own.
    phone.get_by_role("button", name="お支払い用のコードを表示する").click()
    expect(phone.locator("#pay .lc-code-qr")).to_be_visible()
    expect(phone.locator("[data-left]")).to_contain_text("秒で新しいコード")
    shoot(phone, "code")
    code = read_codes(phone.locator("#pay [data-code]").screenshot())["QR Code"]
    staff = open_browser()
    log_in_to_shop(staff, street, *STAFF)
    _pay(staff, street, code)
    expect(staff.get_by_role("status")).to_contain_text("残高は70ポイント")
    expect(phone.locator(".lc-balance strong")).to_have_text("70")
    expect(phone.locator("#pay .lc-code-qr")).to_have_count(0)
    _pay(staff, street, code)
    expect(staff.get_by_role("alert")).to_contain_text("使えません")


def test_a_code_that_comes_too_late_is_not_shown(street: Street, open_browser: Open) -> None:
    member = add_member(street, "いそぐ人")
    phone = open_browser(**LINE_APP)
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    phone.wait_for_timeout(500)
    asked: list[Route] = []
    phone.context.route("**/liff/code", lambda route: asked.append(route))
    show = phone.get_by_role("button", name="お支払い用のコードを表示する")
    code = phone.locator("#pay .lc-code-qr")
    answers = []
    for number in range(2):
        with phone.expect_request("**/liff/code"):
            show.click()
        expect(show).to_be_disabled()
        answers.append(asked[number].fetch())
        if number == 0:
            phone.evaluate("document.dispatchEvent(new Event('lc-points-changed'))")
            expect(show).to_be_enabled()
    # The first tap's answer, after the points were taken: it is worth nothing any more.
    with phone.expect_event("requestfinished"):
        asked[0].fulfill(response=answers[0])
    phone.wait_for_timeout(300)
    expect(code).to_have_count(0)
    expect(show).to_be_disabled()
    asked[1].fulfill(response=answers[1])
    expect(code).to_be_visible()


def test_a_code_that_never_comes_gives_the_button_back(street: Street, open_browser: Open) -> None:
    member = add_member(street, "電波のない人")
    phone = open_browser(**LINE_APP)
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    phone.wait_for_timeout(500)
    phone.context.route("**/liff/code", lambda route: None)
    show = phone.get_by_role("button", name="お支払い用のコードを表示する")
    show.click()
    expect(show).to_be_disabled()
    expect(phone.locator("#pay [role=status]")).to_contain_text("コードを表示できませんでした")
    expect(show).to_be_enabled()


def _pay(staff: Page, street: Street, code: str) -> None:
    staff.goto(f"{street.shop}/counter/pay")
    staff.get_by_label("使うポイント").fill("50")
    staff.get_by_label("お支払い用のコード").fill(code)
    staff.get_by_role("button", name="ポイントを使う").click()


def test_a_pull_fetches_the_card_anew(street: Street, open_browser: Open) -> None:
    member = add_member(street, "ひっぱる人")
    phone = open_browser(**LINE_APP)
    phone.context.route("**/liff/changes*", lambda route: route.abort())
    # The card's scripts are at work when the last of them has come.
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    buy(street, member, 500)
    touch = phone.context.new_cdp_session(phone)
    for kind, y in (("Start", 100), ("Move", 160), ("Move", 260), ("End", None)):
        points = [] if y is None else [{"x": 150, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(phone.locator(".lc-balance strong")).to_have_text("125")


def test_a_card_that_was_pulled_goes_on_to_hear_of_points(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "ひっぱってまつ人")
    phone = open_browser(**LINE_APP)
    heard: list[tuple[str, int]] = []

    def note(answer: Response) -> None:
        if "/liff/changes" in answer.url:
            heard.append((answer.request.headers["accept"], answer.status))

    phone.on("response", note)
    with phone.expect_response(lambda answer: "/liff/changes" in answer.url):
        open_in_line(phone, street, member)
    # The server notices a second later that the first stream has nobody any more.
    with phone.expect_response(lambda answer: "/liff/changes" in answer.url):
        phone.get_by_role("link", name="最新の状態にする").click()
    phone.wait_for_timeout(7_000)
    assert heard[-1] == ("text/event-stream", 200)
    assert all(kind == "text/event-stream" for kind, _status in heard)
    buy(street, member, 700)
    expect(phone.locator(".lc-balance strong")).to_have_text("127")


def test_who_comes_back_to_an_open_card_sees_the_person_who_logged_in_beside_it(
    street: Street, open_browser: Open
) -> None:
    before, after = add_member(street, "ひとつめの窓の人"), add_member(street, "ふたつめの窓の人")
    first = open_browser()
    with first.expect_response("**/pay.js"):
        _open_outside(first, street, before.name)
    second = first.context.new_page()
    second.goto(f"{street.shop}/my-page")
    second.get_by_role("button", name="ログアウト").click()
    log_in_to_shop(second, street, after.email, "a password for tests")
    # As a browser says of a window that is looked at again; here all windows always are.
    first.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(first.locator(".lc-holder")).to_contain_text(after.name)
    assert read_codes(first.locator(".lc-codes").screenshot())["EAN-13"] == after.card_number


def test_a_card_that_nobody_comes_back_to_is_not_left_open_for_the_next_person(
    street: Street, open_browser: Open
) -> None:
    before, after = add_member(street, "席を立った人"), add_member(street, "つぎに座った人")
    first = open_browser()
    # Without a stream it asks, which here is sooner than the end of a stream.
    first.context.route(
        "**/liff/changes?*",
        lambda route: (
            route.fulfill(status=204)
            if "event-stream" in route.request.headers["accept"]
            else route.continue_()
        ),
    )
    _open_outside(first, street, before.name)
    second = first.context.new_page()
    second.goto(f"{street.shop}/my-page")
    second.get_by_role("button", name="ログアウト").click()
    log_in_to_shop(second, street, after.email, "a password for tests")
    expect(first.locator(".lc-holder")).to_contain_text(after.name)


def test_an_unlinked_member_loses_the_open_card(street: Street, open_browser: Open) -> None:
    member = add_member(street, "はずされる人")
    phone = open_browser(**LINE_APP)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_be_visible()
    unlink(street, member)
    expect(phone.locator("#card")).to_have_count(0)
    expect(phone.get_by_text(member.card_number[:4])).to_have_count(0)


def test_a_session_that_ended_while_the_card_was_open_is_begun_anew(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "ねむっていた人")
    phone = open_browser(**LINE_APP)
    phone.context.route("**/liff/changes*", lambda route: route.abort())
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    phone.wait_for_load_state("networkidle")
    phone.context.clear_cookies()
    show = phone.get_by_role("button", name="お支払い用のコードを表示する")
    # The SDK still has this window's token: the card comes back by itself, and the code on a tap,
    # as a page of its own if the tap is faster than the script.
    with phone.expect_response("**/liff/session"):
        show.click()
    show.click()
    expect(phone.locator(".lc-text")).to_be_visible()


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
        _open_outside(phone, street, member.name)
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
            phone.reload()
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
        query = urlencode({"url": f"{street.line.url}/{street.app.config['LINECONNECT_LIFF_ID']}"})
        phone.goto(f"{street.line.url}/phone/{newcomer}/open?{query}")
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
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    answer = requests.get(
        f"{street.line.url}/phone/{member.line_user_id}/open",
        params={"url": f"{street.line.url}/{liff_id}"},
        timeout=10,
        allow_redirects=False,
    )
    return urlsplit(answer.headers["Location"]).fragment


def test_a_phone_of_2022_shows_the_card_in_its_colours(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "ふるい電話の人")
    phone = open_browser(**LINE_APP)
    # What Chrome before 103 and 111, and Safari before 16 and 16.2, do not know.
    phone.add_init_script("delete AbortSignal.timeout;")

    def forget_mixing(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("color-mix(", "no-such-mix("))

    phone.context.route("**/*.css", forget_mixing)
    open_in_line(phone, street, member)
    expect(phone.locator("#card")).to_contain_text(member.name)
    shoot(phone, "old-phone")
    show = phone.get_by_role("button", name="お支払い用のコードを表示する")
    show.hover()
    for one in (phone.locator("#card"), show):
        expect(one).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    tint = "document.body.style.background = 'var(--lc-tint)'"
    phone.evaluate(tint)
    expect(phone.locator("body")).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")


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
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    query = urlencode({"url": f"{street.line.url}/{liff_id}"})
    phone.goto(f"{street.line.url}/phone/{street.line.add_user(name)}/open?{query}")
    expect(phone.get_by_role("heading", name="会員登録が完了します")).to_be_visible()
    assert phone.url == f"{street.shop}{CARD}/sign-up"
    # Nor do they wait behind the back button.
    assert "_token=" not in phone.evaluate("navigation.entries().map((one) => one.url).join()")


def test_S5_1_what_somebody_else_planted_leaves_the_address(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "ひらきなおす人")
    phone = open_browser()
    _open_outside(phone, street, member.name)
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
    open_in_line(phone, street, member)
    expect(phone.locator(".lc-ghost").first).to_be_visible()
    shoot(phone, "opening")
    held[0].continue_()
    expect(phone.locator("#card")).to_be_visible()


def test_the_back_button_leads_back_to_a_fresh_card(street: Street, open_browser: Open) -> None:
    member = add_member(street, "もどる人")
    phone = open_browser(**LINE_APP)
    open_in_line(phone, street, member)
    phone.get_by_role("link", name="ポイントの履歴").click()
    expect(phone.locator(".lc-changes li")).to_have_count(1)
    buy(street, member, 800)
    phone.go_back()
    expect(phone.locator(".lc-balance strong")).to_have_text("128")
    # Not to the opening page, which would ask LINE again.
    phone.go_back(wait_until="commit")
    expect(phone.locator("#opening")).to_have_count(0)


def test_without_javascript_there_is_a_plain_card(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "スクリプトなしの人")
    phone = open_browser(java_script_enabled=False)
    phone.goto(f"{street.shop}{CARD}?from=flyer")
    phone.get_by_role("link", name="LINEでログイン").click()
    phone.get_by_role("button", name=member.name).click()
    phone.get_by_role("button", name="許可する").click()
    phone.get_by_role("button", name="あとで").click()
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
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    assert read_codes(qr.screenshot()) == {"QR Code": f"{street.line.url}/{liff_id}/points?page=2"}
    desk.get_by_role("button", name="LINEでログイン").click()
    desk.get_by_role("button", name=member.name).click()
    desk.get_by_role("button", name="許可する").click()
    desk.get_by_role("button", name="あとで").click()
    expect(desk.get_by_role("heading", name="ポイントの履歴")).to_be_visible()
    assert desk.url == f"{street.shop}{CARD}/points?page=2"


def _open_outside(phone: Page, street: Street, name: str) -> None:
    """Open the card in an ordinary browser, and log in at LINE."""
    phone.goto(f"{street.shop}{CARD}")
    phone.get_by_role("button", name=name).click()
    phone.get_by_role("button", name="許可する").click()
    phone.get_by_role("button", name="あとで").click()
    expect(phone.locator("#card")).to_be_visible()


#: Playwright leaves the network of a service worker alone, so a page's own requests fail here.
OFFLINE = """
const online = window.fetch;
window.fetch = (...asked) => navigator.onLine ? online(...asked) : Promise.reject(new TypeError());
"""
_KEPT = "caches.open('lineconnect-card').then(async (c) => (await c.keys()).length)"


def _wait_for_kept(page: Page, count: int) -> None:
    for _look in range(100):
        if page.evaluate(_KEPT) == count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.evaluate(_KEPT)} cards are kept, not {count}")


def test_S5_5_the_last_card_is_there_offline_until_the_logout(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "地下のお店の人")
    phone = open_browser()
    phone.add_init_script(OFFLINE)
    _open_outside(phone, street, member.name)
    _wait_for_kept(phone, 1)
    # What the worker keeps is enough; the browser may throw away the rest at any time.
    phone.context.new_cdp_session(phone).send("Network.clearBrowserCache")
    phone.context.set_offline(True)
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator("#offline")).to_contain_text("オフラインです")
    assert read_codes(phone.locator(".lc-codes").screenshot())["EAN-13"] == member.card_number
    expect(phone.locator("#pay")).to_be_hidden()
    shoot(phone, "offline")
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.locator("#offline")).to_be_hidden()

    phone.goto(f"{street.shop}/my-page")
    phone.get_by_role("button", name="ログアウト").click()
    # This page knows nothing of the worker.
    _wait_for_kept(phone, 0)
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        phone.goto(f"{street.shop}{CARD}")


def test_S5_5_a_card_that_came_with_a_login_is_kept_as_well(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "またログインする人")
    phone = open_browser()
    phone.add_init_script(OFFLINE)
    _open_outside(phone, street, member.name)
    _wait_for_kept(phone, 1)
    for name in ("session", "lineconnect_card"):
        phone.context.clear_cookies(name=name)
    _wait_for_kept(phone, 0)
    # The SDK still has the token, and the worker is at work from the beginning.
    with phone.expect_response("**/liff/session"):
        phone.reload()
    _wait_for_kept(phone, 1)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("#offline")).to_contain_text("オフラインです")
    expect(phone.locator(".lc-holder")).to_contain_text(member.name)


def test_S5_5_another_person_never_sees_the_kept_card(street: Street, open_browser: Open) -> None:
    before, after = add_member(street, "さきの人"), add_member(street, "あとの人")
    phone = open_browser()
    _open_outside(phone, street, before.name)
    _wait_for_kept(phone, 1)
    # A login by the shop's own door, without a logout; then the network goes at once.
    phone.context.clear_cookies(name="session")
    log_in_to_shop(phone, street, after.email, "a password for tests")
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        phone.goto(f"{street.shop}{CARD}")
    phone.context.set_offline(False)
    phone.goto(f"{street.shop}{CARD}")
    _wait_for_kept(phone, 1)
    phone.context.set_offline(True)
    phone.goto(f"{street.shop}{CARD}")
    expect(phone.locator(".lc-holder")).to_contain_text(after.name)


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
        _open_outside(phone, street, member.name)
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
        phone.get_by_role("button", name=member.name).click()
        phone.get_by_role("button", name="許可する").click()
        phone.get_by_role("button", name="あとで").click()
    expect(phone.locator(".lc-changes li")).to_have_count(1)
    liff_id = street.app.config["LINECONNECT_LIFF_ID"]
    store = "sessionStorage" if in_app else "localStorage"
    context = phone.evaluate(f"{store}.getItem('LIFF_STORE:{liff_id}:context')")
    assert context
    assert member.line_user_id in context
