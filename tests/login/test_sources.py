"""Where somebody came from: labels that the shop made count, and what others write does not."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask import render_template_string
from flask import url_for
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.models import Account
from flask_lineconnect.models import LoginAttempt
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import open_as
from tests.people import press
from tests.people import sign_up

pytestmark = [
    pytest.mark.joined,
    pytest.mark.parametrize("database", DATABASES, indirect=True),
]


def _registered_from(
    client: FlaskClient, browser: LineBrowser, address: str, line: LineState
) -> str | None:
    """Register with LINE from an address of a login; return what is kept of where it was."""
    parts = urlsplit(address)
    client.get(browser.log_in(client.get(f"{parts.path}?{parts.query}").location))
    press(client, "/line/sign-up", display_name="佐藤")
    line.session.rollback()
    return line.session.scalars(select(Account.link_source)).one()


def _made_by_command(app: Flask, label: str) -> str:
    answer = app.test_cli_runner().invoke(commands, ["store-qr", label])
    assert answer.exit_code == 0, answer.output
    return answer.output.strip()


@pytest.mark.parametrize("label", ["made-up", "<b>店</b>", "x" * 300, "a\0b", " ", "棚3"])
def test_a_label_that_nobody_made_is_dropped(
    client: FlaskClient, line: LineState, sakura: LineBrowser, label: str
) -> None:
    with client.application.test_request_context():
        address = url_for("lineconnect.login", source=label, made="x")
    assert _registered_from(client, sakura, address, line) is None
    assert set(line.session.scalars(select(LoginAttempt.source)).all()) == {None}


def test_a_store_qr_code_of_the_command_counts(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    address = _made_by_command(app, "棚3")
    assert address.endswith("/line/login?source=%E6%A3%9A3")
    assert _made_by_command(app, "棚3") == address
    assert _registered_from(client, sakura, address, line) == "棚3"


def test_blanks_around_a_label_lose_nothing(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    _made_by_command(app, "shelf-3")
    address = "/line/login?source=%20shelf-3%20"
    assert _registered_from(client, sakura, address, line) == "shelf-3"


@pytest.mark.parametrize(
    "template",
    [
        "{{ lineconnect.store_url('カウンター') }}",
        "{{ url_for('lineconnect.login', source='カウンター') }}",
        "{{ url_for('lineconnect.login', source='カウンター', next='/private', _external=True) }}",
    ],
)
def test_a_label_in_the_shops_templates_counts(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser, template: str
) -> None:
    with app.test_request_context():
        address = unescape(render_template_string(template))
    assert _registered_from(client, sakura, address, line) == "カウンター"


def test_a_labels_proof_is_no_other_labels(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    address = line.url_for("lineconnect.login", source="shelf-3")
    forged = address.replace("shelf-3", "shelf-4")
    assert _registered_from(client, sakura, forged, line) is None


def test_labels_outlive_the_change_of_a_key(
    app: Flask, client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    printed = line.url_for("lineconnect.login", source="flyer")
    app.config["SECRET_KEY_FALLBACKS"] = [app.secret_key]
    app.secret_key = "a new secret key for tests"
    assert _registered_from(client, sakura, printed, line) == "flyer"


@pytest.mark.parametrize(("label", "kept"), [("made-up", "member-page"), ("liff", "liff")])
def test_a_form_that_links_names_no_other(
    client: FlaskClient, line: LineState, sakura: LineBrowser, label: str, kept: str
) -> None:
    open_as(client, add_member(line))
    form = {"csrf_token": client.get("/token").text, "source": label}
    client.get(sakura.log_in(client.post("/line/link", data=form).location))
    press(client, "/line/link/confirm")
    line.session.rollback()
    assert line.session.scalars(select(Account.link_source)).all() == [kept]


def test_our_own_buttons_count(client: FlaskClient, line: LineState, sakura: LineBrowser) -> None:
    assert _registered_from(client, sakura, "/line/login?source=registration", line) == (
        "registration"
    )


def test_without_a_label_there_is_none(
    client: FlaskClient, line: LineState, sakura: LineBrowser
) -> None:
    sign_up(client, sakura)
    line.session.rollback()
    assert line.session.scalars(select(Account.link_source)).all() == [None]
