"""Requests at once: exactly one wins, and the others get a clear answer; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect import Emulator
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import UnlinkTask
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.small_shop import User

pytestmark = [
    pytest.mark.joined,
    pytest.mark.parametrize("database", DATABASES, indirect=True),
]

RUNNERS = 4


@pytest.fixture
def callback(client: FlaskClient, line_emulator: Emulator) -> str:
    """Return the callback of a finished login that was begun by ``client``."""
    browser = line_emulator.browser(line_emulator.add_user("佐藤 さくら"))
    return browser.log_in(client.get("/line/login").location)


def _at_once(
    app: Flask, client: FlaskClient, act: Callable[[FlaskClient], TestResponse]
) -> list[TestResponse]:
    """Let several browsers with the same cookie do the same thing at the same moment."""
    cookie = client.get_cookie("session", domain="localhost")
    assert cookie
    barrier = Barrier(RUNNERS)

    def run(_number: int) -> TestResponse:
        browser = app.test_client()
        browser.set_cookie("session", cookie.value, domain="localhost")
        barrier.wait()
        return act(browser)

    with ThreadPoolExecutor(RUNNERS) as pool:
        return list(pool.map(run, range(RUNNERS)))


def _count(line: LineState, model: Any) -> int:
    line.session.rollback()
    return line.session.scalar(select(func.count()).select_from(model)) or 0


def test_S2_3_a_callback_that_arrives_several_times_counts_once(
    app: Flask, client: FlaskClient, line: LineState, line_emulator: Emulator, callback: str
) -> None:
    answers = _at_once(app, client, lambda browser: browser.get(callback))
    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]
    exchanges = [call for call in line_emulator.calls() if call["path"] == "/oauth2/v2.1/token"]
    assert len(exchanges) == 1
    assert _count(line, Account) == 1


def test_S3_4_a_registration_that_is_sent_several_times_makes_one_member(
    app: Flask, client: FlaskClient, line: LineState, callback: str
) -> None:
    client.get(callback)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/line/sign-up").text)
    assert token
    form = {"csrf_token": token[1], "display_name": "佐藤 さくら", "email": "s@mail.example"}
    answers = _at_once(app, client, lambda browser: browser.post("/line/sign-up", data=form))
    assert [answer.location for answer in answers].count("/line/liff") == 1
    assert all(answer.status_code < 500 for answer in answers)
    assert _count(line, User) == 1
    account = line.session.scalars(select(Account)).one()
    assert account.member_id == line.session.scalars(select(User.id)).one()


def _csrf(browser: FlaskClient) -> str:
    return browser.get("/token").text


def _all_at_once(acts: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Let several browsers do their own thing at the same moment."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], TestResponse]) -> TestResponse:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_S3_4_one_person_on_two_devices_becomes_one_member(
    app: Flask, line: LineState, line_emulator: Emulator
) -> None:
    person = line_emulator.browser(line_emulator.add_user("佐藤 さくら"))
    devices = [app.test_client() for _device in range(RUNNERS)]
    for device in devices:
        device.get(person.log_in(device.get("/line/login").location))
    forms = [
        {"csrf_token": _csrf(device), "display_name": "佐藤", "email": f"s{n}@mail.example"}
        for n, device in enumerate(devices)
    ]

    answers = _all_at_once(
        [
            partial(device.post, "/line/sign-up", data=form)
            for device, form in zip(devices, forms, strict=True)
        ]
    )

    # Who came a moment later is logged in at once, or asked to look again.
    targets = {answer.location for answer in answers}
    assert "/line/liff" in targets
    assert targets <= {"/", "/line/liff", "/line/sign-up"}
    for device in devices:
        device.get("/line/sign-up")
        assert device.get("/name").status_code == 200
    # The member of a device that lost was not made either.
    assert _count(line, User) == 1
    assert line.session.scalars(select(AuditEntry.action)).all() == ["linked"]


def test_S3_4_two_line_accounts_for_one_member_make_one_link(
    app: Flask, line: LineState, line_emulator: Emulator
) -> None:
    line.session.add(User(name="山田 花子"))
    line.session.commit()
    member_id = line.session.scalars(select(User.id)).one()
    acts: list[Callable[[], TestResponse]] = []
    for number in range(RUNNERS):
        person = line_emulator.browser(line_emulator.add_user(f"人 {number}"))
        device = app.test_client()
        device.post(f"/password-login/{member_id}")
        to_line = device.post("/line/link", data={"csrf_token": _csrf(device)}).location
        assert device.get(person.log_in(to_line)).location == "/line/link/confirm"
        form = {"csrf_token": _csrf(device)}
        acts.append(partial(device.post, "/line/link/confirm", data=form))

    answers = _all_at_once(acts)

    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]
    linked = select(func.count()).select_from(Account).where(Account.member_id == member_id)
    assert line.session.scalar(linked) == 1


def test_S3_4_one_line_account_for_two_members_makes_one_link(
    app: Flask, line: LineState, line_emulator: Emulator
) -> None:
    person = line_emulator.browser(line_emulator.add_user("佐藤 さくら"))
    acts: list[Callable[[], TestResponse]] = []
    for number in range(RUNNERS):
        member = User(name=f"会員 {number}")
        line.session.add(member)
        line.session.commit()
        device = app.test_client()
        device.post(f"/password-login/{member.id}")
        to_line = device.post("/line/link", data={"csrf_token": _csrf(device)}).location
        device.get(person.log_in(to_line))
        form = {"csrf_token": _csrf(device)}
        acts.append(partial(device.post, "/line/link/confirm", data=form))

    answers = _all_at_once(acts)

    assert sorted(answer.status_code for answer in answers) == [302, 400, 400, 400]
    # The loser learns nothing of the other member.
    texts = [answer.text for answer in answers if answer.status_code == 400]
    assert all("会員 " not in re.sub(r"別の会員", "", text) for text in texts)
    assert line.session.scalars(select(AuditEntry.action)).all() == ["linked"]


def test_unlinking_twice_at_once_ends_one_link(
    app: Flask, line: LineState, line_emulator: Emulator, client: FlaskClient, callback: str
) -> None:
    client.get(callback)
    form = {"csrf_token": _csrf(client), "display_name": "佐藤 さくら"}
    client.post("/line/sign-up", data=form)
    token = _csrf(client)

    _at_once(app, client, lambda browser: browser.post("/line/unlink", data={"csrf_token": token}))

    line.session.rollback()
    assert line.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
        "linked",
        "unlinked",
    ]
    assert _count(line, UnlinkTask) == 1
