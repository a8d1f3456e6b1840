"""A click leads on at once and is written down once; what is not ours leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import text
from werkzeug.test import TestResponse

from flask_lineconnect.clicks import views
from flask_lineconnect.clicks import visitors
from flask_lineconnect.linking import unlinking
from flask_lineconnect.marketing.links.stored import KnownLinks
from flask_lineconnect.marketing.links.stored import LinkOwner
from flask_lineconnect.marketing.links.tracking import link_to
from flask_lineconnect.marketing.links.tracking import personal_address
from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import Click
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ResultCount
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.outbox import queue
from flask_lineconnect.outbox.queue import Wish
from flask_lineconnect.shop.categories import ACCOUNT
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import IN_APP
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import User
from tests.small_shop import db

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

TARGET = "https://shop.example/private?a=%E3%81%82&next=//evil.example#top"


def path_of(line: LineState, target: str = TARGET, **owner: Any) -> str:
    """Return the path of a new link."""
    address = link_to(line, target, LinkOwner(source="message", **owner), label="見る")
    line.session.commit()
    return address.removeprefix("https://shop.example")


def message_for(line: LineState, member: User, digit: str = "a") -> OutboxMessage:
    """Put a message for one person into the outbox."""
    account = link(line, member, digit)
    payloads = [{"type": "text", "text": "a"}]
    row = queue.enqueue(line.session, account, payloads, Wish(ACCOUNT), key=None, now=line.clock())
    line.session.commit()
    return row


def personal_path(line: LineState, member: User) -> str:
    """Return the path of a link in a message for one person."""
    found = read_address(line, path_of(line))
    assert found is not None
    address = personal_address(line, found[0], message_for(line, member).id)
    return address.removeprefix("https://shop.example")


def tap(client: FlaskClient, path: str, agent: str = IN_APP, **more: Any) -> TestResponse:
    """Open a path in LINE's in-app browser."""
    headers = {"User-Agent": agent, **more.pop("headers", {})}
    return client.open(path, headers=headers, **{"method": "GET", **more})


def clicks(line: LineState) -> list[Click]:
    """Return what is written down."""
    line.session.rollback()
    return list(line.session.scalars(select(Click).order_by(Click.id)))


def events(line: LineState) -> list[MemberEvent]:
    """Return what members did."""
    line.session.rollback()
    is_it = MemberEvent.name == "message.clicked"
    return list(line.session.scalars(select(MemberEvent).where(is_it)))


def counts(line: LineState) -> dict[str, tuple[int, int]]:
    """Return numbers by figure, and how much of each is forgotten."""
    line.session.rollback()
    rows = line.session.scalars(select(ResultCount))
    return {row.figure: (row.number, row.forgotten) for row in rows}


def test_one_redirect_to_the_rows_own_target(client: FlaskClient, line: LineState) -> None:
    answer = tap(client, path_of(line) + "?next=https://evil.example/&url=//evil.example")
    assert (answer.status_code, answer.location) == (302, TARGET)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.data == b""
    (click,) = clicks(line)
    assert (click.kind, click.member_id, click.message_id) == ("person", None, None)
    assert counts(line) == {"clicks": (1, 0)}


def test_targets_with_other_letters(client: FlaskClient, line: LineState) -> None:
    answer = tap(client, path_of(line, "https://日本.example:8443/お茶?q=濃い茶&r=%20#渋"))
    assert answer.location == (
        "https://xn--wgv71a.example:8443/%E3%81%8A%E8%8C%B6?q=%E6%BF%83%E3%81%84%E8%8C%B6&r=%20"
        "#%E6%B8%8B"
    )


@on_both
def test_a_personal_link_is_whose_message_it_was(client: FlaskClient, line: LineState) -> None:
    member = add_member(line)
    assert tap(client, personal_path(line, member)).status_code == 302
    (click,) = clicks(line)
    assert click.member_id == member.id
    assert click.account_id is not None
    (event,) = events(line)
    assert (event.member_id, event.facts) == (member.id, {"link": "見る"})
    assert event.next_attempt_at is not None


