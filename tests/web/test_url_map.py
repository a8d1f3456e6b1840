"""Every route of the extension, found by walking the URL map: CSRF, headers, who writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.routing import Rule

from flask_lineconnect.models import LineBase
from flask_lineconnect.state import LineState
from flask_lineconnect.web.neighbours import WEBHOOK
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import Purchase
from tests.small_shop import db

PREFIX = "lineconnect."
STATIC = {"lineconnect.static", "lineconnect.liff_static"}


def _rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(PREFIX) and rule.endpoint not in STATIC:
            yield rule


def _path(app: Flask, rule: Rule) -> str:
    with app.test_request_context():
        values: dict[str, Any] = dict.fromkeys(rule.arguments, "N-1")
        return app.url_for(rule.endpoint, **values)


def _books(line: LineState) -> dict[str, Any]:
    """Return how many rows each table has, and the accounts as they are."""
    line.session.rollback()
    books: dict[str, Any] = {
        table.name: line.session.scalar(select(func.count()).select_from(table))
        for table in LineBase.metadata.sorted_tables
    }
    account = LineBase.metadata.tables["lineconnect_account"]
    books["accounts"] = [tuple(row) for row in line.session.execute(select(account))]
    return books


@pytest.fixture
def member_client(client: FlaskClient, line: LineState) -> FlaskClient:
    """Return the browser of a linked member."""
    hanako = add_member(line)
    link(line, hanako)
    db.session.add(Purchase(number="N-1", user_id=hanako.id))
    db.session.commit()
    return open_as(client, hanako)


def test_there_are_routes_to_walk(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in _rules(app)}
    assert {"lineconnect.callback", "lineconnect.unlink", WEBHOOK} <= endpoints
    assert len(endpoints) >= 14


def test_S6_3_every_change_needs_a_csrf_token(
    app: Flask, member_client: FlaskClient, line: LineState
) -> None:
    before = _books(line)
    walked = set()
    for rule in _rules(app):
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            if rule.endpoint == WEBHOOK:
                continue
            for form in ({}, {"csrf_token": "planted"}):
                answer = member_client.open(_path(app, rule), method=method, data=form)
                assert answer.status_code == 400, rule
                assert "csrf" in answer.text, rule
            walked.add(rule.endpoint)
    assert {"lineconnect.link", "lineconnect.unlink", "lineconnect.liff_session"} <= walked
    assert _books(line) == before


def test_S6_3_a_shops_own_protection_lets_only_the_webhook_past(
    make_app: MakeApp,
) -> None:
    app = make_app()
    protection = CSRFProtect(app)
    exempt = {view for view in protection._exempt_views if "lineconnect" in view}
    client = app.test_client()
    assert client.post("/line/webhook").text != "The CSRF token is missing."
    exempt = {view for view in protection._exempt_views if "lineconnect" in view}
    assert exempt == {"flask_lineconnect.webhooks.views.webhook"}


def test_S6_3_reading_changes_nothing(
    app: Flask, member_client: FlaskClient, line: LineState
) -> None:
    before = _books(line)
    for rule in _rules(app):
        for method in {"GET", "HEAD", "OPTIONS"} & (rule.methods or set()):
            for query in ("", "?next=/private&source=x&code=a&state=b&linkToken=c"):
                answer = member_client.open(_path(app, rule) + query, method=method)
                assert answer.status_code < 500, rule
    assert _books(line) == before


def test_S6_4_every_answer_carries_its_headers(app: Flask, member_client: FlaskClient) -> None:
    for rule in _rules(app):
        if "GET" not in (rule.methods or set()):
            continue
        answer = member_client.get(_path(app, rule))
        assert answer.headers["Cache-Control"] == "no-store", rule
        assert answer.headers["X-Content-Type-Options"] == "nosniff", rule
        assert answer.headers["Referrer-Policy"] == "same-origin", rule
        if answer.mimetype == "text/html":
            policy = answer.headers["Content-Security-Policy"]
            assert "'nonce-" in policy, rule
            assert "frame-ancestors 'none'" in policy, rule


def test_S1_2_no_route_believes_what_a_page_says_about_itself(
    app: Flask, client: FlaskClient, line: LineState
) -> None:
    claims = {"line_user_id": "U" + "a" * 32, "member_id": "1", "email": "hanako@mail.example"}
    for rule in _rules(app):
        if "GET" in (rule.methods or set()):
            client.get(_path(app, rule), query_string=claims, headers={"X-Line-User-Id": "U1"})
            assert client.get("/private").status_code == 302, rule
