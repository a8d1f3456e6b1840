"""Requests to LINE: bounded in time and length, never redirected, connections kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest
import requests

from flask_lineconnect import LineApiError
from flask_lineconnect.line_api import http
from flask_lineconnect.line_api.http import LineHttp


class Host(BaseHTTPRequestHandler):
    """Answers as badly as a host can."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]] = set()  # noqa: RUF012  # of one test; the fixture clears it
    paths: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer by the path."""
        self.connections.add(self.client_address)
        self.paths.append(self.path)
        content = {"/long": b"x" * 3_000, "/list": b"[1]", "/odd": b"\xff{"}.get(self.path)
        if self.path == "/slow":
            time.sleep(1)
        if self.path.startswith("/drip"):
            self._drip()
            return
        self.send_response(302 if self.path == "/elsewhere" else 200)
        if self.path == "/elsewhere":
            self.send_header("Location", "/stolen")
        self._finish(content or b'{"a": 1}')

    def do_POST(self) -> None:
        """Answer with what was sent."""
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        seen = {"sent": sent, "type": self.headers["Content-Type"]}
        self.send_response(400)
        self._finish(json.dumps({**seen, "auth": self.headers["Authorization"]}).encode())

    def _drip(self) -> None:
        """Answer byte by byte, each soon enough for a timeout of its own; headers too if asked."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
        slowly = self.path == "/drip-headers"
        if not slowly:
            self.wfile.write(head)
        with suppress(OSError):
            for byte in (head if slowly else b"") + b'{"a": 1}' + b" " * 32:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)
        self.close_connection = True

    def _finish(self, content: bytes) -> None:
        self.send_header("Set-Cookie", "person=1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def line_http() -> Iterator[LineHttp]:
    """Return requests to a host of our own."""
    Host.connections.clear()
    Host.paths.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield LineHttp(f"http://127.0.0.1:{server.server_port}", 0.3)
        server.shutdown()


def test_an_answer_is_a_status_and_an_object(line_http: LineHttp) -> None:
    answer = line_http.ask("GET", "/a", query={"b": "c d"})
    assert (answer.status, answer.content) == (200, {"a": 1})
    assert Host.paths == ["/a?b=c+d"]


def test_forms_objects_and_tokens_are_sent_as_line_expects(line_http: LineHttp) -> None:
    form = line_http.ask("POST", "/", form={"a": "b c"}).content
    assert form["sent"] == "a=b+c"
    assert form["type"] == "application/x-www-form-urlencoded"
    body = line_http.ask("POST", "/", body={"a": "b"}, bearer="t").content
    assert body == {"sent": '{"a": "b"}', "type": "application/json", "auth": "Bearer t"}


@pytest.mark.parametrize("path", ["/list", "/odd"])
def test_S1_5_anything_but_an_object_counts_as_nothing(line_http: LineHttp, path: str) -> None:
    assert line_http.ask("GET", path).content == {}


def test_S1_5_redirects_are_not_followed(line_http: LineHttp) -> None:
    assert line_http.ask("GET", "/elsewhere", bearer="secret").status == 302
    assert Host.paths == ["/elsewhere"]


def test_S1_5_a_long_answer_is_an_error(
    line_http: LineHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1_000)
    with pytest.raises(LineApiError, match="too long"):
        line_http.ask("GET", "/long")
    with requests.Session() as session:
        line_http.equip(session)
        with pytest.raises(requests.RequestException, match="too long"):
            session.get(line_http._origin + "/long", **line_http.options)


def test_S1_5_a_slow_host_is_given_up(line_http: LineHttp) -> None:
    with pytest.raises(LineApiError, match="did not answer /slow") as error:
        line_http.ask("GET", "/slow")
    assert error.value.is_retryable


def test_S1_5_certificates_are_checked() -> None:
    assert LineHttp("https://api.line.me", 1)._verify is not False


def test_connections_outlive_a_session(line_http: LineHttp) -> None:
    for _visit in range(3):
        with requests.Session() as session:
            line_http.equip(session)
            session.get(line_http._origin + "/a", **line_http.options)
        line_http.ask("GET", "/a")
    # One of Authlib's sessions, one of our own.
    assert len(Host.connections) == 2


@pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
def test_S1_5_an_answer_byte_by_byte_ends_at_the_limit(line_http: LineHttp, path: str) -> None:
    with pytest.raises(LineApiError, match="did not answer"):
        line_http.ask("GET", path)
    assert line_http.ask("GET", "/a").status == 200


def test_S1_5_so_does_one_to_authlib(line_http: LineHttp) -> None:
    with requests.Session() as session:
        line_http.equip(session)
        with pytest.raises(requests.RequestException):
            session.get(f"{line_http._origin}/drip", **line_http.options)
        assert session.get(f"{line_http._origin}/a", **line_http.options).json() == {"a": 1}
