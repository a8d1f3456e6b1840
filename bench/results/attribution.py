"""A day's orders find their messages: one statement beside an expert's, and the figures' page.

``pip install -e '.[bench,dev]' && python bench/results/attribution.py``; sizes by ``--members``,
``--touches``, ``--clicks`` and ``--orders`` (of the one day). SQLite in a temporary folder and a
PostgreSQL of its own. Both statements are taken back and run in turns; the best turn counts.
The expert's finds the last tap and the last message of each order and writes the same rows; it has
one window for all campaigns and notes no first message.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from shop import NOW
from shop import make_shop
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect.marketing.results.attribution import rules_of
from flask_lineconnect.marketing.results.figures import figures_of
from flask_lineconnect.marketing.results.recounting import recount_orders
from flask_lineconnect.models import Attribution
from flask_lineconnect.models.sqlite import begin_writing
from flask_lineconnect.state import LineState
from tests.postgres import create_database
from tests.postgres import running_server

DAY = timedelta(days=1)
#: Rows 1 to ``:n``, on both databases.
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n) "
#: A moment so many seconds before now, and a number below ``m`` that looks drawn.
_AGO = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', :now, '-' || ({0}) || ' seconds') || '000'",
    "postgresql": "CAST(:now AS timestamptz) - ({0}) * interval '1 second'",
}
_DRAWN = "((i * 2654435761) % 4294967291 % {0})"
_FILL = (
    ('INSERT INTO "user" (id, name, is_locked)', "i, 'x', {no}", "members"),
    (
        "INSERT INTO lineconnect_touch (id, member_id, campaign_id, category, accepted_at, step, "
        "variant)",
        "i, 1 + {member}, 1 + i % 20, 'news', {month_ago}, '', ''",
        "touches",
    ),
    (
        "INSERT INTO lineconnect_click (id, link_id, member_id, clicked_at, kind)",
        "i, 1 + i % 20, 1 + {member}, {month_ago}, 'person'",
        "clicks",
    ),
    (
        "INSERT INTO lineconnect_member_event (id, name, member_id, subject, facts, occurred_at, "
        "attempts)",
        "i, 'order.placed', 1 + {member}, 'order:' || i, '{{\"total\": 3000}}', {day_ago}, 0",
        "orders",
    ),
)
_SECONDS = {
    "sqlite": "(julianday({0}) - julianday({1})) * 86400",
    "postgresql": "extract(epoch FROM {0} - {1})",
}
_TOTAL = {
    "sqlite": "CAST(json_extract(e.facts, '$.total') AS INTEGER)",
    "postgresql": "CAST(e.facts ->> 'total' AS bigint)",
}
EXPERT = """
INSERT INTO lineconnect_attribution (order_event_id, member_id, ordered_at, value, kind,
    campaign_id, step, variant, link_id, touched_at, first_step, returned_at)
WITH o AS (
    SELECT e.id, e.member_id, e.subject, e.occurred_at, {total} AS value
    FROM lineconnect_member_event e
    WHERE e.name = 'order.placed' AND e.occurred_at >= :first AND e.occurred_at < :end
), r AS (
    SELECT o.id, 0 AS side, c.clicked_at AS at, l.campaign_id, l.variant, l.id AS link_id
    FROM o JOIN lineconnect_click c ON c.member_id = o.member_id
    JOIN lineconnect_tracked_link l ON l.id = c.link_id
    JOIN lineconnect_campaign k ON k.id = l.campaign_id AND k.category = 'news'
    WHERE c.kind IN ('person', 'repeat') AND c.clicked_at >= :taps AND c.clicked_at <= o.occurred_at
    AND {taps} <= 432000
    UNION ALL
    SELECT o.id, 1, t.accepted_at, t.campaign_id, t.variant, NULL
    FROM o JOIN lineconnect_touch t ON t.member_id = o.member_id
    WHERE t.category = 'news' AND t.accepted_at >= :messages AND t.accepted_at <= o.occurred_at
    AND {messages} <= 86400
), p AS (
    SELECT r.*, row_number() OVER (PARTITION BY id ORDER BY side, at DESC) AS place FROM r
)
SELECT o.id, o.member_id, o.occurred_at, o.value,
    CASE p.side WHEN 0 THEN 'direct' WHEN 1 THEN 'indirect' ELSE 'none' END,
    p.campaign_id, '', coalesce(p.variant, ''), p.link_id, p.at, '',
    (SELECT min(u.occurred_at) FROM lineconnect_member_event u WHERE u.member_id = o.member_id
     AND u.name = 'order.cancelled' AND u.subject = o.subject AND u.occurred_at >= o.occurred_at)
