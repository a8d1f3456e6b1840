"""The rules that the page on segments shows choose whom SQL by hand chooses, on both databases."""

from __future__ import annotations

import random
import re
import tomllib
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import per_member
from flask_lineconnect.linking import accounts
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models.base import UtcDateTime
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.segment_shop import NOW
from tests.marketing.segment_shop import TODAY
from tests.small_shop import Purchase
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

PAGE = Path(__file__).parents[2] / "docs/how-to/segments.md"
MEMBERS = 60
EVENT = (
    "EXISTS (SELECT 1 FROM lineconnect_member_event e WHERE e.member_id = m.id AND e.name = '{}' "
    "AND e.occurred_at >= :d{})"
)
BOUGHT = (
    "EXISTS (SELECT 1 FROM purchase p WHERE p.user_id = m.id AND p.number LIKE '{}-%' "
    "AND p.deliver_on {})"
)
LAST = "(SELECT max(deliver_on) FROM purchase p WHERE p.user_id = m.id AND p.number LIKE '{}-%')"
#: By the words of the question.
BY_HAND = {
    "uses it up within three days": f"{LAST.format('tea')} BETWEEN :today AND :in_3",
    "looked twice at the same product this week, did not buy": "EXISTS (SELECT 1 FROM "
    "lineconnect_member_event e WHERE e.member_id = m.id AND e.name = 'product.viewed' "
    "AND e.occurred_at >= :d7 GROUP BY e.subject HAVING count(*) >= 2) "
    f"AND NOT {EVENT.format('order.placed', 7)}",
    "birthday this month": f"{LAST.format('born')} BETWEEN :first AND :last",
    "was meant by campaign X, no order since": "EXISTS (SELECT 1 FROM lineconnect_outbox_message o "
    "JOIN lineconnect_account a ON a.id = o.account_id JOIN lineconnect_campaign c "
    "ON c.id = o.campaign_id WHERE c.key = 'x' AND a.member_id = m.id) "
    f"AND NOT {EVENT.format('order.placed', 14)}",
    "bought the trial, not the product": f"{BOUGHT.format('trial', 'IS NOT NULL')} "
    f"AND NOT {BOUGHT.format('full', 'IS NOT NULL')}",
}


def shown() -> dict[str, dict[str, Any]]:
    """Return the rules of the table, by their questions."""
    found = {}
    for line in PAGE.read_text("utf-8").splitlines():
        row = re.match(r"\| ([^|]+) \| [^{|]*`(\{.+?\})`", line)
        if row and row[1] in BY_HAND:
            found[row[1]] = tomllib.loads(f"rule = {row[2]}")["rule"]
    return found


def make_blueprint() -> LineBlueprint:
    """Return what a shop knows of whom the rules ask."""
    shop = LineBlueprint("shop", __name__)

    def last(kind: str) -> Any:
        of_kind = Purchase.number.like(f"{kind}-%")
        return per_member(Purchase.user_id, of_kind, on=func.max(Purchase.deliver_on)).c.on

    shop.attribute("next_use_up_on", last("tea"), label="使い切る日")
    shop.attribute("birthday", last("born"), label="お誕生日")
    # `trial-12` is a trial.
    product = func.substr(Purchase.number, 1, func.length(Purchase.number) - 3)
    shop.attribute(
        "products_bought",
        select(Purchase.user_id, product).where(Purchase.deliver_on.is_not(None)),
        label="商品",
        type=list[str],
    )
    shop.member_event("order.placed", label="ご注文", facts={})
    shop.member_event("product.viewed", label="閲覧", facts={"count": Fact(int | None, "回")})
    return shop


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop with members of all kinds."""
    app = make_app()
    app.extensions["lineconnect"].clock = lambda: NOW
    app.register_blueprint(make_blueprint())
    with app.app_context():
        _fill(app.extensions["lineconnect"], random.Random(17))
    return app


def _fill(line: LineState, chance: random.Random) -> None:
    campaign = Campaign(key="x", category="news", created_at=NOW)
    db.session.add(campaign)
    for number in range(MEMBERS):
        member = User(name="花子")
        db.session.add(member)
        db.session.flush()
        for kind in ("tea", "born", "trial", "full"):
            if chance.random() < 0.6:
                day = TODAY + timedelta(days=chance.choice([-200, -40, -3, 0, 1, 1, 2, 4, 30]))
                # Two digits behind the kind.
                key = f"{kind}-{number:02d}"
                db.session.add(Purchase(user_id=member.id, number=key, deliver_on=day))
        for name in ("order.placed", "product.viewed", "product.viewed", "product.viewed"):
            if chance.random() < 0.6:
                _tell(member, name, chance)
        account = accounts.ensure_account(line.session, f"U{number:032x}", now=NOW)
        accounts.link(line, account, member.id, source=None, now=NOW)
        if chance.random() < 0.5:
            row = OutboxMessage(
                account_id=account.id, campaign_id=campaign.id, messages="[]", category="news",
                priority=1, created_at=NOW,
            )  # fmt: skip
            db.session.add(row)
    db.session.commit()


def _tell(member: User, name: str, chance: random.Random) -> None:
    db.session.add(
        MemberEvent(
            name=name,
            member_id=member.id,
            subject=chance.choice(["product:1", "product:2"]),
            facts={},
            occurred_at=NOW - timedelta(days=chance.choice([1, 3, 10, 40])),
        )
    )


def test_each_rule_chooses_whom_sql_by_hand_chooses(app: Flask, line: LineState) -> None:
    rules = shown()
    assert set(rules) == set(BY_HAND)
    days: dict[str, Any] = {
        "today": TODAY,
        "in_3": TODAY + timedelta(days=3),
        "first": date(TODAY.year, TODAY.month, 1),
        "last": date(TODAY.year, TODAY.month, 30),
        **{f"d{one}": NOW - timedelta(days=one) for one in (7, 14)},
    }
    for question, rule in rules.items():
        condition = BY_HAND[question]
        given = [
            bindparam(key, day, type_=UtcDateTime() if isinstance(day, datetime) else None)
            for key, day in days.items()
            if re.search(rf":{key}\b", condition)
        ]
        statement = text(f'SELECT m.id FROM "user" m WHERE {condition}').bindparams(*given)
        by_hand = sorted(line.session.scalars(statement))
        found = sorted(line.session.scalars(audience.members_where(line, read_rule(rule))))
        assert found == by_hand, question
        assert 0 < len(found) < MEMBERS, question
