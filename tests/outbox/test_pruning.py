"""What came to its end long ago is forgotten; what did not, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect.engines import upkeep
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.models import portions
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.pruning import CAMPAIGNS_KEPT
from flask_lineconnect.outbox.pruning import MESSAGES_KEPT
from flask_lineconnect.outbox.pruning import prune
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import sends
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def _keys(line: LineState) -> list[str | None]:
    line.session.rollback()
    return sorted(line.session.scalars(select(OutboxMessage.dedupe_key)), key=str)


def _send_all(line: LineState, join: Join) -> None:
    """Leave an accepted message, a batch of two, a campaign, and a message for next year."""
    one, two, three = join(3)
    extension.send(one, "alone", key="alone")
    for member in (two, three):
        extension.send(member, "same", key=f"same {member.id}")
    extension.begin_campaign("spring", "sale")
    extension.send(one, "later", key="later", send_at=line.clock() + timedelta(days=365))
    db.session.commit()
    deliver_due(line)


def test_what_ended_long_ago_goes_and_the_rest_stays(
    line: LineState, clock: StoppedClock, join: Join
) -> None:
    _send_all(line, join)
    clock.now += MESSAGES_KEPT - timedelta(minutes=1)
    assert prune(line.session, line.part(Rules).policy, now=line.clock()) == 0

    clock.now += timedelta(minutes=2)
    look_after(line)

    assert _keys(line) == ["later"]
    assert line.session.scalars(select(OutboxBatch.id)).all() == []
    # Results and the month's count stay longer than what was said to whom.
    assert line.session.scalars(select(Campaign.key)).all() == ["spring"]
    assert len(line.session.scalars(select(QuotaMonth)).all()) == 1
    clock.now += CAMPAIGNS_KEPT
    prune(line.session, line.part(Rules).policy, now=line.clock())
    assert line.session.scalars(select(Campaign.key)).all() == []


def test_what_was_put_off_is_kept_from_its_end_on(
    line: LineState, clock: StoppedClock, join: Join
) -> None:
    _send_all(line, join)
    clock.now += timedelta(days=366)
    deliver_due(line)
    prune(line.session, line.part(Rules).policy, now=line.clock())
    assert _keys(line) == ["later"]
    assert line.session.scalars(select(OutboxMessage.state)).all() == ["accepted"]


@pytest.mark.parametrize("settings", [{"LINECONNECT_MARKETING_CAP_DAYS": 120}])
def test_the_frequency_cap_finds_what_it_counts(
    line: LineState, clock: StoppedClock, join: Join
) -> None:
    _send_all(line, join)
    clock.now += timedelta(days=119)
    assert prune(line.session, line.part(Rules).policy, now=line.clock()) == 0


def test_many_go_in_portions(
    line: LineState, clock: StoppedClock, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "FIRST_ROWS", 2)
    (member,) = join(1)
    for number in range(7):
        extension.send(member, f"message {number}")
    db.session.execute(update(OutboxMessage).values(state="cancelled", next_attempt_at=None))
    db.session.commit()
    clock.now += MESSAGES_KEPT + timedelta(minutes=1)
    assert prune(line.session, line.part(Rules).policy, now=line.clock()) == 7


@pytest.mark.parametrize("state", ["accepted", "refused", "expired", "cancelled"])
def test_rows_of_higher_ids_go_too(
    line: LineState,
    clock: StoppedClock,
    join: Join,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    monkeypatch.setattr(portions, "FIRST_ROWS", 2)
    monkeypatch.setattr(portions, "MOST_ROWS", 2)
    (member,) = join(1)
    begun = line.clock()
    # They were put in long before the others, and sent only just now.
    for number in range(6):
        extension.send(member, f"late {number}", key=f"late {number}")
    for number in range(6):
        extension.send(member, f"early {number}", key=f"early {number}")
    clock.now += MESSAGES_KEPT + timedelta(days=1)
    for key, ended_at in (("late", line.clock()), ("early", begun)):
        db.session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.dedupe_key.startswith(key))
            .values(
                state=state,
                next_attempt_at=None,
                first_tried_at=ended_at,
                accepted_at=ended_at if state == "accepted" else None,
            )
        )
    db.session.commit()

    assert prune(line.session, line.part(Rules).policy, now=line.clock()) == 6
    assert _keys(line) == [f"late {number}" for number in range(6)]


def test_a_campaign_whose_messages_stay_keeps_no_other_from_going(
    line: LineState, clock: StoppedClock, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "FIRST_ROWS", 1)
    (member,) = join(1)
    old = line.clock()
    clock.now += CAMPAIGNS_KEPT + timedelta(days=1)
    for number in range(5):
        extension.send(member, "for long", campaign=f"held {number}")
    extension.send(member, "done", campaign="free")
    db.session.flush()
    db.session.execute(delete(OutboxMessage).where(OutboxMessage.messages.contains("done")))
    db.session.execute(update(Campaign).values(state="finished", finished_at=old))
    db.session.commit()

    prune(line.session, line.part(Rules).policy, now=line.clock())

    assert sorted(line.session.scalars(select(Campaign.key))) == [f"held {n}" for n in range(5)]


def test_rows_in_a_state_of_a_newer_version_are_left_alone_and_reported(
    line: LineState,
    clock: StoppedClock,
    join: Join,
    line_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    members = join(3)
    for member in members:
        extension.send(member, f"to {member.id}", key=f"{member.id}", campaign="new")
    extension.begin_campaign("batched", "sale")
    first, second, third = (str(member.id) for member in members)
    for key, values in (
        (first, {"next_attempt_at": line.clock()}),
        (second, {"next_attempt_at": None, "accepted_at": line.clock()}),
        (third, {"next_attempt_at": None}),
    ):
        is_it = OutboxMessage.dedupe_key == key
        db.session.execute(update(OutboxMessage).where(is_it).values(state="read", **values))
    db.session.execute(update(OutboxBatch).values(state="on hold"))
    db.session.commit()
    clock.now += MESSAGES_KEPT + CAMPAIGNS_KEPT

    assert deliver_due(line) == 0
    look_after(line)

    assert sends(line_emulator) == []
    assert _keys(line) == [first, second, third]
    assert set(line.session.scalars(select(OutboxMessage.state))) == {"read"}
    assert set(line.session.scalars(select(OutboxBatch.state))) == {"on hold"}
    warnings = [record.getMessage() for record in caplog.records if "does not know" in record.msg]
    assert len(warnings) == 2
    assert warnings[0].startswith("3 rows")


def test_messages_of_a_campaign_in_a_state_of_a_newer_version_wait(
    line: LineState, clock: StoppedClock, join: Join, line_emulator: Emulator
) -> None:
    member, _other = join(2)
    extension.send(member, "hello", campaign="alone")
    extension.begin_campaign("batched", "sale")
    db.session.execute(update(Campaign).values(state="resting"))
    db.session.commit()
    deliver_due(line)
    assert sends(line_emulator) == []
    db.session.execute(update(Campaign).values(state="running"))
    db.session.commit()
    clock.advance(minutes=11)
    deliver_due(line)
    assert sorted(sends(line_emulator)) == ["multicast", "push"]


def test_a_step_that_fails_costs_no_other(
    line: LineState, clock: StoppedClock, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send_all(line, join)
    clock.now += MESSAGES_KEPT + timedelta(minutes=1)

    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("the first step fails")

    broken = portions.Step(select(Campaign.id), fail)
    monkeypatch.setattr(upkeep, "_clearing_steps", lambda _now: iter([broken]))
    look_after(line)
    assert _keys(line) == ["later"]


def test_a_sweep_ends_after_its_time_and_goes_on_the_next_time(
    line: LineState, clock: StoppedClock, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send_all(line, join)
    clock.now += MESSAGES_KEPT + timedelta(minutes=1)
    monkeypatch.setattr(upkeep, "SWEEP_SECONDS", 0.0)
    assert look_after(line) > 0
    assert len(_keys(line)) > 1
    monkeypatch.undo()
    while look_after(line):
        pass
    assert _keys(line) == ["later"]