FROM o LEFT JOIN p ON p.id = o.id AND p.place = 1
"""


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=200_000)
    parser.add_argument("--touches", type=int, default=1_000_000)
    parser.add_argument("--clicks", type=int, default=200_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--database", choices=sorted(_AGO), action="append")
    options = parser.parse_args()
    for database in options.database or sorted(_AGO):
        with ExitStack() as stack:
            if database == "sqlite":
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                uri = f"sqlite:///{folder}/shop.db"
            else:
                uri = create_database(stack.enter_context(running_server()), "shop")
            app = make_shop(uri)
            with app.app_context():
                line: LineState = app.extensions["lineconnect"]
                _fill(line, database, vars(options))
                _measure(line, database, options.turns)
                line.session.remove()
                app.extensions["sqlalchemy"].engine.dispose()


def _fill(line: LineState, database: str, sizes: dict[str, int]) -> None:
    session, ago = line.session, _AGO[database]
    for number in range(1, 21):
        session.execute(
            text(
                "INSERT INTO lineconnect_campaign (id, key, category, state, is_batched, "
                "recipients, created_at) VALUES (:id, :key, 'news', 'finished', :no, 0, :now)"
            ),
            {"id": number, "key": str(number), "no": False, "now": NOW},
        )
        session.execute(
            text(
                "INSERT INTO lineconnect_tracked_link (id, key, campaign_id, step, variant, "
                "source, label, target, created_at) VALUES (:id, :key, :id, '', '', '', '', "
                "'https://shop.example/', :now)"
            ),
            {"id": number, "key": str(number), "now": NOW},
        )
    words = {
        "no": "0" if database == "sqlite" else "false",
        "member": _DRAWN.format(sizes["members"]),
        "month_ago": ago.format(_DRAWN.format(30 * 86_400)),
        "day_ago": ago.format("1 + " + _DRAWN.format(86_000)),
    }
    for insert, columns, size in _FILL:
        statement = f"{insert} {_NUMBERS} SELECT {columns.format(**words)} FROM n"
        moment = NOW.strftime("%Y-%m-%d %H:%M:%S") if database == "sqlite" else NOW
        values = {"n": sizes[size], "now": moment}
        named = {name: value for name, value in values.items() if f":{name}" in statement}
        session.execute(text(statement.replace('": 3000', '"\\: 3000')), named)
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()


def _measure(line: LineState, database: str, turns: int) -> None:
    rules = rules_of(line)
    assert rules is not None
    session, first = line.session, NOW - DAY
    seconds = _SECONDS[database]
    expert = EXPERT.format(
        total=_TOTAL[database],
        taps=seconds.format("o.occurred_at", "c.clicked_at"),
        messages=seconds.format("o.occurred_at", "t.accepted_at"),
    )
    times = {"first": first, "end": NOW, "taps": first - 5 * DAY, "messages": first - DAY}
    if database == "sqlite":
        times = {name: at.strftime("%Y-%m-%d %H:%M:%S.%f") for name, at in times.items()}  # type: ignore[misc]
    pair: dict[str, Callable[[], object]] = {
        "ours": lambda: rules.attribute_time(session, first, NOW),
        "an expert's": lambda: session.execute(text(expert), times),
    }
    best = dict.fromkeys(pair, float("inf"))
    found = {}
    for _turn in range(turns):
        for name, run in pair.items():
            begin_writing(session)
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
            kinds = select(Attribution.kind, func.count()).group_by(Attribution.kind)
            found[name] = dict(session.execute(kinds).all())
            session.rollback()
    assert found["ours"] == found["an expert's"], found
    ours, theirs = best.values()
    ratio = ours / theirs
    for name, took in best.items():
        print(f"{database}: {name} {took:.2f} s for {found[name]}")
    print(f"{database}: {ratio:.2f} times")
    recount_orders(line, rules, first.date(), NOW.date() + DAY)
    began = time.perf_counter()
    for campaign_id in range(1, 21):
        figures_of(session, campaign_id=campaign_id)
        figures_of(session, campaign_id=campaign_id, by_link=True)
    print(f"{database}: a campaign's figures in {(time.perf_counter() - began) / 20 * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
