"""S10.1: who may enter the console, asked at every route of the URL map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from flask_lineconnect import UsageError
from flask_lineconnect.console.routes import BY_ENDPOINT
from flask_lineconnect.console.routes import ROLES as FROM_LEAST
from flask_lineconnect.console.routes import ROUTES
from flask_lineconnect.models import LineBase
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import MakeApp
from tests.people import log_in
from tests.people import open_as
from tests.people import press
from tests.people import token_in
from tests.small_shop import User
from tests.small_shop import db

from .conftest import CONSOLE
from .conftest import Open
from .conftest import StaffedShop

PREFIX = "lineconnect_console."
WHO = ("owner", "editor", "viewer", "customer", None)


def _walk(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Return each route of the console with each of its methods and an address."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(PREFIX):
            with app.test_request_context():
                values: dict[str, Any] = dict.fromkeys(rule.arguments, "1")
                path = app.url_for(rule.endpoint, **values)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield rule, method, path


def _rows(line: LineState) -> dict[str, int | None]:
    line.session.rollback()
    return {
        table.name: line.session.scalar(select(func.count()).select_from(table))
        for table in LineBase.metadata.sorted_tables
    }


def _is_enough(who: str | None, rule: Rule) -> bool:
    needed = BY_ENDPOINT[rule.endpoint.removeprefix(PREFIX)].role
    return who in FROM_LEAST and FROM_LEAST.index(who) >= FROM_LEAST.index(needed)


def test_S10_1_every_route_of_the_map_is_in_the_table_of_roles(app: Flask) -> None:
    walked = {rule.endpoint.removeprefix(PREFIX) for rule, _method, _path in _walk(app)}
    assert walked == {route.endpoint for route in ROUTES}
    assert len(walked) > 5


@pytest.mark.parametrize("who", WHO)
def test_S10_1_each_page_opens_for_whom_the_table_says(
    app: Flask, open_console: Open, line: LineState, who: str | None
) -> None:
    client = open_console(who)
    token = client.get("/token").text
    before = _rows(line)
    for rule, method, path in _walk(app):
        form = {"csrf_token": token} if method == "POST" else None
        if method == "POST" and _is_enough(who, rule):
            continue
        answer = client.open(path, method=method, data=form, buffered=True)
        if who is None:
            assert answer.status_code == 302, path
            assert answer.location.startswith("/log-in?next="), path
        elif not _is_enough(who, rule):
            assert answer.status_code == 403, (path, who)
            assert "Traceback" not in answer.text
        else:
            # Whoever is not linked has no link to end.
            assert answer.status_code in {200, 303, 404}, (path, answer.status)
    assert _rows(line) == before, "GET changes nothing"


def test_S6_3_every_change_in_the_console_needs_a_csrf_token(
    app: Flask, owner: FlaskClient, line: LineState
) -> None:
    before, walked = _rows(line), 0
    for _rule, method, path in _walk(app):
        if method != "POST":
            continue
        for form in ({}, {"csrf_token": "planted"}):
            answer = owner.post(path, data=form)
            assert answer.status_code == 400, path
            walked += 1
    assert walked
    assert _rows(line) == before


def test_S6_4_pages_of_the_console_are_closed_to_everything_foreign(
    app: Flask, open_console: Open
) -> None:
    for who in ("owner", "customer"):
        client = open_console(who)
        for _rule, method, path in _walk(app):
            if method != "GET":
                continue
            headers = client.get(path, buffered=True).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "line.me" not in policy
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"


def test_no_page_has_styles_or_scripts_that_the_policy_would_stop(
    app: Flask, owner: FlaskClient
) -> None:
    for _rule, method, path in _walk(app):
        if method == "GET" and not path.endswith((".csv", ".svg", ".json")):
            page = owner.get(path).text
            assert " style=" not in page, path
            assert " onclick=" not in page, path
            assert "<script>" not in page, path


def test_a_customer_is_told_in_our_own_words(open_console: Open) -> None:
    answer = open_console("customer").get(f"{CONSOLE}/")
    assert answer.status_code == 403
    assert "スタッフ用の画面です" in answer.text
    assert "lc-tabbar" not in answer.text


def test_a_viewer_hears_which_role_is_needed(open_console: Open) -> None:
    answer = open_console("viewer").get(f"{CONSOLE}/audit")
    assert answer.status_code == 403
    assert "「店主」" in answer.text


def test_a_program_is_answered_in_json(open_console: Open) -> None:
    for who, status, step in (("customer", 403, "staff"), (None, 401, "session")):
        answer = open_console(who).get(f"{CONSOLE}/", headers={"Accept": "application/json"})
        assert answer.status_code == status
        assert answer.json
        assert answer.json["step"] == step


def test_S2_8_line_never_opens_the_console(
    staffed: StaffedShop, joined_app: Flask, sakura: LineBrowser
) -> None:
    """Somebody whom LINE logged in is a customer, whatever the shop says of them."""
    client = joined_app.test_client()
    log_in(client, sakura)
    press(client, "/line/sign-up", display_name="店主", email="")
    assert client.get("/name").text == "店主"
    answer = client.get(f"{CONSOLE}/")
    assert answer.status_code == 403
    with joined_app.app_context():
        member = db.session.query(User).filter_by(name="店主").one()
        other = open_as(joined_app.test_client(), member)
    assert other.get(f"{CONSOLE}/").status_code == 200


def test_without_a_word_of_the_shop_there_is_no_console(make_app: MakeApp) -> None:
    app = make_app()
    assert not any(rule.endpoint.startswith(PREFIX) for rule in app.url_map.iter_rules())
    assert app.test_client().get(f"{CONSOLE}/").status_code == 404


def test_a_wrong_role_is_a_mistake_that_says_its_mend(
    app: Flask, owner: FlaskClient, staffed: StaffedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(staffed), "staff_role", lambda _self, _user: "king")
    with pytest.raises(UsageError, match="owner, editor, viewer"):
        owner.get(f"{CONSOLE}/")


def test_it_lives_where_the_setting_says(staffed: StaffedShop, make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_CONSOLE_PATH="/back/line")
    assert app.test_client().get("/back/line/").status_code == 302
    assert app.test_client().get(f"{CONSOLE}/").status_code == 404


def test_it_works_under_an_app_wide_csrf_protection(
    staffed: StaffedShop, make_app: MakeApp
) -> None:
    app = make_app(after=[CSRFProtect], WTF_CSRF_CHECK_DEFAULT=True)
    with app.app_context():
        member = User(name="店主", email="o@mail.example")
        db.session.add(member)
        db.session.commit()
        key = member.id
    client = app.test_client()
    token = client.get("/token").text
    assert client.post(f"/password-login/{key}", data={"csrf_token": token}).text == "in"
    page = client.get(f"{CONSOLE}/more")
    form = {"csrf_token": token_in(page), "language": "en", "from": "more"}
    assert client.post(f"{CONSOLE}/language", data=form).status_code == 303
    assert "Keyboard" in client.get(f"{CONSOLE}/more").text


def test_it_works_below_a_path_and_behind_a_proxy(staffed: StaffedShop, make_app: MakeApp) -> None:
    app = make_app(LINECONNECT_BASE_URL="https://shop.example/tea")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    with app.app_context():
        member = User(name="店主", email="o@mail.example")
        db.session.add(member)
        db.session.commit()
        client = open_as(app.test_client(), member)
    behind = {"X-Forwarded-Prefix": "/tea", "X-Forwarded-Proto": "https"}
    page = client.get(f"{CONSOLE}/", headers=behind).text
    assert 'href="/tea/line-admin/audit"' in page
    assert 'href="/tea/line/static/' in page
    stranger = app.test_client().get(f"{CONSOLE}/", headers=behind)
    assert stranger.location == "/tea/log-in?next=%2Ftea%2Fline-admin%2F"


def test_an_unknown_page_is_answered_by_the_shop(owner: FlaskClient) -> None:
    assert owner.get(f"{CONSOLE}/none").status_code == 404
