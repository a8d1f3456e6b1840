"""Whom a message would reach, and who falls out and why: by the outbox's own rules, in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Account
from ...outbox.policy import Policy
from ...shop.categories import Category


@dataclass(frozen=True, slots=True)
class Reach:
    """How many members were chosen, and how many of them a message would reach now.

    :ivar fallen: how many it would not, by the reason: ``not linked``, ``not a friend`` (blocked),
        ``declined``, ``held out``, ``frequency cap``.
    """

    chosen: int
    reachable: int
    fallen: Mapping[str, int]


def reasons_for(
    session: Session,
    members: Select[Any],
    category: Category,
    policy: Policy,
    now: datetime,
    *,
    accounts: Select[Any] | None = None,
) -> Select[Any]:
    """Return each of these members with the reason against a message; ``NULL``: there is none.

    :param accounts: the ids of the accounts of a few; else advertisements are counted of all.
    """
    chosen = members.subquery("chosen")
    key = chosen.c[0]
    reason = policy.reason_against(literal(category.name), now=now)
    statement = select(key.label("member_key")).select_from(chosen)
    statement = statement.outerjoin(Account, Account.member_id == key)
    if category.is_marketing and policy.marketing_cap is not None:
        whose = (
            policy.full(session, now=now)
            if accounts is None
            else policy.full_among(session, accounts, now=now)
        )
        full = whose.subquery("full")
        statement = statement.outerjoin(full, full.c.account_id == Account.id)
        is_full = full.c.account_id.is_not(None)
        reason = func.coalesce(reason, case((is_full, literal("frequency cap")), else_=null()))
    return statement.add_columns(reason.label("reason"))


def count_reach(
    session: Session, members: Select[Any], category: Category, policy: Policy, *, now: datetime
) -> Reach:
    """Count, in one statement, whom a message of this category would reach now."""
    reasons = reasons_for(session, members, category, policy, now).subquery("reasons")
    statement = select(reasons.c.reason, func.count()).group_by(reasons.c.reason)
    counts = {reason: number for reason, number in session.execute(statement)}
    reachable = counts.pop(None, 0)
    return Reach(reachable + sum(counts.values()), reachable, counts)
