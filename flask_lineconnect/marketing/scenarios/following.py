"""What follows from a member event in scenarios: runs that it ends, then runs that it begins."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError

from ...error_words import for_log
from ...log_fields import log_fields
from ...models import MemberEvent
from ...models import ScenarioRun
from ...models.scenario import IS_LIVE
from ...state import LineState
from .. import event_kinds
from . import ending
from .beginning import Beginning
from .beginning import begin_runs
from .conditions import Condition
from .conditions import holds
from .deciding import UNLINKED
from .deciding import Happened
from .deciding import begins
from .deciding import end_by
from .deciding import key_for
from .definition import OnEvent
from .knowing import know_members
from .published import Published
from .published import all_published
from .published import versions_of
from .wordings import messages_of

logger = logging.getLogger(__name__)


def follow(line: LineState, events: Sequence[MemberEvent]) -> None:
    """End runs for which an event is goal or exit, then begin new ones.

    :param events: each of another member.
    """
    events = [event for event in events if event.member_id is not None]
    gone = [event.member_id for event in events if event.name == event_kinds.UNLINKED.name]
    if gone:
        theirs = ScenarioRun.member_id.in_(gone)
        ending.end_runs(line.session, theirs, UNLINKED, now=line.clock())
    if not events:
        return
    published = all_published(line)
    if published:
        _end(line, {event.member_id: event for event in events}, published)
    for one in published:
        beginning = [event for event in events if begins(one.scenario, event.name)]
        if beginning and one.state == "running":
            _begin(line, one, beginning)


def _end(
    line: LineState, events: Mapping[Any, MemberEvent], published: Sequence[Published]
) -> None:
    live = ScenarioRun.member_id.in_(events), text(IS_LIVE)
    columns = ScenarioRun.id, ScenarioRun.version_id, ScenarioRun.member_id, ScenarioRun.key
    runs = line.session.execute(select(*columns).where(*live)).all()
    versions = _versions(line, {run.version_id for run in runs}, published)
    reasons: defaultdict[str, list[int]] = defaultdict(list)
    for run in runs:
        happened = _happened(events[run.member_id])
        reason = end_by(versions[run.version_id].scenario, run.key, happened)
        if reason is not None:
            reasons[reason].append(run.id)
    for reason, ids in reasons.items():
        ending.end_runs(line.session, ScenarioRun.id.in_(ids), reason, now=line.clock())


def _happened(event: MemberEvent) -> Happened:
    return Happened(event.name, event.facts, event.subject, event.id)


def _versions(
    line: LineState, version_ids: set[int], published: Sequence[Published]
) -> Mapping[int, Published]:
    current = {one.version_id: one for one in published}
    return {**current, **versions_of(line, sorted(version_ids - set(current)))}


def _begin(line: LineState, published: Published, events: Sequence[MemberEvent]) -> None:
    """Begin one scenario's runs; one that is broken holds back no other.

    :raises Exception: of several events at least one failed; alone, only the database does.
    """
    try:
        with line.session.begin_nested():
            wanted = _wanted(line, published, events)
            beginnings = [_beginning(published, event) for event in wanted]
            begin_runs(line, published, beginnings, now=line.clock())
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(events) > 1:
            raise
        logger.error(
            "the scenario %s could not begin with the member event %d",
            published.name,
            events[0].id,
            exc_info=for_log(error),
            extra=log_fields("scenario_failed", scenario=published.name, event_id=events[0].id),
        )


def _beginning(published: Published, event: MemberEvent) -> Beginning:
    return Beginning(
        event.member_id,
        event.occurred_at,
        key_for(published.scenario, _happened(event)),
        event.facts,
        event.subject,
        event.id,
    )


def _wanted(
    line: LineState, published: Published, events: Sequence[MemberEvent]
) -> Sequence[MemberEvent]:
    """Return the events whose facts, and members, are as the scenario asks."""
    start = published.scenario.start
    if not isinstance(start, OnEvent) or start.where is None:
        return events
    messages = messages_of(line, published)
    ids = [event.member_id for event in events]
    known = know_members(line, published.scenario, ids, start.where, messages)

    def is_wanted(event: MemberEvent, where: Condition) -> bool:
        values = known.values(event.member_id, event.facts)
        return holds(where, known.circumstances(event, values).asking)

    return [event for event in events if is_wanted(event, start.where)]
