"""What a shop's Prometheus sees, and that it sees no person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from sqlalchemy import update

from flask_lineconnect.metrics import LineMetrics
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox import pauses
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import MakeApp
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import join as join
from tests.small_shop import db
from tests.small_shop import line as extension


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL), LINECONNECT_QUOTA_RESERVE=7)


@pytest.fixture
def registry(app: Flask) -> CollectorRegistry:
    """Return a registry with the shop's metrics."""
    registry = CollectorRegistry()
    LineMetrics(app, registry)
    return registry


def test_requests_outcomes_queue_and_quota_are_there(
    line: LineState, registry: CollectorRegistry, join: Join, line_emulator: Emulator
) -> None:
    line_emulator.fault(path="/v2/bot/message/push", status=400, times=1)
    first, second, third = join(3)
    extension.send(first, "refused")
    db.session.commit()
    deliver_due(line)
    extension.send(second, "one", category="order")
    extension.send(third, "two", category="order")
    later = line.clock() + timedelta(hours=1)
    extension.send(third, "later", category="news", send_at=later)
    extension.send(first, "nobody")
    db.session.execute(update(Account).where(Account.member_id == first.id).values(is_friend=False))
    db.session.commit()
    deliver_due(line)
    extension.send(second, "waits", category="order")
    db.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "queued", OutboxMessage.category == "order")
        .values(next_attempt_at=line.clock() - timedelta(minutes=2))
    )
    pauses.pause(line.session, "budget", "", now=line.clock(), until=later)
    db.session.commit()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"lineconnect_{name}", labels)

    assert value("messages_total", state="accepted") == 2
    assert value("messages_total", state="refused") == 1
    assert value("messages_total", state="cancelled") == 1
    assert value("line_requests_total", endpoint="push", status="200") == 2
    assert value("line_requests_total", endpoint="push", status="400") == 1
    assert value("line_request_seconds_count", endpoint="push") == 3
    assert value("line_requests_total", endpoint="get the quota", status="200") == 1
    assert value("outbox_recipients", state="queued", category="order") == 1
    assert value("outbox_recipients", state="queued", category="news") == 1
    oldest = value("outbox_oldest_due_seconds")
    assert oldest is not None
    assert 120 <= oldest < 180
    assert value("quota_used") == 2
    assert (value("quota_allowed") or 0) > 0
    assert value("sending_paused", reason="budget") == 1
    assert value("inbox_events", state="dead") == 0
    assert value("up") == 1


def test_S11_2_no_label_holds_anything_of_a_person(
    line: LineState, registry: CollectorRegistry, join: Join
) -> None:
    (member,) = join(1)
    extension.send(member, "planted text", key="planted-key")
    db.session.commit()
    deliver_due(line)
    shown = generate_latest(registry).decode()
    assert "lineconnect_messages_total" in shown
    user_id = db.session.query(Account).one().line_user_id
    for secret in (user_id, user_id[1:], "planted", member.name):
        assert secret not in shown


def test_without_a_database_the_rest_is_still_shown(app: Flask) -> None:
    registry = CollectorRegistry()
    LineMetrics(app, registry)
    with app.app_context():
        db.session.remove()
        db.metadata.drop_all(db.engine)
    shown = generate_latest(registry).decode()
    assert "lineconnect_up 0.0" in shown
    assert registry.get_sample_value("lineconnect_quota_used") is None
