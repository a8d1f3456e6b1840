"""What came to its end long ago is forgotten; what did not, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import update

from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import QuotaMonth
from flask_lineconnect.outbox import pruning
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.outbox.pruning import CAMPAIGNS_KEPT
from flask_lineconnect.outbox.pruning import MESSAGES_KEPT
from flask_lineconnect.outbox.pruning import prune
from flask_lineconnect.outbox.rules import Rules
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
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
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    (member,) = join(1)
    for number in range(7):
        extension.send(member, f"message {number}")
    db.session.execute(update(OutboxMessage).values(state="cancelled", next_attempt_at=None))
    db.session.commit()
    clock.now += MESSAGES_KEPT + timedelta(minutes=1)
    assert prune(line.session, line.part(Rules).policy, now=line.clock()) == 7
