"""The small shop, with member events of its own."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from decimal import Decimal

from flask import Flask

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint


def declare(app: Flask) -> None:
    """Let the shop tell of orders and carts."""
    events = LineBlueprint("events", __name__)
    events.member_event(
        "order.placed",
        label="ご注文",
        facts={
            "number": Fact(str, "注文番号"),
            "total": Fact(int, "合計（円）"),
            "products": Fact(list[str] | None, "商品"),
            "eta": Fact(date | None, "お届け予定"),
            "paid_at": Fact(datetime | None, "お支払い"),
            "fee": Fact(Decimal | None, "手数料"),
            "is_gift": Fact(bool | None, "贈り物"),
        },
    )
    events.member_event("cart.changed", label="カートの変更", facts={"count": Fact(int, "点数")})
    app.register_blueprint(events)
