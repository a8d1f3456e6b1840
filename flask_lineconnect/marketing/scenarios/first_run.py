"""One member's run from its first step to its last, as if nothing else happened: for one phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from ...errors import UsageError
from ...models import MemberEvent
from ...state import LineState
from .deciding import Happened
from .definition import OnEvent
from .definition import OnTime
from .definition import Scenario
from .knowing import know_all
from .occasions import first_occurrence
from .playing import PlayedRun
from .playing import play
from .publishing import require_sound
from .rehearsal import player_for
from .rehearsal import stage_for
from .rehearsal import write_texts
from .wordings import messages_for

#: No wait is longer than those of a calendar; see ``calendar/words.py``.
LONGEST = timedelta(days=366 * 101)


def first_run(line: LineState, scenario: Scenario, member_id: Any) -> PlayedRun:
    """Play a run of a member's that begins now, with what their latest such event said.

    :raises UsageError: the member is not linked, or nobody has done yet what begins it.
    """
    require_sound(line, scenario, "rehearsed")
    now, messages = line.clock(), messages_for(line, scenario)
    known = know_all(line, scenario, [member_id], messages)
    if member_id not in known.readers:
        raise UsageError(f"the member {member_id} is not linked, and has no phone")
    stage, player = stage_for(line, known, until=now + LONGEST), player_for(known, member_id)
    happenings, beginnings = [], []
    if isinstance(scenario.start, OnEvent):
        happenings.append((now, _latest(line, scenario.start.event, member_id)))
    elif isinstance(scenario.start, OnTime):
        at = first_occurrence(scenario.start, now, line.config.zone)
        beginnings.append((at.at, at.day.isoformat()))
    else:
        beginnings.append((now, ""))
    played = play(stage, player, happenings, beginnings)
    if not played.runs:
        raise UsageError(
            f"{scenario.name} does not begin with the latest {getattr(scenario.start, 'event', '')}"
            ": its `where` does not hold"
        )
    write_texts(line, known, messages, played.runs)
    line.session.rollback()
    return played.runs[0]


def _latest(line: LineState, event: str, member_id: Any) -> Happened:
    """Return what a member did last, or if they never did it, anybody."""
    table = MemberEvent
    columns = table.name, table.facts, table.subject, table.id
    statement = select(*columns).where(table.name == event).order_by(table.occurred_at.desc())
    for mine in (statement.where(table.member_id == member_id), statement):
        row = line.session.execute(mine.limit(1)).one_or_none()
        if row is not None:
            return Happened(*row)
    raise UsageError(f"nobody has told of a {event} yet, so there are no facts to show; emit one")
