"""The webhook endpoint over HTTP: what is stored, what is refused, what changes nothing."""

from __future__ import annotations

import io
import json
import threading
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks.dispatch import dispatch_due
from flask_lineconnect.webhooks.inbox import Inbox
from flask_lineconnect.webhooks.signature import sign
from flask_lineconnect.webhooks.views import MAX_BODY
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.emulator.conftest import wait_until as _wait_until
from tests.emulator.serving import serving
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

USER = "U" + "a" * 32
#: Seconds; what LINE documents, and the emulator keeps.
EMULATORS_PATIENCE = 2.0


def _event(number: int = 1, **changes: Any) -> dict[str, Any]:
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": USER},
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC{number:03d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        "message": {"id": "444573844083572737", "type": "text", "text": "やあ 🍎"},
    }
    return event | changes


def _post(app: Flask, client: FlaskClient, *events: object, **headers: str) -> TestResponse:
    body = json.dumps({"destination": "U8e", "events": events}, ensure_ascii=False).encode()
    secret = app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"]
    return client.post(
        "/line/webhook",
        data=body,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "X-Line-Signature": sign(body, secret),
            **headers,
        },
    )


def _stored(line: LineState) -> int:
    return line.session.scalar(select(func.count()).select_from(InboxEvent)) or 0


def test_W1_an_empty_batch_is_answered_200(app: Flask, client: FlaskClient) -> None:
    assert _post(app, client).status_code == 200


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_shops_own_csrf_protection_lets_webhooks_in(make_app: MakeApp, order: str) -> None:
    app = make_app(**{order: (CSRFProtect,)})
    assert _post(app, app.test_client(), _event()).status_code == 200


@pytest.mark.parametrize("name", ["x-line-signature", "X-LINE-SIGNATURE"])
def test_W3_the_headers_name_may_be_written_otherwise(
    app: Flask, client: FlaskClient, line: LineState, name: str
) -> None:
    body = json.dumps({"destination": "U8e", "events": [_event()]}).encode()
    signature = sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
    assert client.post("/line/webhook", data=body, headers={name: signature}).status_code == 200
    assert _stored(line) == 1


def test_W5_a_duplicate_is_stored_once(app: Flask, client: FlaskClient, line: LineState) -> None:
    again = _event(deliveryContext={"isRedelivery": True})
    assert _post(app, client, _event(), _event(), again).status_code == 200
    assert _post(app, client, _event()).status_code == 200
    assert _stored(line) == 1


@pytest.mark.parametrize("signature", ["", "AAAA", "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="])
def test_W2_a_bad_signature_stores_nothing_and_names_the_setting(
    app: Flask, client: FlaskClient, line: LineState, signature: str
) -> None:
    answer = _post(app, client, _event(), **{"X-Line-Signature": signature})
    assert answer.status_code == 400
    assert "LINECONNECT_MESSAGING_CHANNEL_SECRET" in answer.text
    assert _stored(line) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"events": 5}',
        b'{"events": "text"}',
        b'{"events": {"0": {}}}',
        b'{"events": NaN}',
        b'{"events": []} {}',
        b'{"events": [],}',
        b'\xef\xbb\xbf{"events": []}',
    ],
)
def test_a_signed_body_that_is_no_batch_is_refused(
    app: Flask, client: FlaskClient, line: LineState, body: bytes
) -> None:
    assert _post_bytes(app, client, body).status_code == 400
    assert _stored(line) == 0


def test_S7_1_a_secret_in_rotation_counts(make_app: MakeApp) -> None:
    old, new, foreign = "a" * 32, "b" * 32, "c" * 32
    app = make_app(
        LINECONNECT_MESSAGING_CHANNEL_SECRET=new,
        LINECONNECT_MESSAGING_CHANNEL_SECRET_FALLBACKS=[old],
    )
    body = b'{"destination": "U8e", "events": []}'
    answers = {
        secret: app.test_client()
        .post("/line/webhook", data=body, headers={"X-Line-Signature": sign(body, secret)})
        .status_code
        for secret in (old, new, foreign)
    }
    assert answers == {old: 200, new: 200, foreign: 400}


def test_S7_6_events_for_another_official_account_are_left_out(make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_BOT_USER_ID="U" + "8" * 32)
    with app.app_context():
        line: LineState = app.extensions["lineconnect"]
        # The batch names "U8e", which is another one.
        assert _post(app, app.test_client(), _event()).status_code == 200
        assert _stored(line) == 0
        app = make_app(LINECONNECT_BOT_USER_ID=None)
    with app.app_context():
        assert _post(app, app.test_client(), _event()).status_code == 200
        assert _stored(app.extensions["lineconnect"]) == 1


