"""Rules about what was sent to a member, and about events that have the same subject."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections import defaultdict
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect.linking import accounts
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.errors import InvalidRule
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.marketing.segments.rules import write_rule
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.models import OutboxBatch
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.policy import MARKETING
from flask_lineconnect.outbox.policy import TRANSACTIONAL
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.marketing.segment_shop import NOW
from tests.marketing.segment_shop import make_blueprint
from tests.small_shop import User
from tests.small_shop import db

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

MEMBERS = 24
CATEGORIES = {"news": MARKETING, "cart": MARKETING, "order": TRANSACTIONAL}
#: For each member: the category, and when LINE accepted it.
Sent = dict[int, list[tuple[str, datetime]]]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop with attributes and segments."""
    app = make_app()
    app.extensions["lineconnect"].clock = lambda: NOW
    app.register_blueprint(make_blueprint())
    return app


@pytest.fixture
def sent(app: Flask, line: LineState) -> Sent:
    """Return what was sent to whom: alone, in batches, and by campaigns; the last two have no link.

    Beside it stands what was not sent: refused, cancelled, waiting.
    """
    chance = random.Random(7)
    found: Sent = defaultdict(list)
    members = [User(name="花子") for _ in range(MEMBERS)]
    db.session.add_all(members)
    db.session.flush()
    ids: dict[int, int] = {}
    for number, member in enumerate(members):
        found[member.id] = []
        if number < MEMBERS - 2:
            account = accounts.ensure_account(line.session, f"U{number:032x}", now=NOW)
            accounts.link(line, account, member.id, source=None, now=NOW - timedelta(days=400))
            ids[account.id] = member.id
    stranger = accounts.ensure_account(line.session, f"U{99:032x}", now=NOW)
    for account_id, member_id in ids.items():
        for _ in range(chance.choice([0, 1, 3, 6])):
            category, at = chance.choice(list(CATEGORIES)), _ago(chance)
            state = chance.choice(["accepted", "accepted", "refused", "cancelled", "queued"])
            _add_message(account_id, category, state, at)
            if state == "accepted":
                found[member_id].append((category, at))
    _add_message(stranger.id, "news", "accepted", NOW)
    for number in range(6):
        state = "accepted" if number else "expired"
        category, at = chance.choice(list(CATEGORIES)), _ago(chance)
        meant = chance.sample(list(ids), 10)
        chosen = chance.sample(meant, 7)
        _add_campaign(number, category, state, at, meant=meant, chosen=chosen)
        if state == "accepted":
            for account_id in chosen:
                found[ids[account_id]].append((category, at))
    _add_batch(list(ids)[:5], found, ids)
    line.session.commit()
    return found


def _ago(chance: random.Random) -> datetime:
    return NOW - timedelta(days=chance.choice([1, 5, 20, 80, 200]), hours=chance.randint(1, 20))


def _add_message(account_id: int, category: str, state: str, at: datetime) -> None:
    db.session.add(
        OutboxMessage(
            account_id=account_id,
            messages="[]",
            category=category,
            priority=CATEGORIES[category],
            state=state,
            created_at=at,
            accepted_at=at if state == "accepted" else None,
        )
    )


def _add_campaign(
    number: int, category: str, state: str, at: datetime, *, meant: list[int], chosen: list[int]
) -> None:
    campaign = Campaign(key=f"c{number}", category=category, is_batched=True, created_at=at)
    db.session.add(campaign)
    db.session.flush()
    db.session.add(
        OutboxBatch(
            campaign_id=campaign.id,
            category=category,
            priority=CATEGORIES[category],
            messages="[]",
            state=state,
            created_at=at,
            accepted_at=at if state == "accepted" else None,
            account_ids=json.dumps(sorted(meant)),
            chosen_ids=json.dumps(sorted(chosen)),
            first_account_id=min(meant),
            last_account_id=max(meant),
            recipients=len(chosen),
        )
    )


def _add_batch(account_ids: list[int], found: Sent, ids: dict[int, int]) -> None:
    """Add equal messages that went together: each has a row of its own, which counts."""
    at = NOW - timedelta(days=2)
    batch = OutboxBatch(
        category="news",
        priority=MARKETING,
        messages="[]",
        state="accepted",
        created_at=at,
        accepted_at=at,
        account_ids=json.dumps(account_ids),
        chosen_ids=json.dumps(account_ids),
        first_account_id=account_ids[0],
        last_account_id=account_ids[-1],
        recipients=len(account_ids),
    )
    db.session.add(batch)
    db.session.flush()
    for account_id in account_ids:
        _add_message(account_id, "news", "accepted", at)
        found[ids[account_id]].append(("news", at))


def chosen(line: LineState, rule: dict[str, Any]) -> list[int]:
    """Return the keys of the members whom a rule chooses, as often as they come."""
    return sorted(line.session.scalars(audience.members_where(line, read_rule(rule))))


def is_true(rule: dict[str, Any], sent: list[tuple[str, datetime]]) -> bool:
    """Say in Python whether a rule is true of a member."""
    said = rule["sent"]
    wanted = {"advertising": {"news", "cart"}, "anything": set(CATEGORIES)}.get(said, {said})
    since = NOW - timedelta(days=rule.get("days", 10_000))
    count = sum(category in wanted and at >= since for category, at in sent)
    least = rule.get("at_least", 0 if "at_most" in rule else 1)
    most = rule.get("at_most", 10_000)
    return bool(least <= count <= most)


