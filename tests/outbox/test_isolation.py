"""Stricter isolation levels: what ``docs/how-to/engines.md`` tells shops to do does it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from tests.outbox.conftest import Join
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

LEVELS = ["REPEATABLE READ", "SERIALIZABLE"]
pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.parametrize(
        "settings",
        [{"SQLALCHEMY_ENGINE_OPTIONS": {"isolation_level": level}} for level in LEVELS],
        ids=LEVELS,
    ),
]
THREADS, ORDERS = 6, 5


def _send(app: Flask, member_id: int, key: str) -> None:
    with app.app_context():
        for attempt in range(20):
            try:
                member = db.session.get_one(User, member_id)
                extension.send(member, "hello", key=key, campaign="spring")
                db.session.commit()
                return
            except OperationalError as error:
                db.session.rollback()
                if getattr(error.orig, "sqlstate", None) != "40001" or attempt == 19:
                    raise


def test_a_transaction_that_is_repeated_sends_once(
    app: Flask, line: LineState, join: Join, database: str
) -> None:
    ids = [member.id for member in join(2)]
    db.session.rollback()
    barrier = Barrier(THREADS)

    def work(thread: int) -> None:
        for order in range(ORDERS):
            barrier.wait()
            # The same key from two threads, the same campaign from all of them.
            _send(app, ids[order % 2], f"order {order} of {thread // 2}")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, range(THREADS)))
    keys = db.session.scalars(select(OutboxMessage.dedupe_key)).all()
    assert len(keys) == len(set(keys)) == THREADS // 2 * ORDERS
