"""A shop that tells of its orders, and people who were sent messages."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import OrderEvents
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import Click
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import PublishedScenario
from flask_lineconnect.models import Touch
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.small_shop import User

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


class Past:
    """What has happened, written down as if long ago; commits nothing."""

    def __init__(self, line: LineState):
        self.line = line
        self._number = 0

    def members(self, count: int) -> list[int]:
        """Make members."""
        people = [User(name=f"会員{number}") for number in range(count)]
        return [one.id for one in self._add(*people)]

    def campaign(self, category: str = "news", **more: Any) -> int:
        """Make a campaign."""
        self._number += 1
        values = {"created_at": NOW, "state": "finished", **more}
        row = Campaign(key=f"campaign-{self._number}", category=category, **values)
        (found,) = self._add(row)
        return int(found.id)

    def scenario(self, name: str) -> int:
        """Make a scenario."""
        return int(self._add(PublishedScenario(name=name))[0].id)

    def link(self, **owner: Any) -> int:
        """Make a tracked link."""
        self._number += 1
        link = TrackedLink(
            key=str(self._number), target="https://shop.example/", created_at=NOW, **owner
        )
        return int(self._add(link)[0].id)

    def accept(self, member: int, at: datetime, category: str = "news", **owner: Any) -> None:
        """Let LINE accept a message."""
        self._add(Touch(member_id=member, accepted_at=at, category=category, **owner))

    def click(self, member: int | None, at: datetime, link: int, kind: str = "person") -> None:
        """Let somebody follow a link."""
        self._add(Click(member_id=member, clicked_at=at, link_id=link, kind=kind))

    def event(
        self, name: str, member: int, at: datetime, subject: str | None = None, **facts: Any
    ) -> int:
        """Let a member do something, which waits to be handled."""
        row = MemberEvent(
            name=name,
            member_id=member,
            subject=subject,
            facts=facts,
            occurred_at=at,
            next_attempt_at=NOW,
        )
        return int(self._add(row)[0].id)

    def _add(self, *rows: Any) -> tuple[Any, ...]:
        self.line.session.add_all(rows)
        self.line.session.flush()
        return rows


def declare(app: Flask) -> None:
    """Let the shop tell of orders, in yen and with cents."""
    events = LineBlueprint("events", __name__)
    events.member_event("order.placed", label="ご注文", facts={"total": Fact(int | None, "合計")})
    events.member_event("order.weighed", label="量り売り", facts={"total": Fact(Decimal, "合計")})
    for name in ("order.cancelled", "order.returned"):
        events.member_event(name, label=name)
    app.register_blueprint(events)


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the small shop, which says which events are orders."""
    app = make_app()
    declare(app)
    line = app.extensions["lineconnect"]
    line.clock = lambda: NOW
    told = OrderEvents(undone=("order.cancelled", "order.returned"))
    monkeypatch.setattr(type(line.shop), "order_events", told)
    return app


@pytest.fixture
def past(app: Flask, line: LineState) -> Past:
    """Return what writes down the past."""
    return Past(line)
