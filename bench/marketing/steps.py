"""How fast runs that are due go into the outbox, and what finding them costs among sleeping ones.

``pip install -e '.[bench,demo]' && python bench/marketing/steps.py``: ``--due`` runs are due in one
minute, beside ``--sleeping`` ones. SQLite in a temporary folder; ``--database URI`` names another,
empty one: ``postgresql+psycopg://…``. The worker is a process of its own, whose memory is measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from statistics import median
from typing import Any

from flask import Flask
from runs import add_members
from runs import add_runs
from runs import make_shop
from runs import publish
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from demo_shop.extensions import db
from flask_lineconnect.marketing.scenarios import doing
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import ScenarioRun
from flask_lineconnect.models.scenario import IS_TIMED
from flask_lineconnect.state import LineState

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def main() -> None:
    """Fill the shop, let a worker do the steps, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=20_000)
    parser.add_argument("--sleeping", type=int, default=10_000)
    parser.add_argument("--members", type=int)
    parser.add_argument("--database")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        _work(options.work, options.database)
        return
    with tempfile.TemporaryDirectory() as folder:
        app = make_shop(folder, options.database)
        with app.app_context():
            _fill(app, options)
            _find(options.sleeping)
            db.session.remove()
            db.engine.dispose()
        if options.due:
            call = [sys.executable, __file__, "--work", folder]
            call += ["--database", options.database] if options.database else []
            subprocess.run(call, check=True)


def _fill(app: Flask, options: argparse.Namespace) -> None:
    line: LineState = app.extensions["lineconnect"]
    members = options.members or max(options.due, 1_000)
    line.clock = lambda: NOW - timedelta(days=1)
    publish(line)
    add_members(members, NOW - timedelta(days=30))
    add_runs(options.sleeping, members, lambda number: NOW + MINUTE * (1 + number), "s")
    add_runs(options.due, members, lambda number: NOW - MINUTE * number / (options.due + 1), "d")


def _find(sleeping: int) -> None:
    """Print what it takes to find who is due, and how the database does it."""
    due = select(ScenarioRun.id).where(ScenarioRun.due_at <= NOW, text(IS_TIMED))
    earliest = select(func.min(ScenarioRun.due_at)).where(text(IS_TIMED))
    cases = {
        "the first 500 that are due": due.order_by(ScenarioRun.due_at).limit(doing.AT_ONCE),
        "whether any is due": due.order_by(ScenarioRun.due_at).limit(1),
        "when the next is due": earliest,
    }
    for name, statement in cases.items():
        took = _median(lambda statement=statement: db.session.execute(statement).all())
        print(f"{name}, beside {sleeping:,} sleeping: {took * 1e3:.2f} ms")
        print(_plan(statement))


def _median(act: Callable[[], object], times: int = 21) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return median(took)


def _plan(statement: Any) -> str:
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    is_sqlite = db.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)"
    rows = db.session.execute(text(f"{explain} {compiled}".replace(":", "\\:"))).all()
    return "\n".join(f"    {row[-1]}" for row in rows)


def _work(folder: str, database: str | None) -> None:
    app = make_shop(folder, database)
    line: LineState = app.extensions["lineconnect"]
    line.clock = lambda: NOW
    with app.app_context():
        publish(line)
        db.session.remove()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, busy, done, slowest = time.perf_counter(), time.process_time(), 0, 0.0
    while True:
        turn = time.perf_counter()
        count = doing.do_due(line)
        slowest = max(slowest, time.perf_counter() - turn)
        if not count:
            break
        done += count
    took, busy = time.perf_counter() - began, time.process_time() - busy
    with app.app_context():
        queued = db.session.scalar(select(func.count()).select_from(OutboxMessage))
        failed = db.session.scalar(
            select(func.count()).select_from(ScenarioRun).where(ScenarioRun.error.is_not(None))
        )
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {
        "steps": done,
        "in the outbox": queued,
        "failed": failed,
        "steps a second": round(done / took),
        # What others leave it of a loaded machine does not count here.
        "steps a second of its own": round(done / busy),
        "longest transaction, ms": round(slowest * 1e3),
        "memory at the start, MB": round(before / 1024),
        "memory at most, MB": round(most / 1024),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