@pytest.mark.parametrize(
    ("source", "answers"),
    [
        ({"type": "user", "userId": USER}, 1),
        ({"type": "group", "groupId": "C" + "a" * 32, "userId": USER}, 0),
        ({"type": "room", "roomId": "R" + "a" * 32, "userId": USER}, 0),
    ],
)
def test_S7_7_a_members_data_are_answered_in_one_to_one_chats_only(
    app: Flask, client: FlaskClient, line: LineState, source: dict[str, str], answers: int
) -> None:
    member = User(name="佐藤 さくら", email=None)
    db.session.add(member)
    db.session.flush()
    account = accounts.ensure_account(line.session, USER, now=line.clock())
    accounts.link(line, account, member.id, source="login", now=line.clock())
    line.session.commit()
    asked = {"id": "1", "type": "text", "text": "残高"}
    _post(app, client, _event(source=source, message=asked))
    dispatch_due(line)
    line.session.rollback()
    reply = line.session.scalars(select(InboxEvent.reply)).one()
    assert len(reply or []) == answers


def test_S7_2_a_body_that_is_too_large_is_not_hashed(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/line/webhook", data=b"x" * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_the_signature_counts_and_not_the_content_type(
    app: Flask, client: FlaskClient, line: LineState, content_type: str
) -> None:
    assert _post(app, client, _event(), **{"Content-Type": content_type}).status_code == 200
    assert _stored(line) == 1


def test_S7_2_of_a_body_without_a_length_no_more_is_read_than_may_be(
    app: Flask, client: FlaskClient
) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.taken += len(buffer)
            return len(buffer)

    body = Endless()
    chunks = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = client.post("/line/webhook", environ_overrides=chunks)
    assert answer.status_code in {400, 413}
    assert 0 < body.taken <= MAX_BODY