def test_a_personal_link_outlives_its_message(client: FlaskClient, line: LineState) -> None:
    path = personal_path(line, add_member(line))
    line.session.execute(delete(OutboxMessage))
    line.session.commit()
    assert tap(client, path).location == TARGET
    (click,) = clicks(line)
    assert (click.kind, click.member_id, click.message_id) == ("person", None, 1)


def test_S4_5_whoever_opens_a_link_stays_who_they_are(client: FlaskClient, line: LineState) -> None:
    tap(client, personal_path(line, add_member(line)))
    assert client.get("/private").status_code == 302


@on_both
def test_a_campaigns_link(client: FlaskClient, line: LineState) -> None:
    campaign = Campaign(key="summer", category="news", created_at=line.clock())
    line.session.add(campaign)
    line.session.flush()
    path = path_of(line, campaign_id=campaign.id, variant="b")
    open_as(client, add_member(line))
    tap(client, path)
    client.get("/private")
    (event,) = events(line)
    assert event.facts == {"link": "見る", "campaign": "summer", "variant": "b"}
    rows = line.session.scalars(select(ResultCount).order_by(ResultCount.figure))
    assert [(row.campaign_id, row.variant, row.figure, row.number) for row in rows] == [
        (campaign.id, "b", "clickers", 1),
        (campaign.id, "b", "clicks", 1),
    ]
    line.session.delete(campaign)
    line.session.commit()
    # This process remembers the link, which is gone.
    assert tap(app_client(line), path).status_code == 302
    assert tap(app_client(line), path).status_code == 410
    assert clicks(line) == []


@on_both
def test_who_taps_twice_is_one_person(client: FlaskClient, line: LineState) -> None:
    campaign = Campaign(key="summer", category="news", created_at=line.clock())
    line.session.add(campaign)
    line.session.flush()
    found = read_address(line, path_of(line, campaign_id=campaign.id))
    other = read_address(line, path_of(line, "https://shop.example/2", campaign_id=campaign.id))
    assert found is not None
    assert other is not None
    for number in (1, 2):
        message = message_for(line, add_member(line, f"会員{number}"), str(number))
        for link_id in (found[0], found[0], other[0]):
            address = personal_address(line, link_id, message.id)
            tap(app_client(line), address.removeprefix("https://shop.example"))
    assert counts(line)["clickers"] == (2, 0)
    assert len(clicks(line)) == 6
    unlinking.erase_all(line, [click.member_id for click in clicks(line)[-1:]])
    line.session.commit()
    assert counts(line)["clickers"] == (2, 1)


def app_client(line: LineState) -> FlaskClient:
    """Return another browser."""
    return line.app.test_client()


@on_both
def test_a_shared_link_is_whose_login_is_behind_it(client: FlaskClient, line: LineState) -> None:
    page, path, member = "/private", path_of(line), add_member(line)
    tap(client, path)
    client.get("/")
    assert client.get(page).status_code == 302
    assert clicks(line)[0].member_id is None
    open_as(client, member)
    client.get(page)
    client.get(page)
    assert clicks(line)[0].member_id == member.id
    (event,) = events(line)
    assert event.member_id == member.id
    # Another person in the same browser changes nothing.
    open_as(client, add_member(line, "別人"))
    client.get(page)
    assert clicks(line)[0].member_id == member.id
    assert len(events(line)) == 1


def test_S6_2_the_cookie_is_nobodys_but_ours(client: FlaskClient, line: LineState) -> None:
    member = add_member(line)
    tap(client, path_of(line))
    name = "session_click"
    cookie = client.get_cookie(name)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    client.set_cookie(name, cookie.value.replace(".1.", ".2.", 1) + "x")
    open_as(client, member).get("/private")
    client.set_cookie(name, "")
    client.get("/private")
    assert clicks(line)[0].member_id is None


