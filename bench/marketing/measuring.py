"""Measures segments and `line.emit`, each in turns with what it is compared with."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import NamedTuple
from typing import TextIO

from common import SETTINGS
from data import fill
from questions import BY_HAND
from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import text

from demo_shop import create_app
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.models import User
from demo_shop.models import UtcDateTime
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.state import LineState

#: Events that are told in one transaction.
TOLD = 300


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is measured.

    :ivar sizes: members, orders and events.
    :ivar turns: of each pair; the best counts.
    :ivar names: the segments.
    :ivar plans: where to write what the database does for each statement.
    """

    sizes: dict[str, int]
    turns: int
    names: list[str]
    plans: TextIO


def measure(uri: str, what: Measuring) -> None:
    """Fill the demo shop in an empty database, measure, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": uri, "PICTURES_FOLDER": folder})
        with app.app_context():
            db.metadata.create_all(db.engine)
            _measure(app.extensions["lineconnect"], what)
            db.session.remove()
            db.engine.dispose()


def _measure(line: LineState, what: Measuring) -> None:
    now = line.clock().replace(microsecond=0)
    line.clock = lambda: now
    dialect = db.engine.dialect.name
    print(dialect, ", ".join(f"{count:,} {name}" for name, count in what.sizes.items()))
    with db.engine.connect() as connection:
        fill(connection, now, **what.sizes)
    began = time.perf_counter()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if dialect == "sqlite" else "VACUUM ANALYZE"))
    print(f"  statistics: {time.perf_counter() - began:.1f} s", flush=True)
    what.plans.write(f"# {dialect}: {what.sizes}\n")
    print(f"{'segment':20}{'people':>9}{'count ms':>10}{'by hand':>9}{'ratio':>7}", end="")
    print(f"{'list ms':>10}{'by hand':>9}{'ratio':>7}")
    measured = [_measure_segment(line, name, now, what) for name in what.names]
    people = sum(one.people for one in measured)
    # Of a question that takes a millisecond, what Python does is much; it is little of them all.
    _tell("together", people, *(_sum(one[part] for one in measured) for part in (1, 2)))
    _measure_emit(line, what.turns)


class _Measured(NamedTuple):
    """What a segment took, in seconds: ours, and by hand."""

    people: int
    counts: Sequence[float]
    lists: Sequence[float]


def _sum(pairs: Iterable[Any]) -> list[float]:
    return [sum(part) for part in zip(*pairs, strict=True)]


def _measure_segment(line: LineState, name: str, now: datetime, what: Measuring) -> _Measured:
    ours = audience.members_in(line, name)
    hand = BY_HAND[name]
    asked = set(re.findall(r":d(\d+)", hand))
    limits = {f"d{days}": now - timedelta(days=int(days)) for days in asked}
    typed = [bindparam(key, value, type_=UtcDateTime()) for key, value in limits.items()]
    if ":tea" in hand:
        typed.append(bindparam("tea", "tea"))
    by_hand = text(hand).bindparams(*typed)
    count_by_hand = text(f"SELECT count(*) FROM ({hand}) t").bindparams(*typed)
    count_ours = select(func.count()).select_from(ours.subquery())
    with db.engine.connect() as connection:
        assert set(connection.scalars(ours)) == set(connection.scalars(by_hand)), name
        _explain(connection, f"{name}: ours", ours, what.plans)
        _explain(connection, f"{name}: by hand", by_hand, what.plans)
        counts = _in_turns(
            what.turns,
            lambda: connection.scalar(count_ours),
            lambda: connection.scalar(count_by_hand),
        )
        lists = _in_turns(
            what.turns,
            lambda: connection.scalars(ours).all(),
            lambda: connection.scalars(by_hand).all(),
        )
        people = connection.scalar(count_ours) or 0
    _tell(name, people, counts, lists)
    return _Measured(people, counts, lists)


def _tell(name: str, people: int, counts: Sequence[float], lists: Sequence[float]) -> None:
    columns = "".join(
        f"{own * 1_000:{width}.1f}{other * 1_000:9.1f}{own / other:7.2f}"
        for width, (own, other) in ((10, counts), (10, lists))
    )
    print(f"{name:20}{people:9,}{columns}", flush=True)


def _explain(connection: Connection, title: str, statement: Any, plans: TextIO) -> None:
    word = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE)"
    sql = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    plans.write(f"\n## {title}\n{sql}\n")
    # Only PostgreSQL's driver reads a sign before a parameter.
    escaped = sql if word == "EXPLAIN QUERY PLAN" else sql.replace("%", "%%")
    for row in connection.exec_driver_sql(f"{word} {escaped}"):
        plans.write(f"    {row[-1]}\n")
    plans.flush()


def _measure_emit(line: LineState, turns: int) -> None:
    member = db.session.get_one(User, 1)
    facts = {"amount": 9, "balance": 90, "is_at_counter": False}
    now = line.clock()
    row = {
        "name": "points.booked",
        "member_id": member.id,
        "account_id": None,
        "subject": "order:1",
        "facts": facts,
        "occurred_at": now,
        "next_attempt_at": now,
        "attempts": 0,
    }

    def emit() -> None:
        for _ in range(TOLD):
            extension.emit("points.booked", member, subject="order:1", **facts)
        db.session.rollback()

    # Made once, as ours is: making it anew costs more than the database does.
    statement = insert(MemberEvent.__table__).inline()

    def bare() -> None:
        for _ in range(TOLD):
            db.session.execute(statement, row)
        db.session.rollback()

    def by_orm() -> None:
        for _ in range(TOLD):
            db.session.add(MemberEvent(**row))
            db.session.flush()
        db.session.rollback()

    own, other = _in_turns(turns * 3, emit, bare)
    own_again, orm = _in_turns(turns * 3, emit, by_orm)
    each = 1e6 / TOLD
    print(f"emit {own * each:.0f} µs, bare INSERT {other * each:.0f} µs, ratio {own / other:.2f}")
    print(f"emit {own_again * each:.0f} µs, add and flush {orm * each:.0f} µs, ", end="")
    print(f"ratio {own_again / orm:.2f}")


def _in_turns(turns: int, *acts: Callable[[], object]) -> list[float]:
    """Return the best seconds of each act, which take turns."""
    best = [float("inf")] * len(acts)
    for _ in range(turns):
        for number, act in enumerate(acts):
            began = time.perf_counter()
            act()
            best[number] = min(best[number], time.perf_counter() - began)
    return best