def test_S7_4_one_bad_event_costs_no_other(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    bad: list[object] = [
        5,
        {},
        _event(2, webhookEventId=None),
        _event(3, timestamp="yesterday"),
        _event(4, message={"type": "text", "text": "nul \x00"}),
        _event(5, message={"type": "text", "text": "\ud800"}),
        _event(6, timestamp=10**30),
    ]
    assert _post_ascii(app, client, *bad, _event(7)).status_code == 200
    assert line.session.scalars(select(InboxEvent.webhook_event_id)).all() == [
        _event(7)["webhookEventId"]
    ]


@pytest.mark.parametrize(
    "odd",
    [
        "NaN",
        '"half a character: \\ud83d"',
        '{"webhookEventId": "\\u0000", "timestamp": NOW}',
        '{"webhookEventId": "\\udc00", "timestamp": NOW}',
        '{"webhookEventId": "odd", "timestamp": NOW.5}',
        '{"webhookEventId": "odd", "timestamp": true}',
        '{"webhookEventId": "odd", "timestamp": NOW, "deep": NaN}',
        '{"webhookEventId": "odd", "timestamp": NOW, "key \\u0000": 1}',
        '{"webhookEventId": "odd", "timestamp": ' + "9" * 5_000 + "}",
        '{"webhookEventId": "' + "x" * 65 + '", "timestamp": NOW}',
        '{"webhookEventId": "", "timestamp": NOW}',
    ],
)
def test_S7_4_what_json_allows_and_no_hook_can_use_is_set_aside_alone(
    app: Flask, client: FlaskClient, line: LineState, odd: str
) -> None:
    odd = odd.replace("NOW", str(int(time.time() * 1000)))
    body = f'{{"events": [{odd}, {json.dumps(_event())}, {odd}]}}'.encode()
    assert _post_bytes(app, client, body).status_code == 200
    assert line.session.scalars(select(InboxEvent.webhook_event_id)).all() == [
        _event()["webhookEventId"]
    ]


@pytest.mark.parametrize(
    ("changes", "line_user_id"),
    [
        ({"source": 5}, None),
        ({"source": {"type": "user", "userId": 5}}, None),
        ({"source": {"type": "user", "userId": "U" + "A" * 32}}, None),
        ({"mode": 5, "newField": {"deep": [1e300, 10**400, None]}}, USER),
        ({"message": {"id": "1", "type": "text", "text": "a backslash: \\u0000 \\\\u0000"}}, USER),
    ],
)
def test_W10_what_is_odd_and_harmless_passes(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    changes: dict[str, Any],
    line_user_id: str | None,
) -> None:
    event = _event(**changes)
    assert _post(app, client, event).status_code == 200
    row = line.session.scalars(select(InboxEvent)).one()
    assert json.loads(row.payload) == event
    assert row.line_user_id == line_user_id
    assert dispatch_due(line) == 1
    line.session.refresh(row)
    assert row.state == "done"


def test_S7_4_bytes_that_are_no_text_are_replaced(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    body = json.dumps({"destination": "?", "events": [_event()]}).replace("444573", "?")
    assert _post_bytes(app, client, body.encode().replace(b"?", b"\xff")).status_code == 200
    row = line.session.scalars(select(InboxEvent)).one()
    assert json.loads(row.payload)["message"]["id"] == "\ufffd844083572737"


def test_S7_4_the_text_is_stored_as_line_wrote_it(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    text = json.dumps(_event()).replace(", ", " ,\t").replace('"mode"', '"m\\u006fde"')
    body = f'\n{{"events" : [ {text} ],"destination":null}} '
    assert _post_bytes(app, client, body.encode()).status_code == 200
    assert line.session.scalars(select(InboxEvent.payload)).one() == text


def _post_bytes(app: Flask, client: FlaskClient, body: bytes) -> TestResponse:
    signature = sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
    return client.post("/line/webhook", data=body, headers={"X-Line-Signature": signature})


def _post_ascii(app: Flask, client: FlaskClient, *events: object) -> TestResponse:
    """Send escapes instead of characters, so that lone surrogates survive the way."""
    return _post_bytes(app, client, json.dumps({"events": events}).encode())


def test_S7_3_an_old_event_is_a_captured_body(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    old = _event(timestamp=int((time.time() - 31 * 86_400) * 1000))
    assert _post(app, client, old, _event(2)).status_code == 200
    assert line.session.scalars(select(InboxEvent.webhook_event_id)).all() == [
        _event(2)["webhookEventId"]
    ]
    # Another process, which has seen nothing itself.
    line.part(Inbox).__init__(line.db.engine)  # type: ignore[misc]
    assert _post(app, client, old).status_code == 200
    assert _stored(line) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (timedelta(minutes=-6), "behind by about 6 minutes"),
        (timedelta(days=-3_000), "behind"),
        (timedelta(hours=2), "ahead by about 120 minutes"),
        (timedelta(days=400), "ahead"),
    ],
)
def test_S7_3_a_clock_that_is_wrong_costs_no_event_and_is_told_once(
    app: Flask,
    client: FlaskClient,
    line: LineState,
    wrong: timedelta,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    line.clock = lambda: datetime.now(UTC) + wrong
    for number in range(3):
        assert _post(app, client, _event(number)).status_code == 200
    assert _stored(line) == 3
    told = [one for one in caplog.records if "clock is" in one.getMessage()]
    assert len(told) == 1
    assert said in told[0].getMessage()


def test_S7_3_one_event_from_the_future_makes_no_others_old(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    future = int((time.time() + 400 * 86_400) * 1000)
    assert _post(app, client, _event(1), _event(2, timestamp=future)).status_code == 200
    assert _post(app, client, _event(3)).status_code == 200
    # Another process, which finds it in the database.
    line.part(Inbox).__init__(line.db.engine)  # type: ignore[misc]
    assert _post(app, client, _event(4)).status_code == 200
    assert _stored(line) == 4


@pytest.mark.parametrize("deep", ["[", '{"a":', '{"webhookEventId": "deep", "message": ['])
@pytest.mark.parametrize("depth", [101, 900, 20_000])
def test_S7_4_one_event_that_is_nested_deeply_costs_its_batch_nothing(
    app: Flask, client: FlaskClient, line: LineState, deep: str, depth: int
) -> None:
    value = "1"
    closing = "]" if deep.endswith("[") else "}"
    nested = deep * depth + value + (closing + "}" if "message" in deep else closing) * depth
    whole = json.dumps(_event(1))[:-1] + f', "more": {nested}}}'
    text = json.dumps(_event(2, message={"id": "1", "type": "text", "text": "[" * 200 + '"\\'}))
    body = f'{{"events": [{nested}, {whole}, {text}, {json.dumps(_event(3))}]}}'.encode()
    assert _post_bytes(app, client, body).status_code == 200
    stored = set(line.session.scalars(select(InboxEvent.webhook_event_id)))
    assert stored >= {_event(2)["webhookEventId"], _event(3)["webhookEventId"]}
    dispatch_due(line)
    line.session.rollback()
    assert set(line.session.scalars(select(InboxEvent.state))) == {"done"}


@pytest.mark.parametrize(
    "message",
    [
        '{"type": "location", "id": "1", "latitude": 1%s, "longitude": 1e999}' % ("0" * 400),
        '{"type": "video", "id": "1", "duration": 1%s}' % ("0" * 30),
        '{"type": "audio", "id": "1", "duration": -1%s}' % ("0" * 30),
        '{"type": "file", "id": "1", "fileSize": 1%s}' % ("0" * 5_000),
        '{"type": "image", "id": "1", "imageSet": {"index": 1e400, "total": 1%s}}' % ("0" * 50),
    ],
)
def test_S7_4_odd_numbers_in_known_events_cost_no_attempt(
    app: Flask, client: FlaskClient, line: LineState, message: str
) -> None:
    event = json.dumps(_event(1)).replace(json.dumps(_event(1)["message"]), message)
    assert message in event
    assert _post_bytes(app, client, f'{{"events": [{event}]}}'.encode()).status_code == 200
    if _stored(line) == 0:
        # What LINE's own JSON can't hold is left out.
        assert "1e" in message
        return
    dispatch_due(line)
    line.session.rollback()
    row = line.session.scalars(select(InboxEvent)).one()
    assert (row.state, row.attempts) == ("done", 1)


def test_W11_events_in_standby_are_left_alone(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    assert _post(app, client, _event(mode="standby")).status_code == 200
    assert _stored(line) == 0


def test_W8_what_was_answered_too_late_is_processed_once(
    app: Flask, line: LineState, line_emulator: Emulator
) -> None:
    channel = {
        "secret": app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"],
        "redelivery": True,
        "redelivery_count": 1,
        "redelivery_seconds": 0.1,
    }
    prompt, late = app.wsgi_app, threading.Event()

    def slow_at_first(environ: Any, start_response: Any) -> Any:
        answer = prompt(environ, start_response)
        if not late.is_set():
            late.set()
            time.sleep(EMULATORS_PATIENCE + 0.3)
        return answer

    app.wsgi_app = slow_at_first  # type: ignore[method-assign]
    with serving(app) as url:
        line_emulator.set_up(base_url=url, messaging_channel=channel)
        line_emulator.write(line_emulator.users()[0]["user_id"], "やあ")
        _wait_until(lambda: len(line_emulator.webhooks()) == 2)
    assert [one["outcome"] for one in line_emulator.webhooks()] == ["request_timeout", "ok"]
    assert '"isRedelivery": true' in line_emulator.webhooks()[1]["body"]
    assert _stored(line) == 1


def test_K5_a_nonce_that_nobody_waits_for_links_nobody(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    link = {"result": "ok", "nonce": "nobody-waits-for-this"}
    assert _post(app, client, _event(type="accountLink", link=link)).status_code == 200
    dispatch_due(line)
    assert line.session.scalars(select(InboxEvent.state)).one() == "done"
    assert line.session.scalars(select(Account.member_id)).all() in ([], [None])


def test_W10_unknown_events_pass(app: Flask, client: FlaskClient, line: LineState) -> None:
    _post(app, client, _event(type="newThing", newField={"a": 1}, replyToken=None))
    assert dispatch_due(line) == 1
    assert line.session.scalars(select(InboxEvent.state)).one() == "done"


def test_W9_the_newest_friendship_wins(app: Flask, client: FlaskClient, line: LineState) -> None:
    now = int(time.time() * 1000)
    _post(app, client, _event(1, type="unfollow", timestamp=now))
    dispatch_due(line)
    _post(app, client, _event(2, type="follow", timestamp=now - 5_000))
    dispatch_due(line)
    account = line.session.scalars(select(Account)).one()
    assert account.is_friend is False


def test_W4_a_broken_hook_is_tried_again_and_then_kept(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    _post(app, client, _event(message={"id": "1", "type": "text", "text": "こわれる"}))
    for _attempt in range(5):
        line.session.query(InboxEvent).update({"next_attempt_at": line.clock()})
        line.session.commit()
        assert dispatch_due(line) == 1
    row = line.session.scalars(select(InboxEvent)).one()
    assert (row.state, row.attempts) == ("dead", 5)
    assert "the hook is broken" in (row.error or "")
    assert dispatch_due(line) == 0
