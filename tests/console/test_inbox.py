"""The inbox: who waits the longest comes first, and each question is answered once."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in
from tests.small_shop import User

from .conftest import CONSOLE
from .conftest import Open
from .conftest import Questions
from .conftest import StaffedShop

INBOX = f"{CONSOLE}/inbox"


@pytest.fixture
def questions(staffed: StaffedShop) -> Questions:
    """Return the shop's questions."""
    assert isinstance(staffed.inquiries, Questions)
    return staffed.inquiries


@pytest.fixture
def hanako(line: LineState, questions: Questions) -> User:
    """Return a linked member with a question."""
    member = add_member(line, "山田 花子")
    link(line, member)
    questions.ask(member, "<b>お茶</b>は届きますか？")
    return member


def _answer(client: FlaskClient, key: str = "q1", text: str = "明日届きます") -> int:
    form = {"csrf_token": token_in(client.get(INBOX)), "key": "f", "text": text}
    return client.post(f"{INBOX}/{key}/reply", data=form).status_code


def test_an_empty_inbox_teaches_what_comes_here(owner: FlaskClient) -> None:
    assert "お待ちのお客様はいません" in owner.get(INBOX).text


def test_who_waits_is_on_every_page(owner: FlaskClient, hanako: User) -> None:
    assert '<span class="lc-count">1' in owner.get(f"{CONSOLE}/").text
    assert "お客様が1人、返信をお待ちです" in owner.get(f"{CONSOLE}/").text
    page = owner.get(INBOX).text
    assert "&lt;b&gt;お茶" in page
    assert "<b>お茶" not in page


def test_a_question_is_answered_in_the_chat_and_waits_no_more(
    open_console: Open, hanako: User, line: LineState, questions: Questions
) -> None:
    assert _answer(open_console("editor")) == 303
    line.session.rollback()
    (row,) = line.session.scalars(select(OutboxMessage))
    assert json.loads(row.messages)[0]["text"] == "明日届きます"
    assert questions.open == {}


def test_of_two_who_answer_at_once_the_second_sends_nothing(
    open_console: Open, hanako: User, line: LineState, questions: Questions
) -> None:
    first, second = open_console("editor"), open_console("owner")
    token = token_in(second.get(INBOX))
    assert _answer(first) == 303
    form = {"csrf_token": token, "key": "g", "text": "明日です"}
    late = second.post(f"{INBOX}/q1/reply", data=form)
    assert late.status_code == 400
    assert "ほかの方が先に対応しました" in late.text
    line.session.rollback()
    assert len(line.session.scalars(select(OutboxMessage)).all()) == 1


def test_nothing_is_done_where_the_words_are_refused(
    owner: FlaskClient, hanako: User, questions: Questions
) -> None:
    assert _answer(owner, text=" ") == 400
    assert list(questions.open) == ["q1"]


def test_somebody_whom_the_shop_does_not_know_can_be_done_with(
    owner: FlaskClient, questions: Questions
) -> None:
    questions.ask(None, "営業時間は？")
    page = owner.get(INBOX)
    assert 'name="text"' not in page.text
    form = {"csrf_token": token_in(page)}
    assert owner.post(f"{INBOX}/q1/done", data=form).status_code == 303
    assert questions.open == {}


def test_a_shop_without_questions_has_no_inbox(
    owner: FlaskClient, staffed: StaffedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staffed, "inquiries", None)
    assert "受信箱" not in owner.get(f"{CONSOLE}/").text
    assert owner.get(INBOX).status_code == 404