COUNTS: list[dict[str, int]] = [
    {},
    {"at_least": 1},
    {"at_least": 3},
    {"at_most": 0},
    {"at_most": 2},
    {"at_least": 2, "at_most": 4},
    {"at_least": 1, "at_most": 1},
]


def test_rules_choose_to_whom_so_much_was_sent(line: LineState, sent: Sent) -> None:
    kinds = Counter[bool]()
    for name in ("news", "order", "advertising", "anything"):
        for count in COUNTS:
            for days in ({}, {"days": 7}, {"days": 90}):
                rule: dict[str, Any] = {"sent": name, **count, **days}
                right = [key for key, one in sent.items() if is_true(rule, one)]
                wrong = [key for key in sent if key not in right]
                assert chosen(line, rule) == right, rule
                assert chosen(line, {"not": rule}) == wrong, rule
                assert chosen(line, {"all": [rule, {"not": rule}]}) == []
                assert chosen(line, {"any": [rule, {"not": rule}]}) == list(sent)
                assert write_rule(read_rule(rule)) == rule
                kinds[bool(right)] += 1
    assert kinds[False] < kinds[True] / 2


def test_a_shops_own_category_of_such_a_name_is_meant(
    line: LineState, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    [member_id] = chosen(line, {"sent": "anything", "at_least": 1})[:1]
    account_id = line.session.scalars(
        select(Account.id).where(Account.member_id == member_id)
    ).one()
    monkeypatch.setitem(CATEGORIES, "advertising", TRANSACTIONAL)
    categories = [*line.shop.categories, _category("advertising")]
    monkeypatch.setattr(type(line.shop), "categories", categories)
    assert chosen(line, {"sent": "advertising"}) == []
    _add_message(account_id, "advertising", "accepted", NOW)
    assert chosen(line, {"sent": "advertising"}) == [member_id]


def _category(name: str) -> Any:
    from flask_lineconnect import Category

    return Category(name, name)


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"sent": "newz"}, "sent"),
        ({"sent": ""}, "sent"),
        ({"sent": 7}, "sent"),
        ({"sent": "news", "at_least": 0}, "at_least"),
        ({"sent": "news", "at_most": -1}, "at_most"),
        ({"sent": "news", "at_most": True}, "at_most"),
        ({"sent": "news", "at_least": 3, "at_most": 2}, "at_most"),
        ({"sent": "news", "days": 0}, "days"),
        ({"sent": "news", "where": {}}, ""),
        ({"all": [{"not": {"sent": "newz"}}]}, "all[0].not.sent"),
    ],
)
def test_what_can_not_be_is_refused_with_its_place(
    line: LineState, rule: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidRule) as refused:
        chosen(line, rule)
    assert refused.value.place == place


def test_an_event_with_the_same_subject_or_fact_so_often(app: Flask, line: LineState) -> None:
    # For each member: subject, and the fact `count`.
    told: list[list[tuple[str | None, int]]] = [
        [("tea:1", 1), ("tea:1", 2), ("tea:2", 3)],
        [("tea:1", 1), ("tea:2", 1), ("tea:3", 2)],
        [(None, 4), (None, 5)],
        [],
    ]
    members = [User(name="花子") for _ in told]
    db.session.add_all(members)
    db.session.flush()
    for member, events in zip(members, told, strict=True):
        for subject, count in events:
            facts = {"count": count}
            at = NOW - timedelta(days=count)
            line.session.add(
                MemberEvent(
                    name="cart.changed",
                    member_id=member.id,
                    subject=subject,
                    facts=facts,
                    occurred_at=at,
                )
            )
    first, second, third, fourth = [member.id for member in members]
    twice = {"event": "cart.changed", "at_least": 2}
    assert chosen(line, twice) == [first, second, third]
    assert chosen(line, twice | {"same": "subject"}) == [first]
    assert chosen(line, twice | {"same": "count"}) == [second]
    assert chosen(line, {"not": twice | {"same": "subject"}}) == [second, third, fourth]
    assert chosen(line, twice | {"same": "subject", "days": 1}) == []
    # Nobody twice, though two products were looked at twice each.
    line.session.add(
        MemberEvent(
            name="cart.changed",
            member_id=first,
            subject="tea:2",
            facts={},
            occurred_at=NOW,
        )
    )
    assert chosen(line, twice | {"same": "subject"}) == [first]
    rule = twice | {"same": "subject", "days": 7}
    assert write_rule(read_rule(rule)) == rule


@pytest.mark.parametrize(
    ("same", "place"), [("nothing", "same"), ("products", "same"), (7, "same"), ("", "same")]
)
def test_same_of_what_no_event_has(line: LineState, same: Any, place: str) -> None:
    with pytest.raises(InvalidRule) as refused:
        chosen(line, {"event": "cart.changed", "at_least": 2, "same": same})
    assert refused.value.place == place


def test_a_rule_about_the_last_days_reads_nothing_older(
    line: LineState, sent: Sent, database: str
) -> None:
    word = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    if database == "postgresql":
        # So few rows it would rather read all.
        line.session.execute(text("SET enable_seqscan = off"))
    statement = audience.members_where(line, read_rule({"sent": "news", "days": 7}))
    engine = line.db.engine
    sql = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
    plan = "\n".join(str(row[-1]) for row in line.session.execute(text(f"{word} {sql}")))
    for table in ("message", "batch"):
        assert f"ix_lineconnect_outbox_{table}_accepted_at" in plan, plan
