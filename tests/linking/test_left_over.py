"""What a deleted member left is asked for by whoever gets the key next, in one question."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert
from sqlalchemy import text

from flask_lineconnect.linking.left_over import is_anything_kept
from flask_lineconnect.linking.unlinking import erase_all
from flask_lineconnect.models import MemberTag
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.small_shop import User
from tests.small_shop import db
from tests.statements import noted_statements


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_new_members_cost_one_question(line: LineState) -> None:
    with noted_statements(db.engine) as statements:
        db.session.add_all([User(name="佐藤 さくら"), User(name="鈴木 一郎")])
        db.session.commit()
    asked = [one for one in statements if not one.startswith("INSERT")]
    assert len(asked) == 1, asked


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_question_is_about_every_table_that_an_erasure_looks_at(line: LineState) -> None:
    with noted_statements(db.engine) as erasing:
        erase_all(line, [1_000_000])
    with noted_statements(db.engine) as asking:
        assert not is_anything_kept(line.session, [1_000_000])
    assert len(asking) == 1
    assert len(_tables(erasing)) > 9
    assert _tables(erasing) <= _tables(asking)


def test_what_is_left_of_a_member_goes_when_the_key_comes_again(line: LineState) -> None:
    """On SQLite, by the database's own shell, which keeps no foreign keys."""
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        values = {"member_id": 7, "tag": "常連", "tagged_at": line.clock()}
        connection.execute(insert(MemberTag).values(values))
        connection.commit()
        connection.execute(text("PRAGMA foreign_keys = ON"))
    assert is_anything_kept(line.session, [6, 7])
    db.session.add_all([User(id=6, name="佐藤 さくら"), User(id=7, name="鈴木 一郎")])
    db.session.commit()
    assert not is_anything_kept(line.session, [6, 7])


def _tables(statements: list[str]) -> set[str]:
    return set(re.findall(r"(?:FROM|UPDATE) (lineconnect_\w+)", "\n".join(statements)))
