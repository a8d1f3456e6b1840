"""Numbers of messages are known before they are written, and never come twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models.sqlite import begin_writing
from flask_lineconnect.outbox.numbers import reserve_numbers
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.small_shop import line as extension


def _reserve(line: LineState, count: int) -> list[int]:
    begin_writing(line.session)
    numbers = list(reserve_numbers(line.session, count))
    line.session.commit()
    return numbers


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_no_message_gets_a_reserved_number(line: LineState, join: Join) -> None:
    (member,) = join(1)
    first = _reserve(line, 3)
    extension.send(member, "一")
    line.session.commit()
    second = _reserve(line, 2)
    extension.send(member, "二")
    line.session.commit()
    written = line.session.scalars(select(OutboxMessage.id)).all()
    given = [*first, *second, *written]
    assert len(set(given)) == len(given) == 7
    assert min(given) > 0


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_what_is_undone_reserves_nothing_for_others(line: LineState) -> None:
    begin_writing(line.session)
    reserve_numbers(line.session, 3)
    line.session.rollback()
    numbers = _reserve(line, 3)
    assert len(set(numbers)) == 3


def test_a_table_that_gives_numbers_again_reserves_none(line: LineState) -> None:
    (made,) = line.session.scalars(
        text("SELECT sql FROM sqlite_master WHERE name = 'lineconnect_outbox_message'")
    )
    # As a migration in batches makes it anew.
    line.session.execute(text("DROP TABLE lineconnect_outbox_message"))
    line.session.execute(text(made.replace("AUTOINCREMENT", "")))
    line.session.commit()
    assert _reserve(line, 3) == []
