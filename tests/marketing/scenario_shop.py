"""The small shop with scenarios, published and played by a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models import ScenarioStep
from flask_lineconnect.state import EXTENSION_KEY
from flask_lineconnect.state import LineState
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

#: A Monday at noon in Tokyo.
NOON = datetime(2026, 11, 30, 3, tzinfo=UTC)

CART: Mapping[str, Any] = {
    "label": "お買い忘れ",
    "starts_on": "cart.changed",
    "key": "version",
    "again": "per key",
    "goal": "order.placed",
    "exits_on": ["cart.emptied"],
    "category": "order",
    "steps": [{"name": "remind", "wait": "PT1H", "message": "お買い忘れはありませんか？"}],
}


@dataclass(slots=True)
class Stage:
    """A shop whose scenarios are played.

    :ivar now: what its clock says.
    """

    app: Flask
    now: datetime = NOON
    blueprints: int = 0
    line: LineState = field(init=False)

    def __post_init__(self) -> None:
        """Let the shop tell of carts and orders, by this clock."""
        self.line = self.app.extensions[EXTENSION_KEY]
        self.line.clock = lambda: self.now
        events = LineBlueprint("stage_events", __name__)
        cart = {"version": Fact(str, "版"), "count": Fact(int | None, "点数")}
        events.member_event("cart.changed", label="カートの変更", facts=cart)
        events.member_event("cart.emptied", label="カートが空", facts={})
        total = {"total": Fact(int | None, "合計"), "starts_at": Fact(datetime | None, "開始")}
        events.member_event("order.placed", label="ご注文", facts=total)
        events.member_event("order.shipped", label="発送", facts={})
        self.app.register_blueprint(events)

    def declare(self, name: str, definition: Mapping[str, Any] = CART, **changes: Any) -> None:
        """Let the shop declare a scenario; another one of the same name takes its place."""
        from flask_lineconnect.marketing.scenarios.declared import Scenarios
        from flask_lineconnect.marketing.scenarios.reading import read_scenario

        scenarios: Any = self.line.part(Scenarios)
        scenarios._by_name[name] = read_scenario(name, {**definition, **changes})

    def publish(
        self, name: str = "cart", definition: Mapping[str, Any] = CART, **changes: Any
    ) -> int:
        """Declare a scenario and publish it."""
        enrol = changes.pop("enrol", None)
        self.declare(name, definition, **changes)
        number = extension.scenarios.publish(name, enrol=enrol)
        db.session.commit()
        return number

    def tell(self, name: str, member: User, **facts: Any) -> None:
        """Tell of an event, and let follow what follows."""
        extension.emit(name, member, **facts)
        db.session.commit()
        self.play()

    def play(self, **later: float) -> None:
        """Let time pass, and do what is due."""
        self.now += timedelta(**later)
        while sum(do(self.line) for do in SCHEDULE):
            pass

    def runs(self) -> list[ScenarioRun]:
        """Return all runs, in the order in which they began."""
        db.session.rollback()
        return list(db.session.scalars(select(ScenarioRun).order_by(ScenarioRun.id)))

    def ends(self) -> list[str | None]:
        """Return why each run ended; of live ones ``None``."""
        return [run.end_reason for run in self.runs()]

    def outcomes(self) -> list[tuple[str, str, str | None]]:
        """Return what the steps of all runs did, and why."""
        db.session.rollback()
        rows = db.session.scalars(
            select(ScenarioStep).order_by(ScenarioStep.at, ScenarioStep.run_id)
        )
        return [(row.step, row.outcome, row.reason) for row in rows]

    def messages(self) -> Sequence[OutboxMessage]:
        """Return what the scenarios put into the outbox."""
        db.session.rollback()
        is_ours = OutboxMessage.run_id.is_not(None)
        return db.session.scalars(
            select(OutboxMessage).where(is_ours).order_by(OutboxMessage.id)
        ).all()
