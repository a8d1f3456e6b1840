"""A backup that is restored, and a clock that was wrong: nobody gets anything twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import Table
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.mending import mend
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import texts
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _back_up() -> Callable[[], None]:
    """Keep the outbox as it is; return what brings it back."""
    tables = [cast(Table, model.__table__) for model in (Campaign, OutboxBatch, OutboxMessage)]
    kept = {table.name: db.session.execute(select(table)).mappings().all() for table in tables}
    db.session.rollback()

    def restore() -> None:
        db.session.rollback()
        for table in reversed(tables):
            db.session.execute(delete(table))
        for table in tables:
            if kept[table.name]:
                db.session.execute(insert(table), [dict(row) for row in kept[table.name]])
        db.session.commit()

    return restore


@pytest.mark.parametrize("split", [False, True])
def test_equal_messages_of_a_restored_backup_are_sent_once(
    line: LineState, line_emulator: Emulator, join: Join, split: bool
) -> None:
    members = join(12)
    for member in members:
        extension.send(member, "再入荷しました")
    for member in members[:3]:
        extension.send(member, "残りわずかです")
    db.session.commit()
    restore = _back_up()
    if split:
        # LINE blames nobody, so that the batches are halved again and again.
        line_emulator.fault(path="/v2/bot/message/multicast", status=400, times=2)
    deliver_due(line)
    restore()
    if split:
        line_emulator.fault(path="/v2/bot/message/multicast", status=400, times=2)
    deliver_due(line)
    for member in members:
        expected = ["再入荷しました", *(["残りわずかです"] if member in members[:3] else [])]
        assert sorted(texts(line_emulator, member)) == sorted(expected)


def test_what_was_too_fast_at_first_is_sent_once_after_a_restore(
    line: LineState, line_emulator: Emulator, join: Join, clock: StoppedClock
) -> None:
    (member,) = join(1)
    extension.send(member, "alone")
    extension.begin_campaign("spring", "sale")
    db.session.commit()
    restore = _back_up()
    for kind in ("push", "multicast"):
        line_emulator.fault(path=f"/v2/bot/message/{kind}", status=429, times=1)
    deliver_due(line)
    clock.advance(minutes=2)
    deliver_due(line)
    assert sorted(texts(line_emulator, member)) == ["alone", "sale"]
    restore()
    deliver_due(line)
    assert sorted(texts(line_emulator, member)) == ["alone", "sale"]


def test_a_campaign_that_was_put_off_in_between_is_sent_once_after_a_restore(
    line: LineState, line_emulator: Emulator, join: Join
) -> None:
    (member,) = join(1)
    extension.begin_campaign("spring", "sale")
    db.session.commit()
    restore = _back_up()
    # Claimed in the evening, and left for the morning.
    db.session.execute(update(OutboxBatch).values(claims=OutboxBatch.claims + 1))
    db.session.commit()
    deliver_due(line)
    restore()
    deliver_due(line)
    assert texts(line_emulator, member) == ["sale"]


@pytest.mark.parametrize("is_mended", [False, True])
@pytest.mark.parametrize("is_alone", [False, True])
def test_a_first_try_in_the_future_lengthens_nothing(
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    clock: StoppedClock,
    is_alone: bool,
    is_mended: bool,
) -> None:
    members = join(1 if is_alone else 2)
    right = clock.now
    clock.advance(hours=5)
    for member in members:
        extension.send(member, "hello")
    db.session.commit()
    # LINE takes it, and its answer is lost again and again.
    path = f"/v2/bot/message/{'push' if is_alone else 'multicast'}"
    line_emulator.fault(path=path, drop=True, after_acceptance=True, times=1)
    deliver_due(line)
    clock.now = right
    if is_mended:
        mend(line.session, now=clock.now)
    line_emulator.fault(path=path, drop=True, after_acceptance=False, share=1.0)
    for minutes in range(0, 23 * 60, 90):
        clock.now = right + timedelta(minutes=minutes)
        mend(line.session, now=clock.now)
        deliver_due(line)
    line_emulator.clear_faults()
    # LINE has forgotten its key by then.
    line_emulator.advance(24 * 3_600 + 60)
    clock.now = right + timedelta(hours=24, minutes=1)
    mend(line.session, now=clock.now)
    deliver_due(line)

    db.session.rollback()
    assert set(db.session.scalars(select(OutboxMessage.state))) == {"expired"}
    for member in members:
        assert texts(line_emulator, member) == ["hello"]
