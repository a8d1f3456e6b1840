"""Saved messages: written in the console, looked at by LINE, and of two who save nobody loses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.console import asking
from flask_lineconnect.console import messages as pages
from flask_lineconnect.errors import LineApiError
from flask_lineconnect.line_api.validating import Complaint
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import SavedMessage
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open
from .conftest import Questions
from .conftest import StaffedShop
from .test_composer import form_of

MESSAGES = f"{CONSOLE}/messages"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let LINE take everything, and keep what it was asked about."""
    found: list[Any] = []

    def take(_http: Any, _token: Any, messages: Any) -> tuple[Complaint, ...]:
        found.append(messages)
        return ()

    monkeypatch.setattr(asking, "validate", take)
    return found


def send(client: FlaskClient, path: str, message: Any = None, **form: str) -> TestResponse:
    """Send the form of a message."""
    data = {} if message is None else dict(form_of(message, pages.PREFIX))
    data |= {"csrf_token": token_in(client.get(f"{CONSOLE}/more"))} | form
    return client.post(f"{MESSAGES}{path}", data=data)


def kept(line: LineState) -> list[SavedMessage]:
    """Return all that is saved."""
    line.session.rollback()
    return list(line.session.scalars(select(SavedMessage).order_by(SavedMessage.label)))


def test_a_message_is_saved_and_changed(
    open_console: Open, line: LineState, asked: list[Any]
) -> None:
    client = open_console("editor")
    assert (
        send(client, "/new", {"text": "{{ name }}様"}, do="save", label="挨拶").status_code == 303
    )
    (one,) = kept(line)
    assert (one.label, one.version, json.loads(one.message)) == (
        "挨拶",
        1,
        {"text": "{{ name }}様"},
    )
    assert asked == [[{"type": "text", "text": "あ" * 40 + "様"}]]
    page = client.get(MESSAGES).text
    assert "挨拶" in page
    assert "LINEの検査：問題ありません" in page
    path = f"/{one.name}/edit"
    assert "{{ name }}様" in client.get(f"{MESSAGES}{path}").text
    send(client, path, {"text": "やあ"}, do="save", label="挨拶2", version="1", is_phrase="1")
    (one,) = kept(line)
    assert (one.label, one.version, one.is_phrase) == ("挨拶2", 2, True)
    actions = line.session.scalars(select(AuditEntry.action)).all()
    assert actions == ["message-saved"] * 2


def test_the_second_of_two_is_told_and_loses_nothing(
    open_console: Open, line: LineState, asked: list[Any]
) -> None:
    client = open_console("editor")
    send(client, "/new", {"text": "一"}, do="save", label="挨拶")
    path = f"/{kept(line)[0].name}/edit"
    send(client, path, {"text": "早い"}, do="save", label="挨拶", version="1")
    page = send(client, path, {"text": "遅い"}, do="save", label="挨拶", version="1").text
    assert "ほかの方が先に" in page
    assert "遅い" in page
    send(client, path, {"text": "遅い"}, do="save-new", label="挨拶B", version="1")
    assert [json.loads(one.message)["text"] for one in kept(line)] == ["早い", "遅い"]


def test_what_line_would_refuse_is_not_saved(
    open_console: Open, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "validate", lambda *_: (Complaint(0, "text", "<b>too odd"),))
    page = send(open_console("editor"), "/new", {"text": "x"}, do="save", label="y").text
    assert "&lt;b&gt;too odd" in page
    assert kept(line) == []


def test_it_is_said_when_line_cannot_be_asked(
    open_console: Open, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise LineApiError("away", status=None, request_id=None)

    monkeypatch.setattr(asking, "validate", fail)
    client = open_console("editor")
    send(client, "/new", {"text": "x"}, do="save", label="y")
    assert len(kept(line)) == 1
    assert "LINEの検査はまだです" in client.get(MESSAGES).text


@pytest.mark.parametrize(
    ("message", "form", "words"),
    [
        ({"text": "x"}, {}, "名前を付けてください"),
        ({"text": ""}, {"label": "y"}, "書いてください"),
        ([{"text": "x"}, {"text": "z"}], {"label": "y", "is_phrase": "1"}, "文章が1つだけ"),
    ],
    ids=str,
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    open_console: Open, line: LineState, asked: list[Any], message: Any, form: Any, words: str
) -> None:
    answer = send(open_console("editor"), "/new", message, do="save", **form)
    assert answer.status_code == 200
    assert words in answer.text
    assert kept(line) == []
    assert asked == []


def test_a_message_is_copied_and_removed(
    open_console: Open, line: LineState, asked: list[Any]
) -> None:
    client = open_console("editor")
    send(client, "/new", {"text": "x"}, do="save", label="挨拶")
    name = kept(line)[0].name
    send(client, f"/{name}/copy")
    assert [row.label for row in kept(line)] == ["挨拶", "挨拶の写し"]
    assert "ほかの方が先に" in send(client, f"/{name}/remove", version="7").text
    send(client, f"/{name}/remove", version="1")
    assert [row.label for row in kept(line)] == ["挨拶の写し"]
    assert client.get(f"{MESSAGES}/{name}/edit").status_code == 404


def test_staff_without_line_are_told_how_to_test(
    open_console: Open, line: LineState, asked: list[Any]
) -> None:
    page = send(open_console("editor"), "/new", {"text": "x"}, do="test").text
    assert "連携すると使えます" in page
    assert line.session.scalars(select(OutboxMessage)).all() == []


def test_a_test_goes_to_who_is_here_alone(
    open_console: Open, line: LineState, asked: list[Any]
) -> None:
    client = open_console("editor")
    me = line.session.scalars(select(line.shop.model).where(line.shop.model.name == "担当")).one()
    account = link(line, me)
    page = send(client, "/new", {"text": "{{ name }}様"}, do="test").text
    assert "ご自分のLINEに送りました" in page
    (message,) = line.session.scalars(select(OutboxMessage)).all()
    assert message.account_id == account.id
    assert json.loads(message.messages)[0]["text"] == "担当様"


def test_phrases_are_offered_as_answers(
    open_console: Open, line: LineState, staffed: StaffedShop, asked: list[Any]
) -> None:
    client, member = open_console("editor"), add_member(line, "<b>花子")
    link(line, member)
    send(client, "/new", {"text": "{{ name }}様、<i>"}, do="save", label="礼", is_phrase="1")
    send(client, "/new", {"text": "送らない"}, do="save", label="別")
    assert isinstance(staffed.inquiries, Questions)
    staffed.inquiries.ask(member, "まだですか")
    for path in (f"/people/{member.id}", "/inbox"):
        page = client.get(f"{CONSOLE}{path}").text
        assert "&lt;b&gt;花子様、&lt;i&gt;" in page
        assert "送らない" not in page


def test_viewers_read_the_list_alone(open_console: Open, line: LineState, asked: list[Any]) -> None:
    send(open_console("editor"), "/new", {"text": "x"}, do="save", label="挨拶")
    viewer = open_console("viewer")
    page = viewer.get(MESSAGES).text
    assert "挨拶" in page
    assert "/edit" not in page
    assert viewer.get(f"{MESSAGES}/new").status_code == 403
