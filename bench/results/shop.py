"""The shop of these benches: the tests' small one, which says what an order is."""

from __future__ import annotations

import sys
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

#: The checkout; the tests are no installed package.
ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402  # the path comes first

from flask_lineconnect import Fact  # noqa: E402
from flask_lineconnect import LineBlueprint  # noqa: E402
from flask_lineconnect import OrderEvents  # noqa: E402
from tests.small_shop import SETTINGS  # noqa: E402
from tests.small_shop import SmallShop  # noqa: E402
from tests.small_shop import create_app  # noqa: E402

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


def make_shop(uri: str) -> Flask:
    """Return the shop, its tables made, its clock stopped."""
    SmallShop.order_events = OrderEvents()
    app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri})
    events = LineBlueprint("events", __name__)
    events.member_event("order.placed", label="ご注文", facts={"total": Fact(int, "合計")})
    events.member_event("order.cancelled", label="キャンセル")
    app.register_blueprint(events)
    line: Any = app.extensions["lineconnect"]
    line.clock = lambda: NOW
    return app