VISITS = [
    (IN_APP, {}, "person"),
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36", {}, "person"),
    (IN_APP, {"Sec-Fetch-Mode": "navigate"}, "person"),
    ("facebookexternalhit/1.1;line-poker/1.0", {}, "preview"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", {}, "preview"),
    ("WhatsApp/2.23", {}, "preview"),
    (IN_APP, {"Sec-Purpose": "prefetch;prerender"}, "preview"),
    (IN_APP, {"Purpose": "prefetch"}, "preview"),
    (IN_APP, {"X-Moz": "prefetch"}, "preview"),
    ("Mozilla/5.0 (compatible; Linespider/1.1; +https://lin.ee/4dwXkTH)", {}, "robot"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1)", {}, "robot"),
    ("python-requests/2.32", {}, "robot"),
    ("curl/8.5", {}, "robot"),
    ("", {}, "robot"),
    (IN_APP, {"Sec-Fetch-Mode": "no-cors"}, "robot"),
]


def test_programs_are_told_from_people(client: FlaskClient, line: LineState) -> None:
    path = personal_path(line, add_member(line))
    for agent, headers, _kind in VISITS:
        client.delete_cookie("session_click")
        answer = tap(client, path, agent, headers=headers)
        assert (answer.status_code, answer.location) == (302, TARGET)
    assert [click.kind for click in clicks(line)] == [kind for *_visit, kind in VISITS]
    people = [kind for *_visit, kind in VISITS].count("person")
    assert len(events(line)) == people
    assert counts(line) == {"clicks": (people, 0)}


def test_a_head_is_no_persons(client: FlaskClient, line: LineState) -> None:
    assert tap(client, path_of(line), method="HEAD").location == TARGET
    assert [click.kind for click in clicks(line)] == ["robot"]


@on_both
def test_repeated_taps_are_one_persons(
    client: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = path_of(line), path_of(line, "https://shop.example/other")
    for one in (path, path, path, other, other):
        tap(client, one)
    tap(app_client(line), path)
    assert [click.kind for click in clicks(line)] == [
        *("person", "repeat", "repeat"),
        *("person", "repeat", "person"),
    ]
    monkeypatch.setattr(visitors, "REPEAT_SECONDS", -1)
    tap(client, other)
    assert clicks(line)[-1].kind == "person"
    assert sum(number for number, _gone in counts(line).values()) > 0


CUT = ["", "/", "x", "1abc", "1" * 60, "a/b", "%00", "%E3%81%82"]


def test_what_is_not_ours_leads_nowhere(client: FlaskClient, line: LineState) -> None:
    for cut in CUT:
        answer = tap(client, f"/line/l/{cut}", follow_redirects=True)
        assert answer.status_code == 404
        assert "このリンクは開けません" in answer.text
        assert 'href="/"' in answer.text
    assert clicks(line) == []


def test_forged_cut_and_foreign_links(client: FlaskClient, line: LineState) -> None:
    path = path_of(line)
    wrong = "0" if path[-1] != "0" else "1"
    for forged in (path[:-1], path[:-1] + wrong, path + "a", path.swapcase()):
        answer = tap(client, forged.replace("/LINE/L/", "/line/l/"))
        assert answer.status_code == 404
        assert "evil" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    english = tap(client, path[:-1], headers={"Accept-Language": "en"})
    assert "This link can’t be opened" in english.text
    assert clicks(line) == []


def test_expired_links_are_gone(client: FlaskClient, line: LineState) -> None:
    ends = line.clock() + timedelta(days=1)
    path = path_of(line, expires_at=ends)
    assert tap(client, path).status_code == 302
    line.clock = lambda: ends
    answer = tap(client, path)
    assert answer.status_code == 410
    assert "shop.example/private" not in answer.text
    assert len(clicks(line)) == 1


def test_links_that_are_gone(client: FlaskClient, line: LineState) -> None:
    path = path_of(line)
    line.session.execute(delete(TrackedLink))
    line.session.commit()
    assert tap(client, path).status_code == 410


def test_keys_rotate(make_app: MakeApp) -> None:
    app = make_app(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"])
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        path = path_of(line)
        assert tap(app.test_client(), path).status_code == 302
    other = make_app(SECRET_KEY="newer", SECRET_KEY_FALLBACKS=["new"])
    with other.app_context():
        path_of(other.extensions["lineconnect"])
        assert tap(other.test_client(), path).status_code == 302
    foreign = make_app(SECRET_KEY="another")
    with foreign.app_context():
        path_of(foreign.extensions["lineconnect"])
        assert tap(foreign.test_client(), path).status_code == 404


def test_only_get_is_answered(client: FlaskClient, line: LineState) -> None:
    path = path_of(line)
    assert tap(client, path, method="POST").status_code in (400, 405)
    assert clicks(line) == []


@contextmanager
def table_held() -> Iterator[None]:
    """Hold what a click needs, as a long transaction of the shop's may."""
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE lineconnect_click IN EXCLUSIVE MODE"))
        yield
        connection.rollback()


@pytest.mark.hurried
@on_both
def test_a_database_that_takes_nothing_keeps_nobody(
    client: FlaskClient, line: LineState, caplog: pytest.LogCaptureFixture
) -> None:
    path = path_of(line)
    tap(client, path)
    with table_held():
        assert tap(app_client(line), path).location == TARGET
    (said,) = [one for one in caplog.records if one.name == "flask_lineconnect.clicks.views"]
    assert "was not stored" in said.getMessage()
    assert [click.kind for click in clicks(line)] == ["person"]
    tap(app_client(line), path)
    assert len(clicks(line)) == 2


def test_S12_one_browser_fills_no_table(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "UNCOUNTED", 0)
    app = make_app(LINECONNECT_RATE_LIMIT="3/minute")
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        path = path_of(line)
        for _turn in range(5):
            assert tap(app.test_client(), path).status_code == 302
        assert len(clicks(line)) == 3
        assert "LINECONNECT_RATE_LIMIT" in caplog.text
        answers = [tap(app.test_client(), "/line/l/forged").status_code for _turn in range(5)]
        assert answers[:3] == [404] * 3
        assert answers[3] not in (200, 302, 404)


@on_both
def test_an_erasure_takes_clicks_along_and_leaves_counts(
    client: FlaskClient, line: LineState
) -> None:
    member = add_member(line)
    tap(client, personal_path(line, member))
    unlinking.erase_all(line, [member.id])
    line.session.commit()
    assert (clicks(line), events(line)) == ([], [])
    assert counts(line) == {"clicks": (1, 1)}


def test_a_process_reads_each_link_once(client: FlaskClient, line: LineState) -> None:
    path = path_of(line)
    found = read_address(line, path)
    assert found is not None
    tap(client, path)
    known = line.part(KnownLinks).by_id.get(found[0])
    assert known is not None
    assert known.target == TARGET


def test_in_memory(make_app: MakeApp) -> None:
    app: Flask = make_app(SQLALCHEMY_DATABASE_URI="sqlite://")
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        path = path_of(line)
        for _turn in range(2):
            assert tap(app.test_client(), path).status_code == 302
        assert len(clicks(line)) == 2


def test_behind_a_path_of_the_host(make_app: MakeApp) -> None:
    base = "https://host.example/shop"
    app = make_app(LINECONNECT_BASE_URL=base, APPLICATION_ROOT="/shop")
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        address = link_to(line, f"{base}/private", LinkOwner(source="flyer"))
        line.session.commit()
        assert address.startswith(f"{base}/line/l/1")
        path, client = address.removeprefix(base), app.test_client()
        answer = tap(client, path, base_url=base)
        assert answer.location == f"{base}/private"
        assert "Path=/shop" in answer.headers["Set-Cookie"]
        gone = tap(client, path[:-1], base_url=base)
        assert (gone.status_code, 'href="/shop/"' in gone.text) == (404, True)
        assert [click.kind for click in clicks(line)] == ["person"]
