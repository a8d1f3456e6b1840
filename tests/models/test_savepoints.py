"""A savepoint's end is no commit: what is rolled back is gone, on both databases."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime

import pytest
from sqlalchemy import select

from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.linking.accounts import link
from flask_lineconnect.models import Account
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.small_shop import User

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def test_a_link_that_is_rolled_back_was_never_made(line: LineState) -> None:
    line.session.add(User(id=1, name="A"))
    account_id = ensure_account(line.session, "U" + "a" * 32, now=NOW).id
    line.session.commit()
    account = line.session.get_one(Account, account_id)
    link(line, account, 1, source=None, now=NOW)
    line.session.rollback()
    line.session.remove()  # type: ignore[attr-defined]  # a scoped session
    assert line.session.scalars(select(Account.member_id)).one() is None


def test_a_savepoint_first_in_a_transaction_does_not_commit(line: LineState) -> None:
    with line.session.begin_nested():
        line.session.add(User(name="A"))
    line.session.rollback()
    assert line.session.scalars(select(User)).all() == []
