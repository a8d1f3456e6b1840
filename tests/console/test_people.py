"""Members in the console: found, listed by key, shown; unlinked, erased and exported, and noted."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from tests import small_shop
from tests.people import add_member
from tests.people import link
from tests.people import press
from tests.people import token_in
from tests.small_shop import User
from tests.small_shop import db

from .conftest import CONSOLE
from .conftest import Open

EVIL = '<img src=x onerror="alert(1)">{{ 7*7 }}'
PEOPLE = f"{CONSOLE}/people"


@pytest.fixture
def hanako(line: LineState) -> User:
    """Return a linked member."""
    member = add_member(line, "山田 花子")
    link(line, member)
    return member


def _entries(line: LineState) -> list[tuple[str, str | None, str | None]]:
    line.session.rollback()
    rows = line.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(row.action, row.staff, row.member_key) for row in rows]


def test_the_list_goes_on_by_key_and_shows_everybody_once(
    owner: FlaskClient, line: LineState
) -> None:
    db.session.add_all([User(name=f"会員{number:03}") for number in range(45)])
    db.session.commit()
    path, seen = PEOPLE, []
    for _page in range(4):
        page = owner.get(path).text
        seen += [part.partition("<")[0] for part in page.split('">会員')[1:]]
        _before, found, after = page.partition("?show=all&amp;after=")
        if not found:
            break
        path = f"{PEOPLE}?show=all&after={after.partition(chr(34))[0]}"
        # Who comes meanwhile moves nobody to another page.
        db.session.add(User(name="あとから"))
        db.session.commit()
    numbers = [one for one in seen if one.isdigit()]
    assert numbers == [f"{number:03}" for number in reversed(range(45))]


@pytest.mark.parametrize("after", ["x", "9" * 40, "-1", "", "%00"])
def test_an_odd_place_in_the_list_shows_nobody(owner: FlaskClient, after: str) -> None:
    answer = owner.get(f"{PEOPLE}?after={after}")
    assert answer.status_code == 200
    assert "該当する方はいません" in answer.text


def test_people_are_found_as_the_shop_says(owner: FlaskClient, hanako: User) -> None:
    page = owner.get(PEOPLE, query_string={"q": " 花 "}).text
    assert "山田 花子" in page
    assert ">担当<" not in page
    assert "該当する方はいません" in owner.get(PEOPLE, query_string={"q": "%"}).text


def test_a_list_can_be_narrowed_to_the_linked_and_the_blocked(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    blocked = add_member(line, "遮 断子")
    link(line, blocked, "b").is_friend = False
    db.session.commit()
    linked = owner.get(f"{PEOPLE}?show=linked").text
    assert "山田 花子" in linked
    assert "遮 断子" not in linked
    assert "遮 断子" in owner.get(f"{PEOPLE}?show=blocked").text
    unlinked = owner.get(f"{PEOPLE}?show=unlinked").text
    assert "山田 花子" not in unlinked
    assert ">店主<" in unlinked


def test_what_customers_wrote_is_text_everywhere(owner: FlaskClient, line: LineState) -> None:
    member = add_member(line, EVIL)
    account = link(line, member)
    account.display_name, account.link_source = EVIL, EVIL
    payload = {"type": "message", "message": {"type": "text", "text": EVIL}}
    now = line.clock()
    line.session.add(
        InboxEvent(
            webhook_event_id="e1",
            line_user_id=account.line_user_id,
            payload=json.dumps(payload),
            state="done",
            occurred_at=now,
            received_at=now,
            finished_at=now,
        )
    )
    small_shop.line.send(member, EVIL)
    db.session.commit()
    for path in (
        PEOPLE,
        f"{PEOPLE}/{member.id}",
        f"{PEOPLE}/{member.id}/unlink",
        CONSOLE + "/audit",
    ):
        page = owner.get(path).text
        assert "<img" not in page, path
        assert "&lt;img" in page, path
        assert "49" not in page.partition("<main")[2].replace(str(now.year), ""), path


def test_a_member_has_history_talk_and_preferences(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    small_shop.line.send(hanako, "発送しました")
    db.session.commit()
    page = owner.get(f"{PEOPLE}/{hanako.id}").text
    for words in ("LINEと連携した", "発送しました", "送信待ち", "必ず届く", "連携中"):
        assert words in page, words


@pytest.mark.parametrize("key", ["999", "x", "9" * 30, "0", "-1"])
def test_an_unknown_member_is_answered_like_a_strange_page(owner: FlaskClient, key: str) -> None:
    form = {"csrf_token": token_in(owner.get(f"{CONSOLE}/more"))}
    for path in ("", "/unlink", "/erase"):
        assert owner.get(f"{PEOPLE}/{key}{path}").status_code == 404
    for path in ("/unlink", "/erase", "/data.json", "/talk"):
        assert owner.post(f"{PEOPLE}/{key}{path}", data=form).status_code == 404


def test_staff_unlink_a_member_and_it_is_written_down(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    key = str(hanako.id)
    answer = press(owner, f"{PEOPLE}/{key}/unlink")
    assert answer.location == f"{PEOPLE}/{key}"
    assert accounts.account_of(line.session, hanako.id) is None
    staff = str(db.session.query(User).filter_by(name="店主").one().id)
    assert ("unlinked", staff, key) in _entries(line)
    page = owner.get(f"{PEOPLE}/{key}").text
    assert "連携を解除しました" in page
    assert "未連携" in page
    # A second press finds nothing to end.
    assert owner.get(f"{PEOPLE}/{key}/unlink").status_code == 303


def test_staff_erase_what_is_kept_and_the_fact_stays_without_a_name(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    key = str(hanako.id)
    press(owner, f"{PEOPLE}/{key}/erase")
    line.session.rollback()
    assert line.session.scalars(select(Account)).all() == []
    staff = str(db.session.query(User).filter_by(name="店主").one().id)
    assert ("erased", staff, None) in _entries(line)
    assert owner.get(f"{PEOPLE}/{key}").status_code == 200, "the shop keeps its member"


def test_S3_8_what_cannot_be_undone_needs_a_recent_login(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    token = token_in(owner.get(f"{PEOPLE}/{hanako.id}/unlink"))
    now = line.clock()
    line.clock = lambda: now + timedelta(days=1)
    for path in ("unlink", "erase"):
        answer = owner.post(f"{PEOPLE}/{hanako.id}/{path}", data={"csrf_token": token})
        assert answer.status_code == 403
        assert "もう一度ログイン" in answer.text
    assert accounts.account_of(line.session, hanako.id) is not None


def test_the_data_of_a_member_are_handed_out_without_keys(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    small_shop.line.send(hanako, "発送しました")
    account = accounts.account_of(line.session, hanako.id)
    assert account
    account.sealed_tokens = "planted-secret"
    db.session.commit()
    form = {"csrf_token": token_in(owner.get(f"{PEOPLE}/{hanako.id}"))}
    answer = owner.post(f"{PEOPLE}/{hanako.id}/data.json", data=form)
    assert answer.json
    assert answer.json["line_account"]["line_user_id"] == account.line_user_id
    assert answer.json["messages"][0]["messages"][0]["text"] == "発送しました"
    assert "planted-secret" not in answer.text
    assert ("exported", "1", str(hanako.id)) in _entries(line)


def test_staff_write_to_a_member_once_however_often_they_press(
    open_console: Open, hanako: User, line: LineState
) -> None:
    editor = open_console("editor")
    page = editor.get(f"{PEOPLE}/{hanako.id}")
    form = {"csrf_token": token_in(page), "key": "form-1", "text": "お待たせしました\r\n明日です"}
    for _press in range(2):
        assert editor.post(f"{PEOPLE}/{hanako.id}/talk", data=form).status_code == 303
    line.session.rollback()
    (row,) = line.session.scalars(select(OutboxMessage))
    assert json.loads(row.messages) == [{"type": "text", "text": "お待たせしました\n明日です"}]


@pytest.mark.parametrize("text", ["", "  \n ", "あ" * 5_001, "NUL\0"])
def test_words_that_line_would_not_take_are_refused(
    owner: FlaskClient, hanako: User, line: LineState, text: str
) -> None:
    token = token_in(owner.get(f"{PEOPLE}/{hanako.id}"))
    form = {"csrf_token": token, "key": "k", "text": text}
    assert owner.post(f"{PEOPLE}/{hanako.id}/talk", data=form).status_code == 400
    line.session.rollback()
    assert line.session.scalars(select(OutboxMessage)).all() == []


def test_nobody_writes_to_whom_line_would_not_reach(
    owner: FlaskClient, hanako: User, line: LineState
) -> None:
    account = accounts.account_of(line.session, hanako.id)
    assert account
    account.is_friend = False
    db.session.commit()
    page = owner.get(f"{PEOPLE}/{hanako.id}")
    assert 'name="text"' not in page.text
    token = token_in(owner.get(f"{CONSOLE}/more"))
    form = {"csrf_token": token, "key": "k", "text": "こんにちは"}
    assert owner.post(f"{PEOPLE}/{hanako.id}/talk", data=form).status_code == 400
