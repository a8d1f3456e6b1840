"""Whatever is sent to whatever route, nothing ends in an error of ours: every route, odd values."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link
from tests.people import open_as

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

#: As they come in an address or a form: nothing, NUL, signs that turn the direction of text, a
#: number that is none, more than anybody types, addresses elsewhere.
ODD = ["", "a\0b", "\u202e\x1b[31m", "9" * 400, "あ" * 5_000, "/\\\t//evil.example%00%ff"]
#: What our routes read, in addresses and forms.
NAMES = [
    "next",
    "source",
    "state",
    "code",
    "linkToken",
    "display_name",
    "email",
    "phone",
    "postal_code",
    "birthday",
    "terms",
    "page",
    "before",
    "language",
    "category",
    "quantity",
    "date",
    "slot",
    "coupon",
]
DOORS = ["/line/liff/session", "/line/liff/link"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _paths(app: Flask, value: str) -> list[tuple[str, str, str]]:
    """Return endpoint, method and path of every route, with a value in place of its variables."""
    adapter = app.url_map.bind("shop.example", url_scheme="https")
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("lineconnect.") or "static" in rule.endpoint:
            continue
        inside = value.replace("/", "") or "x"
        path = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, inside))
        found += [(rule.endpoint, method, path) for method in sorted(rule.methods or ())]
    return found


def _token(client: FlaskClient) -> str:
    found = re.search(r'(?:data-csrf-token|value)="([^"]{40,})"', client.get("/line/unlink").text)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("value", "is_member"),
    [*((value, True) for value in ODD), (ODD[1], False)],
    ids=lambda value: ascii(value)[:20],
)
def test_S1_1_odd_values_are_refused_or_read_as_text(
    app: Flask, line: LineState, value: str, is_member: bool
) -> None:
    member = add_member(line)
    link(line, member)
    for endpoint, method, path in _paths(app, value):
        client = app.test_client()
        if is_member:
            open_as(client, member)
        odd = dict.fromkeys(NAMES, value)
        sent: dict[str, Any] = {"query_string": odd, "method": method}
        if method == "POST":
            sent["data"] = {**odd, "csrf_token": _token(client)}
        answer = client.open(path, **sent)
        assert answer.status_code < 500, (endpoint, method)
        line.session.rollback()


def _send(app: Flask, door: str, body: bytes) -> TestResponse:
    client = app.test_client()
    page = client.get("/line/liff").text
    token = re.search(r'data-csrf-token="([^"]+)"', page)
    assert token
    headers = {"X-CSRFToken": token[1], "Origin": app.config["LINECONNECT_BASE_URL"]}
    return client.post(door, data=body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"id_token":' * 2_000, b"\xff", b'{"id_token": "' + b"a" * 50_000 + b'"}'],
    ids=["deep list", "deep object", "no text", "long"],
)
def test_S1_1_deep_and_long_bodies_are_refused(app: Flask, door: str, body: bytes) -> None:
    answer = _send(app, door, body)
    assert 400 <= answer.status_code < 500
    assert answer.get_json()["step"]


@given(body=anything, door=st.sampled_from(DOORS))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_S1_1_generated_bodies_are_refused(app: Flask, body: object, door: str) -> None:
    for sent in (body, {"id_token": body, "next": body}):
        answer = _send(app, door, json.dumps(sent).encode(errors="surrogatepass"))
        assert 400 <= answer.status_code < 500
        assert answer.get_json()["step"]
