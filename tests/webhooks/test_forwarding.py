"""Webhooks go on to further addresses as they came; who is dead among those holds nothing up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect import ConfigError
from flask_lineconnect.config.settings import Config
from flask_lineconnect.doctor.examination import examine
from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.metrics import LineMetrics
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import WebhookForward
from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks import forwarding
from flask_lineconnect.webhooks.forwarding import forward_due
from flask_lineconnect.webhooks.signature import sign
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.small_shop import SETTINGS

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
#: Valid JSON, of which every byte counts: blanks, an escape, an order, a letter that is no ASCII.
BODY = (
    '{"destination":"U8e",  "events":[{"type":"message","mode":"active","timestamp":%d,'
    '"source":{"userId":"Uaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","type":"user"},'
    '"webhookEventId":"%s","deliveryContext":{"isRedelivery":false},"replyToken":"r",'
    '"message":{"id":"1","type":"text","text":"\\u3042い 🍎"}}]\n}'
)


class Tool:
    """A second tool, which notes what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str, str]] = []
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.gate.wait(60)
                outer.got.append((body, self.headers["X-Line-Signature"], self.path))
                self.send_response(outer.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def tools() -> Iterator[tuple[Tool, Tool]]:
    """Run two of them."""
    both = Tool(), Tool()
    for tool in both:
        threading.Thread(target=tool.server.serve_forever, daemon=True).start()
    yield both
    for tool in both:
        tool.gate.set()
        tool.server.shutdown()
        tool.server.server_close()


@pytest.fixture
def app(make_app: MakeApp, tools: tuple[Tool, Tool]) -> Flask:
    """Return the small shop, with both tools behind it."""
    addresses = f"{tools[0].url}/hook?token=planted {tools[1].url}/webhook"
    return make_app(LINECONNECT_FORWARD_WEBHOOKS=addresses)


def _body(number: int = 1) -> bytes:
    return (BODY % (int(time.time() * 1000), f"01FZ74A0TDDPYRVKNK77XKC{number:03d}")).encode()


def _post(app: Flask, body: bytes) -> tuple[int, str]:
    signature = sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
    headers = {"X-Line-Signature": signature, "Content-Type": "application/json"}
    return app.test_client().post(
        "/line/webhook", data=body, headers=headers
    ).status_code, signature


def _forward(line: LineState, is_done: Callable[[], bool]) -> None:
    """Work as an engine does, until something is so."""
    deadline = time.monotonic() + 60
    while not is_done():
        assert time.monotonic() < deadline
        forward_due(line)
        line.session.rollback()
        time.sleep(0.02)


def _waiting(line: LineState) -> int:
    return line.session.scalar(select(func.count()).select_from(WebhookForward)) or 0


@on_both
def test_bodies_go_on_byte_for_byte(app: Flask, line: LineState, tools: tuple[Tool, Tool]) -> None:
    empty = b'{"destination":"U8e","events":[]}'
    sent = [_body(1), _body(2), empty]
    signatures = [_post(app, body) for body in sent]
    assert [status for status, _ in signatures] == [200, 200, 200]
    assert line.session.scalar(select(func.count()).select_from(InboxEvent)) == 2
    _forward(line, lambda: _waiting(line) == 0)
    for tool, path in zip(tools, ("/hook?token=planted", "/webhook"), strict=True):
        assert [body for body, _, _ in tool.got] == sent
        assert [signature for _, signature, _ in tool.got] == [one for _, one in signatures]
        assert {where for _, _, where in tool.got} == {path}


def test_what_is_not_lines_goes_nowhere(app: Flask, line: LineState) -> None:
    client = app.test_client()
    for body, signature in ((_body(), "AAAA"), (b"no JSON", None)):
        signed = signature or sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
        answer = client.post("/line/webhook", data=body, headers={"X-Line-Signature": signed})
        assert answer.status_code == 400
    assert _waiting(line) == 0


@on_both
def test_who_refuses_is_asked_again_and_costs_nobody_else(
    app: Flask, line: LineState, tools: tuple[Tool, Tool], caplog: pytest.LogCaptureFixture
) -> None:
    refusing, other = tools
    # A redirect is no acceptance, and is not followed.
    refusing.status = 302
    _post(app, _body(1))
    _post(app, _body(2))
    _forward(line, lambda: _waiting(line) == 2 and len(refusing.got) == 1)
    assert len(other.got) == 2
    assert "planted" not in caplog.text
    for _time in range(5):
        forward_due(line)
    assert len(refusing.got) == 1, "it is left alone for a while"

    refusing.status = 200
    _later(line, timedelta(minutes=1))
    _forward(line, lambda: _waiting(line) == 0)
    assert sorted({body for body, _, _ in refusing.got}) == sorted({b for b, _, _ in other.got})
    assert len(other.got) == 2


def _has_got(tool: Tool, count: int) -> bool:
    return len(tool.got) == count


def test_who_hangs_holds_nobody_up(app: Flask, line: LineState, tools: tuple[Tool, Tool]) -> None:
    hanging, other = tools
    hanging.gate.clear()
    for number in range(1, 6):
        assert _post(app, _body(number))[0] == 200
        # The hanging one holds the first all the time.
        _forward(line, partial(_has_got, other, number))
    assert hanging.got == []
    hanging.gate.set()
    _later(line, timedelta(minutes=5))
    _forward(line, lambda: _waiting(line) == 0)
    assert {body for body, _, _ in hanging.got} == {body for body, _, _ in other.got}


def test_in_the_end_it_is_given_up(
    app: Flask,
    line: LineState,
    tools: tuple[Tool, Tool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tools[0].status = 503
    _post(app, _body(1))
    _forward(line, lambda: _waiting(line) == 1)
    _later(line, forwarding.GIVE_UP_AFTER + timedelta(minutes=1))
    _forward(line, lambda: _waiting(line) == 0)
    assert "any more" in caplog.text
    # Of too many the oldest go.
    monkeypatch.setattr(forwarding, "MOST_WAITING", 2)
    for number in range(2, 6):
        _post(app, _body(number))
    bodies = select(WebhookForward.body).where(WebhookForward.target == _key(line, 0))
    assert len(line.session.scalars(bodies).all()) == 4
    sweep(line, seconds=30)
    kept = line.session.scalars(bodies.order_by(WebhookForward.id)).all()
    assert [b"XKC004" in kept[0], b"XKC005" in kept[1], len(kept)] == [True, True, 2]
    line.session.execute(update(WebhookForward).values(received_at=line.clock() - timedelta(1)))
    line.session.commit()
    sweep(line, seconds=30)
    assert _waiting(line) == 0


def _key(line: LineState, number: int) -> str:
    return line.part(forwarding.Forwarding).targets[number].key


def _later(line: LineState, span: timedelta) -> None:
    at = line.clock() + span
    line.clock = lambda: at


def test_a_worker_that_died_is_succeeded(
    app: Flask, line: LineState, tools: tuple[Tool, Tool]
) -> None:
    _post(app, _body(1))
    target = line.part(forwarding.Forwarding).targets[0]
    assert len(forwarding._claim(line.session, target, now=line.clock())) == 1
    assert forwarding._claim(line.session, target, now=line.clock()) == []
    _later(line, forwarding.LEASE + timedelta(seconds=1))
    _forward(line, lambda: _waiting(line) == 0)
    assert len(tools[0].got) == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("http://tool.example/webhook", "begin with https"),
        ("tool.example", "begin with https"),
        ("https://user:planted@tool.example/", "without a user name"),
        ("https://shop.example/line/webhook", "own webhook"),
        (7, "list of names"),
    ],
)
def test_addresses_that_can_not_be(value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        Config.from_mapping({**SETTINGS, "LINECONNECT_FORWARD_WEBHOOKS": value})
    assert "planted" not in str(raised.value)


def test_secrets_in_addresses_are_not_shown() -> None:
    addresses = ["https://tool.example/hook?key=planted"]
    config = Config.from_mapping({**SETTINGS, "LINECONNECT_FORWARD_WEBHOOKS": addresses})
    assert config.forward_webhooks == tuple(addresses)
    assert "planted" not in repr(config)


def test_the_doctor_and_the_metrics_say_who_takes_nothing(
    app: Flask, line: LineState, tools: tuple[Tool, Tool]
) -> None:
    registry = CollectorRegistry()
    LineMetrics(app, registry)
    (found,) = examine(line, names={"forwarding"})
    assert found.state == "fine"
    tools[0].status = 500
    _post(app, _body(1))
    _forward(line, lambda: _waiting(line) == 1 and len(tools[0].got) == 1)
    _later(line, timedelta(minutes=3))
    (found,) = examine(line, names={"forwarding"})
    host = tools[0].url.removeprefix("http://")
    assert found.state == "doubtful"
    assert host in found.text
    assert "planted" not in found.text
    shown = generate_latest(registry).decode()
    assert f'lineconnect_forwards_waiting{{host="{host}"}} 1.0' in shown
    assert tools[1].url.removeprefix("http://") not in shown
