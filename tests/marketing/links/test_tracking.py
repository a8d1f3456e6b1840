"""Messages get our addresses; each link has one row, and leads where it led before."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.marketing.links import stored
from flask_lineconnect.marketing.links.stored import LinkOwner
from flask_lineconnect.marketing.links.stored import LinkWish
from flask_lineconnect.marketing.links.tracking import Tracker
from flask_lineconnect.marketing.links.tracking import link_to
from flask_lineconnect.marketing.links.tracking import personal_address
from flask_lineconnect.marketing.links.tracking import personalise
from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.marketing.links.tracking import shared_address
from flask_lineconnect.marketing.links.tracking import track
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

OWNER = LinkOwner(source="message")
BASE = "https://shop.example/line/l/"


def buttons(*addresses: str) -> list[dict[str, Any]]:
    """Return a message with buttons."""
    actions = [
        {"type": "uri", "label": f"ボタン{number}", "uri": one}
        for number, one in enumerate(addresses)
    ]
    template = {"type": "buttons", "text": "a", "actions": actions}
    return [{"type": "template", "altText": "a", "template": template}]


def addresses_of(messages: list[dict[str, Any]]) -> list[str]:
    """Return the addresses of its buttons."""
    return [action["uri"] for action in messages[0]["template"]["actions"]]


def rows(line: LineState) -> list[TrackedLink]:
    """Return the links."""
    return list(line.session.scalars(select(TrackedLink).order_by(TrackedLink.id)))


@on_both
def test_a_link_has_one_row_however_often_it_is_made(line: LineState) -> None:
    message = buttons("https://shop.example/a?b=c#d", "http://other.example/")
    first = addresses_of(track(line, message, OWNER))
    line.session.commit()
    assert first == addresses_of(track(line, message, OWNER))
    line.part(stored.KnownLinks).by_key.forget(rows(line)[0].key)
    assert first == addresses_of(track(line, message, OWNER))
    one, two = rows(line)
    assert (one.target, one.label) == ("https://shop.example/a?b=c#d", "ボタン0")
    assert two.source == "message"
    assert first == [shared_address(line, one.id), shared_address(line, two.id)]
    assert all(address.startswith(BASE) for address in first)


def test_an_address_that_is_met_again_leads_the_same_way(line: LineState) -> None:
    tracker = Tracker(line, OWNER)
    stays = "https://lin.ee/abc"
    met = buttons("https://shop.example/a", stays)
    new = buttons("https://shop.example/a", "https://shop.example/b")
    for number, message in enumerate([met, met, new, met], start=1):
        found = addresses_of(tracker.track(message, number))
        assert found == addresses_of(track(line, message, OWNER, message_id=number))
    assert addresses_of(tracker.track(met))[1] == stays
    assert len(line.session.scalars(select(TrackedLink)).all()) == 2


def test_places_targets_and_owners_are_told_apart(line: LineState) -> None:
    same = "https://shop.example/a"
    track(line, buttons(same, same), OWNER)
    track(line, buttons("https://shop.example/b"), OWNER)
    track(line, buttons(same), LinkOwner(source="message", variant="b"))
    track(line, buttons(same), LinkOwner(source="message", expires_at=datetime.now(UTC)))
    assert len(rows(line)) == 5


@on_both
def test_what_is_rolled_back_is_made_again(line: LineState) -> None:
    track(line, buttons("https://shop.example/a"), OWNER)
    line.session.rollback()
    (address,) = addresses_of(track(line, buttons("https://shop.example/a"), OWNER))
    line.session.commit()
    (row,) = rows(line)
    assert read_address(line, address) == (row.id, None)


def test_personal_links_name_their_message(line: LineState) -> None:
    message = buttons("https://shop.example/a")
    (personal,) = addresses_of(track(line, message, OWNER, message_id=5))
    shared = track(line, message, OWNER)
    (row,) = rows(line)
    assert personal == personal_address(line, row.id, 5)
    assert addresses_of(personalise(line, shared, 5)) == [personal]
    # Once is enough.
    assert addresses_of(personalise(line, personalise(line, shared, 5), 6)) == [personal]
    assert addresses_of(track(line, shared, LinkOwner(source="other"))) == addresses_of(shared)


STAYING = [
    "tel:0312345678",
    "mailto:a@shop.example",
    "line://ti/p/@shop",
    "https://line.me/R/ti/p/%40shop",
    "https://liff.line.me/1650000001-DemoCard/orders",
    "https://miniapp.line.me/1650000001-DemoCard",
    "https://access.line.me/dialog/bot/accountLink?linkToken=a&nonce=b",
    "https://lin.ee/abc",
    "https://LINE.me./R/",
    "https://user:secret@shop.example/",
    "https://",
    "https:///a",
    "https://shop.example:port/",
    "https://[::1/",
    "https://shop.example/\\a",
    "https://shop.example/a b",
    "https://shop.example/\ud800",
    "https://" + "あ" * 70 + ".example/",
    "javascript:alert(1)",
    "//shop.example/",
    "https://shop.example/" + "a" * 1_000,
]


def test_these_addresses_stay(line: LineState) -> None:
    for address in STAYING:
        assert addresses_of(track(line, buttons(address), OWNER)) == [address]
    assert rows(line) == []


def test_line_must_see_how_to_open_it(line: LineState) -> None:
    target = "https://shop.example/a?openExternalBrowser=1&b=2&openInAppBrowser=0"
    (address,) = addresses_of(track(line, buttons(target), OWNER))
    assert address.endswith("?openExternalBrowser=1&openInAppBrowser=0")
    (personal,) = addresses_of(personalise(line, buttons(address), 9))
    assert personal.endswith("?openExternalBrowser=1&openInAppBrowser=0")
    assert read_address(line, personal) == (rows(line)[0].id, 9)
    assert rows(line)[0].target == target


def test_utm_parameters_on_request(line: LineState) -> None:
    utm = {"utm_source": "line", "utm_campaign": "夏 & 秋"}
    owner = LinkOwner(source="message", utm=utm)
    track(line, buttons("https://shop.example/a?utm_source=mine#top"), owner)
    assert rows(line)[0].target == (
        "https://shop.example/a?utm_source=mine&utm_campaign=%E5%A4%8F+%26+%E7%A7%8B#top"
    )


def test_nothing_written_for_one_person_stays_in_a_row(line: LineState) -> None:
    message = buttons("https://shop.example/a?token=secret", "https://shop.example/b")
    track(line, message, OWNER, message_id=1, labels={"ボタン1"})
    assert [row.label for row in rows(line)] == ["shop.example/a", "ボタン1"]


def test_one_target_such_as_of_a_qr_code(line: LineState) -> None:
    owner = LinkOwner(source="qr:shelf 3")
    address = link_to(line, "https://shop.example/shelf", owner, label="棚3")
    assert read_address(line, address) == (rows(line)[0].id, None)
    assert rows(line)[0].label == "棚3"
    assert link_to(line, "https://lin.ee/abc", owner) == "https://lin.ee/abc"


@on_both
def test_many_make_the_same_links_at_once(app: Flask) -> None:
    line: LineState = app.extensions["lineconnect"]
    wishes = [LinkWish(OWNER, f"[{number}]", "https://a.example/", "") for number in range(90)]
    barrier = threading.Barrier(4)

    def make(turn: int) -> dict[str, int]:
        with app.app_context():
            ordered = wishes if turn % 2 else wishes[::-1]
            barrier.wait(30)
            made = stored.make(line.session, stored.KnownLinks(), ordered, now=line.clock())
            line.session.commit()
            return made

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(make, range(4))
    assert all(other == first for other in others)
    with app.app_context():
        assert len(rows(line)) == 90


def test_behind_a_path_of_the_host(make_app: MakeApp) -> None:
    changes = {"LINECONNECT_BASE_URL": "https://host.example/shop/", "LINECONNECT_URL_PREFIX": "/x"}
    app = make_app(**changes)
    with app.app_context():
        address = shared_address(app.extensions["lineconnect"], 1)
    assert address.startswith("https://host.example/shop/x/l/1")
