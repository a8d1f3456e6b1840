"""Whom a segment chose when it was last looked at: so that a scenario begins when it does first.

Statements over all members at once; ``starting.py`` runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import cast

from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...models import ScenarioMember
from ...models import UtcDateTime


def new_ones(scenario_id: int, chosen: Select[Any]) -> Select[Any]:
    """Return the members who are chosen now, and were not."""
    now = chosen.subquery("now")
    key = now.c[0]
    was_there = and_(ScenarioMember.scenario_id == scenario_id, ScenarioMember.member_id == key)
    statement = select(key).outerjoin_from(now, ScenarioMember, was_there)
    return statement.where(ScenarioMember.member_id.is_(None))


def gone_ones(scenario_id: int, chosen: Select[Any]) -> Select[Any]:
    """Return the members who were chosen, and are no longer."""
    now = chosen.subquery("now")
    is_there = now.c[0] == ScenarioMember.member_id
    statement = select(ScenarioMember.member_id).outerjoin(now, is_there)
    return statement.where(ScenarioMember.scenario_id == scenario_id, now.c[0].is_(None))


def remember(
    session: Session, scenario_id: int, chosen: Select[Any], *, is_begun: bool, now: datetime
) -> None:
    """Note of a scenario that is published whom its segment chooses already.

    :param is_begun: whether it begins for them: then nobody is noted yet.
    """
    session.execute(
        delete(ScenarioMember)
        .where(ScenarioMember.scenario_id == scenario_id)
        .execution_options(synchronize_session=False)
    )
    if is_begun:
        return
    there = chosen.subquery("there")
    members = select(literal(scenario_id), there.c[0], literal(now, UtcDateTime()))
    names = ["scenario_id", "member_id", "since"]
    session.execute(insert(ScenarioMember).from_select(names, members))


def note(
    session: Session, scenario_id: int, keys: Sequence[Any], *, now: datetime
) -> Sequence[Any]:
    """Note members who are chosen now; return who was not noted before."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    table = cast(Table, ScenarioMember.__table__)
    into = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    rows = [{"scenario_id": scenario_id, "member_id": key, "since": now} for key in keys]
    statement = into.on_conflict_do_nothing().returning(table.c.member_id)
    return session.scalars(statement, rows).all()


def forget(session: Session, scenario_id: int, keys: Sequence[Any]) -> None:
    """Forget members who are no longer chosen: they may come again."""
    session.execute(
        delete(ScenarioMember)
        .where(ScenarioMember.scenario_id == scenario_id, ScenarioMember.member_id.in_(keys))
        .execution_options(synchronize_session=False)
    )
