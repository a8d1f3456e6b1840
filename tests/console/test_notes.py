"""Notes and tags of staff: text everywhere, used by segments, and gone with the person."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.linking import unlinking
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import AuditEntry
from flask_lineconnect.models import MemberTag
from flask_lineconnect.models import StaffNote
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import token_in

from .conftest import CONSOLE
from .conftest import Open


def send(client: FlaskClient, member: Any, path: str, **form: str) -> TestResponse:
    """Send a form of a member's page."""
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{CONSOLE}/people/{member}/{path}", data={"csrf_token": token} | form)


def counts(line: LineState) -> tuple[int, int]:
    """Return how many notes and tags there are."""
    line.session.rollback()
    found = [
        line.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (StaffNote, MemberTag)
    ]
    return found[0], found[1]


def test_notes_and_tags_are_text(open_console: Open, line: LineState) -> None:
    client, member = open_console("editor"), add_member(line).id
    send(client, member, "notes", note="<b>足が悪い</b>\n2階は無理")
    send(client, member, "tags", tag="<i>常連")
    send(client, member, "tags", tag="<i>常連")
    assert counts(line) == (1, 1)
    page = client.get(f"{CONSOLE}/people/{member}").text
    assert "&lt;b&gt;足が悪い&lt;/b&gt;" in page
    assert "&lt;i&gt;常連" in page
    assert "<i>常連" not in page
    assert "担当" in page
    actions = line.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["note-written", "tag-put", "tag-put"]


def test_they_are_removed_by_hand(open_console: Open, line: LineState) -> None:
    client, member, other = open_console("editor"), add_member(line).id, add_member(line, "乙").id
    send(client, member, "notes", note="一")
    send(client, member, "tags", tag="常連")
    number = str(line.session.scalars(select(StaffNote.id)).one())
    assert send(client, other, "notes/remove", id=number).status_code == 404
    assert counts(line) == (1, 1)
    send(client, member, "notes/remove", id=number)
    send(client, member, "tags/remove", tag="常連")
    assert counts(line) == (0, 0)


def test_what_is_empty_or_too_long_is_refused(open_console: Open, line: LineState) -> None:
    client, member = open_console("editor"), add_member(line).id
    for path, form in (
        ("notes", {"note": " "}),
        ("notes", {"note": "あ" * 1001}),
        ("notes", {"note": "a\0b"}),
        ("tags", {"tag": "あ" * 41}),
    ):
        assert send(client, member, path, **form).status_code >= 400
    assert counts(line) == (0, 0)
    assert send(client, "none", "notes", note="x").status_code == 404


def test_a_segment_chooses_by_tags(open_console: Open, line: LineState) -> None:
    client, member = open_console("editor"), add_member(line).id
    add_member(line, "乙")
    send(client, member, "tags", tag="常連")
    line.session.rollback()
    rule = read_rule({"all": [{"attribute": "line_tags", "any_of": ["常連"]}]})
    found = line.session.scalars(audience.members_where(line, rule)).all()
    assert found == [member]


def test_they_go_with_the_person(open_console: Open, line: LineState) -> None:
    client, member = open_console("editor"), add_member(line)
    key = member.id
    link(line, member)
    send(client, key, "notes", note="一")
    send(client, key, "tags", tag="常連")
    data = open_console("owner")
    token = token_in(data.get(f"{CONSOLE}/more"))
    answer = data.post(f"{CONSOLE}/people/{key}/data.json", data={"csrf_token": token})
    told: Any = answer.json
    assert [one["text"] for one in told["notes"]] == ["一"]
    assert [one["tag"] for one in told["tags"]] == ["常連"]
    unlinking.erase_all(line, [key])
    line.session.commit()
    assert counts(line) == (0, 0)


def test_they_go_with_the_shops_row(open_console: Open, line: LineState) -> None:
    client, member = open_console("editor"), add_member(line)
    send(client, member.id, "notes", note="一")
    send(client, member.id, "tags", tag="常連")
    line.session.rollback()
    line.session.delete(line.session.get(line.shop.model, member.id))
    line.session.commit()
    assert counts(line) == (0, 0)


def test_viewers_read_them_alone(open_console: Open, line: LineState) -> None:
    member = add_member(line).id
    send(open_console("editor"), member, "notes", note="読める")
    viewer = open_console("viewer")
    page = viewer.get(f"{CONSOLE}/people/{member}").text
    assert "読める" in page
    assert 'name="note"' not in page
    assert send(viewer, member, "notes", note="x").status_code == 403
