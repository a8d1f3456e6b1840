"""A page is led back to as the browser asked for it, whatever its path holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_lineconnect import auto_login
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.web.addresses import here
from flask_lineconnect.web.addresses import here_with_query
from tests.people import IN_APP
from tests.people import sign_up

PATHS = [
    "/tea/a%2Fb",
    "/tea/a%3Fb",
    "/tea/a%23b",
    "/tea/100%25",
    "/tea/%2525",
    "/tea/%E8%8C%B6%20%E3%81%A1%E3%82%83",
    "/tea/a+b",
    "/tea/a:b@c",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "a=%2F%3F%23%25&b=1"])
def test_S4_4_an_address_is_as_it_was_asked_for(app: Flask, path: str, query: str) -> None:
    with app.test_request_context(f"{path}?{query}" if query else path):
        assert here() == path
        assert here_with_query() == (f"{path}?{query}" if query else path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_told_whole", [True, False], ids=["whole", "without the prefix"])
def test_S4_4_so_it_is_below_a_path(app: Flask, path: str, is_told_whole: bool) -> None:
    raw = f"/shop{path}" if is_told_whole else path
    told: dict[str, Any] = {"SCRIPT_NAME": "/shop", "RAW_URI": raw, "REQUEST_URI": raw}
    with app.test_request_context(path, environ_overrides=told):
        assert here() == f"/shop{path}"


@pytest.mark.parametrize("path", PATHS[1:])
def test_S4_4_a_server_that_does_not_tell_loses_encoded_slashes_alone(
    app: Flask, path: str
) -> None:
    untold: dict[str, Any] = {"RAW_URI": "", "REQUEST_URI": ""}
    with app.test_request_context(path, environ_overrides=untold):
        assert here() == path


def test_S1_6_what_the_server_tells_of_another_path_is_not_believed(app: Flask) -> None:
    for raw in ("/elsewhere", "//evil.example/tea", "https://evil.example/tea", "*"):
        with app.test_request_context("/tea", environ_overrides={"RAW_URI": raw}):
            assert here() == "/tea"


@pytest.mark.joined
@pytest.mark.parametrize("path", PATHS)
def test_S4_4_an_auto_login_comes_back_to_it(
    app: Flask, client: FlaskClient, sakura: LineBrowser, path: str
) -> None:
    app.add_url_rule("/tea/<path:name>", view_func=auto_login(lambda name: name), endpoint="tea")
    sign_up(client, sakura)
    phone = app.test_client()
    begun = phone.get(f"{path}?a=%2F", headers={"User-Agent": IN_APP}).location
    back = urlsplit(phone.get(sakura.log_in(begun)).location)
    assert (back.path, back.query) == (path, "a=%2F")


QUERIES = [
    "a=%2F%3F%23%25&b=1",
    "q=%25",
    "q=%2525",
    "q=a+b%20c",
    "q=caf%C3%A9&q=%E8%8C%B6",
    "q=%E3%81",
    "q=%ff",
    "q=",
    "q",
    "&&a=1&",
    "next=%2Fprivate&next=https%3A%2F%2Fx.example%2F",
    "a=1;b=2",
    "a%5B%5D=1",
    "code=c&state=s&error=access_denied",
]


@pytest.mark.joined
def test_S4_4_an_auto_login_comes_back_with_its_query(
    app: Flask, client: FlaskClient, sakura: LineBrowser
) -> None:
    app.add_url_rule("/tea/<path:name>", view_func=auto_login(lambda name: name), endpoint="tea")
    sign_up(client, sakura)
    for query in QUERIES:
        phone = app.test_client()
        begun = phone.get(f"/tea/a?{query}", headers={"User-Agent": IN_APP}).location
        assert phone.get(sakura.log_in(begun)).location == f"/tea/a?{query}", query
