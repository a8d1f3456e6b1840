"""Journey 8: the card at the counter, on small and dark phones, in two windows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from playwright.sync_api import Response
from playwright.sync_api import Route
from playwright.sync_api import expect

from demo_shop.seed import STAFF
from tests.emulator.liff_sdk.conftest import real_sdk as real_sdk
from tests.serving.routes import ask

from .cards import CARD
from .cards import LINE_APP
from .cards import SDK
from .cards import add_member
from .cards import buy
from .cards import open_in_line
from .cards import open_outside
from .cards import read_codes
from .cards import unlink
from .conftest import Open
from .conftest import Shoot
from .conftest import Street
from .people import log_in_to_shop


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
    expect(phone.locator(".lc-code-bars svg")).to_be_visible()
    assert not any("/liff/session" in url for url in asked)


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
        answers.append(ask(asked[number]))
        if number == 0:
            phone.evaluate("document.dispatchEvent(new Event('lc-points-changed'))")
            expect(show).to_be_enabled()
    # The first tap's answer, after the points were taken: it is worth nothing any more.
    with phone.expect_event("requestfinished"):
        answers[0].fulfill(asked[0])
    phone.wait_for_timeout(300)
    expect(code).to_have_count(0)
    expect(show).to_be_disabled()
    answers[1].fulfill(asked[1])
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


def test_a_pull_that_the_system_takes_away_leaves_the_card_in_its_place(
    street: Street, open_browser: Open
) -> None:
    member = add_member(street, "電話がかかってきた人")
    phone = open_browser(**LINE_APP)
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    phone.wait_for_timeout(500)
    main = phone.locator("main")
    before = main.bounding_box()
    touch = phone.context.new_cdp_session(phone)
    for kind, y in (("Start", 100), ("Move", 130), ("Move", 160)):
        points = [{"x": 150, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(main).to_have_attribute("style", re.compile(r"--lc-pulled: [1-9]"))
    touch.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    expect(main).to_have_attribute("style", re.compile(r"--lc-pulled: 0px"))
    phone.wait_for_timeout(300)  # It slides.
    assert main.bounding_box() == before


def test_the_card_says_nothing_to_the_console(street: Street, open_browser: Open) -> None:
    member = add_member(street, "しずかな人")
    # Playwright says so itself where it blocks workers.
    phone = open_browser(**{**LINE_APP, "service_workers": "allow"})
    said: list[str] = []
    phone.on("console", lambda one: said.append(f"{one.type}: {one.text}"))
    phone.on("pageerror", lambda error: said.append(str(error)))
    with phone.expect_response("**/pay.js"):
        open_in_line(phone, street, member)
    # Drawn by a script, with news, looked at again, and drawn by the server.
    buy(street, member, 1_100)
    expect(phone.locator(".lc-balance strong")).to_have_text("131")
    with phone.expect_response(f"{street.shop}{CARD}"):
        phone.get_by_role("link", name="最新の状態にする").click()
    with phone.expect_response("**/pay.js"):
        phone.reload()
    buy(street, member, 1_200)
    expect(phone.locator(".lc-balance strong")).to_have_text("143")
    phone.get_by_role("button", name="お支払い用のコードを表示する").click()
    expect(phone.locator("#pay .lc-code-qr")).to_be_visible()
    assert said == []


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
        open_outside(first, street, before.name)
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
    open_outside(first, street, before.name)
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


def test_a_phone_of_2022_shows_the_card_in_its_colours(
    street: Street, open_browser: Open, shoot: Shoot
) -> None:
    member = add_member(street, "ふるい電話の人")
    phone = open_browser(**LINE_APP)
    # What Chrome before 103 and 111, and Safari before 16 and 16.2, do not know.
    phone.add_init_script("delete AbortSignal.timeout;")

    def forget_mixing(route: Route) -> None:
        answer = ask(route)
        answer.body = answer.body.replace(b"color-mix(", b"no-such-mix(")
        answer.fulfill(route)

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
