"""Answers of LINE that can't be read during a delivery, and what rows say of their answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy import select

from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import Join
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

HTML = "<html>planted words</html>"
PAGES = [HTML, "{}", "", '{"type": "limited", "value": "many", "totalUsage": 1}']


class Line:
    """LINE for the endpoints of sending: takes some pushes, then says that it was too much."""

    def __init__(self) -> None:
        self.page = HTML
        self.pushes = 0
        self.most = 1_000
        self.refusal = "{}"
        self.status = 429
        self.request_id = "0123-abcd"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, outer.page)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.pushes += 1
                is_taken = outer.pushes <= outer.most
                self._answer(200 if is_taken else outer.status, "{}" if is_taken else outer.refusal)

            def _answer(self, status: int, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("x-line-request-id", outer.request_id)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def platform() -> Iterator[Line]:
    """Run it."""
    platform = Line()
    thread = threading.Thread(target=platform.server.serve_forever)
    thread.start()
    yield platform
    platform.server.shutdown()
    thread.join()
    platform.server.server_close()


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, platform: Line) -> Flask:
    """Return the small shop, whose LINE is that."""
    return make_app(
        **{
            **line_emulator.settings(BASE_URL),
            "LINECONNECT_EMULATOR_URL": platform.url,
            "LINECONNECT_CHANNEL_ACCESS_TOKEN": "token",
        }
    )


def _states(line: LineState) -> list[str]:
    line.session.rollback()
    return sorted(line.session.scalars(select(OutboxMessage.state)))


@pytest.mark.parametrize("page", PAGES)
def test_a_quota_that_cannot_be_read_leaves_the_count_to_us(
    line: LineState, platform: Line, join: Join, page: str
) -> None:
    platform.page = page
    for member in join(10):
        extension.send(member, f"to {member.id}")
    db.session.commit()
    platform.most = 9

    deliver_due(line)

    assert _states(line) == ["accepted"] * 9 + ["queued"]
    month = line.session.scalars(select(QuotaMonth)).one()
    assert (month.granted, month.own_used) == (None, 9)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_the_error_of_a_row_has_no_words_of_lines(
    line: LineState, platform: Line, join: Join, status: int
) -> None:
    platform.most, platform.status = 0, status
    platform.refusal = (
        '{"message":"planted \\u0000 words of U1111","details":[{"message":"planted",'
        '"property":"messages[0].text"}]}'
    )
    one, *others = join(3)
    extension.send(one, "alone")
    for member in others:
        extension.send(member, "together")
    db.session.commit()

    deliver_due(line)

    db.session.rollback()
    errors = [
        *db.session.scalars(select(OutboxMessage.error)),
        *db.session.scalars(select(OutboxBatch.error)),
    ]
    said = [error for error in errors if error]
    assert said
    for error in said:
        assert error == (
            f"LINE answered {status}, because of messages[0].text (LINE's request id 0123-abcd)"
        )


@pytest.mark.parametrize("request_id", ["x" * 101, "a b", "\udcff"])
def test_a_request_id_that_no_row_can_hold_is_not_lines(
    line: LineState, platform: Line, join: Join, request_id: str
) -> None:
    platform.request_id = request_id.encode(errors="surrogateescape").decode("latin-1")
    for member in join(2):
        extension.send(member, f"to {member.id}")
    db.session.commit()
    deliver_due(line)
    assert _states(line) == ["sending", "sending"]
