"""Fills the demo shop's tables beside members, orders and events: what the console lists, in SQL.

Members, orders and events are of ``bench/marketing/data.py``. PostgreSQL alone.
"""

from __future__ import annotations

import re
import time
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import text

#: Messages and member events of each member, and members of each campaign.
MESSAGES, EVENTS, TO_A_CAMPAIGN = 10, 20, 1_000
#: In their order; ``:n`` is how many rows, ``:now`` the time, ``:members`` and ``:campaigns`` how
#: many of these there are.
_PARTS = {
    "campaigns": """
        INSERT INTO lineconnect_campaign (id, key, category, state, is_batched, recipients,
            created_at, finished_at, meant, held_out, holdout_percent)
        SELECT n, 'campaign-' || n, 'news', 'finished', false, 10000,
            :now - make_interval(hours => (:n - n)::int * 12),
            :now - make_interval(hours => (:n - n)::int * 12 - 1), 10000, 0, 0
        FROM generate_series(1, :n) n""",
    "counts": """
        INSERT INTO lineconnect_result_count (campaign_id, scenario_id, step, variant, link_id,
            day, figure, number, forgotten)
        SELECT c, 0, '', '', 0, (:now)::date - d, f, 2000, 0
        FROM generate_series(1, :campaigns) c, generate_series(0, 4) d,
            unnest(ARRAY['accepted', 'clicks', 'orders_direct', 'sales_direct']) f
        WHERE :n > 0""",
    "messages": """
        INSERT INTO lineconnect_outbox_message (account_id, category, priority, messages, state,
            attempts, claims, is_uncertain, created_at, first_tried_at, accepted_at, campaign_id)
        SELECT n % (:members * 4 / 5) + 1, 'news', 1, '[{"type": "text", "text": "新茶です"}]',
            CASE WHEN n % 997 = 0 THEN 'refused' ELSE 'accepted' END, 1, 1, false, at, at,
            CASE WHEN n % 997 = 0 THEN NULL ELSE at END, (n * :campaigns - 1) / :n + 1
        FROM generate_series(1, :n) n,
            LATERAL (SELECT :now - make_interval(secs => (:n - n) * 7776000.0 / :n) AS at) t""",
    "links": """
        INSERT INTO lineconnect_member_event (name, member_id, account_id, facts, occurred_at,
            attempts)
        SELECT CASE WHEN id % 9 = 0 THEN 'line.unfollowed' ELSE 'line.linked' END, member_id, id,
            '{}', linked_at, 0
        FROM lineconnect_account WHERE :n > 0""",
    "audit": """
        INSERT INTO lineconnect_audit_entry (at, action, actor, account_id, member_key)
        SELECT :now - make_interval(mins => (:n - n)::int), 'linked', 'member', n, n::text
        FROM generate_series(1, :n) n""",
    "points": """
        INSERT INTO point_entry (user_id, amount, reason, key, at)
        SELECT n, 12, 'ご注文', 'order:' || n, :now - make_interval(mins => n::int % 500000)
        FROM generate_series(1, :n) n""",
    "questions": """
        INSERT INTO inquiry (user_id, name, text, at, is_answered)
        SELECT n, '会員', '何時までですか？', :now - make_interval(mins => n::int), n > 40
        FROM generate_series(1, :n) n""",
    "places": """
        INSERT INTO lineconnect_source_label (label, created_at)
        SELECT 'place-' || n, :now FROM generate_series(1, :n) n""",
}


def fill(connection: Connection, now: datetime, *, members: int) -> None:
    """Write the rows, and say how long each part took."""
    campaigns = max(members // TO_A_CAMPAIGN, 20)
    counts = {
        "campaigns": campaigns,
        "messages": members * MESSAGES,
        "audit": members,
        "points": members,
        "questions": min(members, 1_000),
        "places": 100,
    }
    for name, statement in _PARTS.items():
        began = time.perf_counter()
        values = {"n": counts.get(name, 1), "now": now, "members": members}
        connection.execute(text(_typed(statement)), values | {"campaigns": campaigns})
        connection.commit()
        print(f"  {name}: {time.perf_counter() - began:.1f} s", flush=True)


def _typed(statement: str) -> str:
    """Say of each value what it is: the database can't see it where they are calculated with."""
    kinds = {"n": "bigint", "members": "bigint", "campaigns": "bigint", "now": "timestamptz"}
    return re.sub(
        r"(?<!:):(n|now|members|campaigns)\b",
        lambda one: f"CAST(:{one[1]} AS {kinds[one[1]]})",
        statement,
    )
