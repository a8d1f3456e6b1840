"""What is kept of who clicked: for some days, and never longer than the person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from flask_lineconnect.engines.upkeep import sweep
from flask_lineconnect.linking import unlinking
from flask_lineconnect.models import Click
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.people import add_member
from tests.people import link

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _click(line: LineState, days_ago: int, **of: object) -> None:
    tracked = line.session.scalars(select(TrackedLink)).first()
    if tracked is None:
        tracked = TrackedLink(key="0" * 64, target="https://shop.example/", created_at=line.clock())
        line.session.add(tracked)
        line.session.flush()
    at = line.clock() - timedelta(days=days_ago)
    line.session.add(Click(link_id=tracked.id, clicked_at=at, kind="person", **of))
    line.session.commit()


def _count(line: LineState) -> int:
    line.session.rollback()
    return len(line.session.scalars(select(Click.id)).all())


def test_clicks_are_kept_for_some_days(line: LineState) -> None:
    _click(line, days_ago=179)
    _click(line, days_ago=181)
    sweep(line, seconds=60)
    assert _count(line) == 1


def test_clicks_go_with_the_member(line: LineState) -> None:
    member = add_member(line, "さくら")
    _click(line, days_ago=1, member_id=member.id)
    _click(line, days_ago=1)
    unlinking.erase_all(line, [member.id])
    line.session.commit()
    assert _count(line) == 1


def test_clicks_go_with_the_line_account(line: LineState) -> None:
    member = add_member(line, "さくら")
    account = link(line, member)
    _click(line, days_ago=1, account_id=account.id)
    unlinking.erase(line, account, now=line.clock())
    line.session.commit()
    assert _count(line) == 0
