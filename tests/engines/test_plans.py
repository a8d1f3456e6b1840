"""Each question of upkeep, and whether anything is due, has an index; shown on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update

from flask_lineconnect.engines.upkeep import STRANGERS_KEPT
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.linking.unlink_tasks import tell_line_due
from flask_lineconnect.marketing import member_events
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models.account import IS_STRANGER
from flask_lineconnect.outbox import by_hand
from flask_lineconnect.outbox.claims import claim_batches
from flask_lineconnect.outbox.claims import claim_messages
from flask_lineconnect.outbox.due import is_anything_due
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.scenario_shop import Stage
from tests.outbox.conftest import BASE_URL as BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import app as app
from tests.outbox.conftest import clock as clock
from tests.outbox.conftest import join as join
from tests.outbox.conftest import settings as settings
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

#: Of a few rows each, in every shop: tables, and indexes of some rows of a table.
SMALL = (
    "lineconnect_sending_pause",
    "lineconnect_quota_month",
    "lineconnect_pace",
    "lineconnect_segment",
    "lineconnect_scenario_version",
    "sqlite_autoindex_lineconnect_scenario_1",
    "on lineconnect_scenario ",
    "_campaign_running",
    "_strange",
)


@contextmanager
def _plans(line: LineState) -> Iterator[list[str]]:
    """Collect how the database carries out each of our statements, where it does so badly."""
    bad: list[str] = []
    is_sqlite = db.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "

    def look(
        connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, is_many: bool
    ) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            return
        cursor = connection.connection.cursor()
        if not is_sqlite:
            # So that it reads a whole table only if there is no index.
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(explain + statement, values[0] if is_many else values)
        for row in cursor.fetchall():
            step = str(row[-1])
            is_whole = "SCAN lineconnect_" in step or "Seq Scan on lineconnect_" in step
            if is_whole and not any(name in step for name in SMALL):
                bad.append(f"{step}\n{statement}")
        cursor.close()

    event.listen(db.engine, "before_cursor_execute", look)
    try:
        yield bad
    finally:
        event.remove(db.engine, "before_cursor_execute", look)


def _fill(line: LineState, join: Join) -> None:
    """Leave something of each kind that upkeep looks at."""
    one, *others = join(4)
    extension.send(one, "old", key="old")
    for member in others:
        extension.send(member, "same")
    extension.begin_campaign("spring", "sale")
    extension.send(one, "later", send_at=line.clock() + timedelta(days=3_000))
    extension.unlink(others[0])
    db.session.commit()
    now = line.clock()
    db.session.execute(update(OutboxMessage).values(state="accepted", accepted_at=now))
    db.session.execute(update(Campaign).values(finished_at=now, state="finished"))
    for number, state in enumerate(("done", "dead")):
        db.session.add(
            InboxEvent(
                webhook_event_id=str(number),
                payload="{}",
                state=state,
                occurred_at=now,
                received_at=now,
                finished_at=now,
            )
        )
    db.session.commit()


def test_upkeep_reads_no_table_from_end_to_end(
    line: LineState, clock: StoppedClock, join: Join
) -> None:
    _fill(line, join)
    clock.advance(days=900)
    with _plans(line) as bad:
        look_after(line)
        tell_line_due(line)
    assert bad == []


def test_asking_what_is_due_reads_only_what_is(
    line: LineState, clock: StoppedClock, join: Join
) -> None:
    (member,) = join(1)
    extension.send(member, "later", send_at=line.clock() + timedelta(days=30))
    db.session.commit()
    with _plans(line) as bad:
        assert not is_anything_due(line.session, now=line.clock())
        claim_messages(line.session, line.part(Rules), now=line.clock())
        claim_batches(line.session, line.part(Rules), now=line.clock())
        by_hand.oldest_due(line.session, now=line.clock())
        by_hand.count_waiting(line.session, now=line.clock())
    assert bad == []


def test_the_indexes_have_names_that_migrations_find(line: LineState) -> None:
    is_sqlite = db.engine.dialect.name == "sqlite"
    names = set(
        db.session.scalars(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'index'"
                if is_sqlite
                else "SELECT indexname FROM pg_indexes"
            )
        )
    )
    assert {
        "ix_lineconnect_outbox_message_waiting",
        "ix_lineconnect_outbox_message_claimed",
        "ix_lineconnect_outbox_message_campaigned",
        "ix_lineconnect_outbox_message_accepted_at",
        "ix_lineconnect_outbox_batch_unsent",
        "ix_lineconnect_campaign_finished",
        "ix_lineconnect_account_consent",
        "ix_lineconnect_account_stranger",
        "ix_lineconnect_account_menu_due",
    } <= names


def test_who_never_became_a_member_is_found_by_an_index(line: LineState) -> None:
    until = line.clock() - STRANGERS_KEPT
    found = select(Account.id).where(text(IS_STRANGER), Account.created_at <= until)
    with db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        compiled = found.compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {compiled}"))
    assert "ix_lineconnect_account_stranger" in plan


def test_scenarios_read_no_table_from_end_to_end(
    app: Flask, line: LineState, clock: StoppedClock, join: Join
) -> None:
    (member,) = join(1)
    stage = Stage(app, now=clock())
    kinds = ("never", "per key", "when ended", "restart", "after P1D")
    for number, again in enumerate(kinds):
        key = "member" if again == "never" else "version"
        stage.publish(f"cart{number}", again=again, key=key)
    with _plans(line) as bad:
        stage.tell("cart.changed", member, version="1")
        stage.tell("cart.changed", member, version="1")
        stage.play(hours=1)
        claim_messages(line.session, line.part(Rules), now=stage.now)
        stage.play(hours=1)
        stage.tell("order.placed", member)
        stage.play(days=500)
        extension.scenarios.pause("cart0")
        extension.scenarios.resume("cart0")
        extension.scenarios.stop("cart0")
        look_after(line)
        member_events.forget_members(line.session, [member.id])
        db.session.commit()
    assert bad == []
