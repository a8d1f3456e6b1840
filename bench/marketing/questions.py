"""Ten typical segments of the demo shop, each beside the SQL that an expert writes for it."""

from __future__ import annotations

KEPT = "status <> 'cancelled'"
LATEST = f'SELECT user_id FROM "order" WHERE {KEPT} GROUP BY user_id HAVING '
BOUGHT = (
    'SELECT 1 FROM "order" o JOIN order_line l ON l.order_id = o.id '
    "JOIN product p ON p.id = l.product_id WHERE o.user_id = {} AND o." + KEPT + " AND {}"
)

#: By the segment's name; ``:d30`` is thirty days ago.
BY_HAND = {
    "bought_once": LATEST + "count(*) = 1 AND max(placed_at) BETWEEN :d90 AND :d30",
    "bought_twice": LATEST + "count(*) = 2",
    "regulars": f'SELECT user_id FROM "order" WHERE placed_at >= :d365 AND {KEPT} GROUP BY user_id '
    "HAVING count(*) >= 3",
    "best_fifth": "SELECT user_id FROM (SELECT user_id, ntile(5) OVER (ORDER BY sum(total) DESC, "
    f'user_id) q FROM "order" WHERE placed_at >= :d365 AND {KEPT} GROUP BY user_id) t WHERE q = 1',
    "not_seen_lately": LATEST + "max(placed_at) BETWEEN :d180 AND :d90",
    "sleeping_regulars": LATEST + "count(*) >= 3 AND max(placed_at) < :d180",
    "tea_again": f'SELECT user_id FROM (SELECT user_id FROM "order" WHERE {KEPT} GROUP BY user_id '
    "HAVING max(placed_at) < :d60) s WHERE "
    f"EXISTS ({BOUGHT.format('s.user_id', 'category = :tea')})",
    "cart_left": "SELECT DISTINCT member_id FROM lineconnect_member_event c "
    "WHERE name = 'cart.changed' AND occurred_at >= :d2 AND member_id IS NOT NULL "
    "AND CAST(facts ->> 'count' AS INTEGER) >= 1 AND NOT EXISTS (SELECT 1 FROM "
    "lineconnect_member_event o WHERE o.name = 'order.placed' AND o.occurred_at >= :d2 "
    "AND o.member_id = c.member_id)",
    "kinki": "SELECT id FROM \"user\" WHERE address LIKE '京都府%' OR address LIKE '大阪府%'",
    "linked_this_week": "SELECT member_id FROM lineconnect_account "
    "WHERE linked_at BETWEEN :d7 AND :d0 AND member_id IS NOT NULL",
}
