"""Answers that nobody can read, from each of LINE's endpoints: a typed error of that call."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import LineApiError
from flask_lineconnect import Refused
from flask_lineconnect.liff.id_token import LiffTokens
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.login.oidc import LineLogin
from flask_lineconnect.login.tokens import LoginTokenApi
from flask_lineconnect.login.tokens import LoginTokens
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp

#: What a page of a proxy's, or a LINE that is broken, may answer with 200.
BODIES = {
    "HTML": "<html>Please log in to the network</html>",
    "empty": "",
    "nothing in it": "{}",
    "null": "null",
    "a list": "[]",
    "a number": "1",
    "a text": '"text"',
    "half of it": '{"access_token": "',
    "too deep": "[" * 100_000,
    "wrong types": json.dumps(
        {
            name: [1, {"a": None}]
            for name in (
                *("value", "type", "totalUsage", "linkToken", "displayName", "richMenuId"),
                *("richmenus", "access_token", "expires_in", "keys", "client_id", "id_token"),
                *("userIds", "next"),
            )
        }
    ),
    "odd numbers": (
        '{"type": "limited", "value": 99999999999999999999, "totalUsage": -1, "access_token": 1,'
        ' "expires_in": Infinity, "richMenuId": 7, "linkToken": 7, "displayName": 7,'
        ' "richmenus": 7, "keys": 7, "client_id": 7, "userIds": 7, "next": 7}'
    ),
    "a limit without a number": '{"type": "limited", "totalUsage": 1e400}',
    "not UTF-8": "\udcff\udcfe",
}

#: Every method that calls LINE, and whether there is something in its answer that it needs.
CALLS: dict[str, tuple[Callable[[LineApi], object], bool]] = {
    "reply": (lambda api: api.reply("token", [{"type": "text", "text": "planted"}]), False),
    "quota": (lambda api: api.quota(), True),
    "set_webhook_endpoint": (lambda api: api.set_webhook_endpoint("https://shop.example"), False),
    "create_rich_menu": (lambda api: api.create_rich_menu({}, b"", "image/png"), True),
    "rich_menu_ids": (lambda api: api.rich_menu_ids(), True),
    "set_default_rich_menu": (lambda api: api.set_default_rich_menu("menu"), False),
    "delete_rich_menu": (lambda api: api.delete_rich_menu("menu"), False),
    "link_token": (lambda api: api.link_token("U" + "1" * 32), True),
    "profile": (lambda api: api.profile("U" + "1" * 32), True),
    "follower_ids": (lambda api: api.follower_ids(None), True),
    "link_rich_menu": (lambda api: api.link_rich_menu("U" + "1" * 32, "menu"), False),
    "unlink_rich_menu": (lambda api: api.unlink_rich_menu("U" + "1" * 32), False),
    "set_liff_endpoint": (
        lambda api: api.set_liff_endpoint("1650000001-DemoCard", "https://shop.example"),
        False,
    ),
}


class Stranger:
    """Answers every request alike."""

    def __init__(self) -> None:
        self.body = ""
        self.status = 200
        self.headers: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = outer.body.encode(errors="surrogateescape")
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _answer

            def log_message(self, *_arguments: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def stranger_server() -> Iterator[Stranger]:
    """Run what stands in LINE's place."""
    stranger = Stranger()
    thread = threading.Thread(target=stranger.server.serve_forever)
    thread.start()
    yield stranger
    stranger.server.shutdown()
    thread.join()
    stranger.server.server_close()


@pytest.fixture(params=[True, False], ids=["by LINE", "by a proxy"])
def stranger(stranger_server: Stranger, request: pytest.FixtureRequest) -> Stranger:
    """Return it, with LINE's request id or without."""
    stranger_server.status = 200
    stranger_server.headers = {"x-line-request-id": "1234-abcd"} if request.param else {}
    return stranger_server


@pytest.fixture
def app(make_app: MakeApp, stranger: Stranger) -> Flask:
    """Return the small shop, whose LINE is the stranger."""
    return make_app(
        LINECONNECT_EMULATOR_URL=stranger.url, LINECONNECT_CHANNEL_ACCESS_TOKEN="planted-token"
    )


def _try(api: LineApi, name: str) -> LineApiError | None:
    try:
        CALLS[name][0](api)
    except LineApiError as error:
        return error
    return None


def test_each_method_of_the_api_is_here() -> None:
    known = {name for name in vars(LineApi) if not name.startswith("_")}
    assert known - {"load", "hosts", "messaging_token", "login_token"} == set(CALLS)


def test_an_answer_that_cannot_be_read_is_an_error_of_its_call(
    line: LineState, stranger: Stranger, caplog: pytest.LogCaptureFixture
) -> None:
    api = line.part(LineApi)
    api.login_token = api.messaging_token
    caplog.set_level(logging.DEBUG, "flask_lineconnect")
    for kind, body in BODIES.items():
        stranger.body = body
        for name, (_call, is_read) in CALLS.items():
            error = _try(api, name)
            is_lines = bool(stranger.headers) or name == "set_liff_endpoint"
            assert (error is not None) == (is_read or not is_lines), (kind, name, error)
            if error is not None:
                assert error.is_retryable, (kind, name)
                assert body[:20] not in str(error) or body in ("", "1", "{}", "[]", "null")
    assert "network" not in caplog.text


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_refusal_is_lines_own_or_none(line: LineState, stranger: Stranger, status: int) -> None:
    stranger.status, stranger.body = status, "<html>planted words</html>"
    for name in CALLS.keys() - {"set_liff_endpoint"}:
        error = _try(line.part(LineApi), name)
        if name == "profile" and status == 404 and stranger.headers:
            assert error is None
            continue
        assert error is not None
        assert error.status == (status if stranger.headers else None)
        assert "planted" not in str(error)


def test_the_login_channels_endpoints_fail_in_a_typed_way(
    make_app: MakeApp, stranger: Stranger
) -> None:
    app = make_app(LINECONNECT_EMULATOR_URL=stranger.url)
    line = app.extensions["lineconnect"]
    now = datetime.now(UTC)
    tokens = LoginTokens("a", "r", 0, int(now.timestamp()) + 1000)
    login, api = line.part(LineLogin), line.part(LoginTokenApi)
    calls: dict[str, Callable[[], Any]] = {
        "exchange": lambda: login.fetch_identity(
            "code", redirect_uri="https://shop.example", nonce="n", code_verifier="v"
        ),
        "refresh": lambda: api.refresh(tokens, now=now),
        "verify": lambda: api.is_alive(tokens),
        "deauthorize": lambda: api.deauthorize(tokens),
        "keys": lambda: line.part(LiffTokens).verify("eyJraWQiOiJ4In0.e30.x"),
        "channel token": lambda: line.part(LineApi).messaging_token.get(),
    }
    for kind, body in BODIES.items():
        stranger.body = body
        for name, call in calls.items():
            # No identity without an ID token, as always.
            is_refused = name in {"exchange", "keys"}
            # LINE answers nothing at all when it did what it was told.
            is_well = name == "deauthorize" and (
                body == "" or body.startswith('{"') or body == "{}"
            )
            with app.app_context():
                error = _error_of(call)
            expected = (LineApiError, Refused) if is_refused else (LineApiError,)
            is_typed = isinstance(error, expected)
            assert is_typed or (is_well and error is None), (kind, name, error)


def _error_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:  # whichever it is, is what the test is about
        return error
    return None
