"""What a scenario's run says of its message just before it goes: its last word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select

from ..models import MemberEvent
from ..models import OutboxMessage
from ..models import PublishedScenario
from ..models import ScenarioRun

#: How the keys of messages begin that runs send; behind it stand the run and the step.
OF_RUN = "lineconnect:run:"
#: How soon a message is looked at again whose member did something that nobody has looked at yet,
#: and how soon one of a paused scenario.
AFTER_EVENTS, AFTER_PAUSE = timedelta(seconds=1), timedelta(minutes=1)


def join_runs(statement: Select[Any]) -> Select[Any]:
    """Let a query of messages know their runs and scenarios."""
    return statement.outerjoin(ScenarioRun, ScenarioRun.id == OutboxMessage.run_id).outerjoin(
        PublishedScenario, PublishedScenario.id == ScenarioRun.scenario_id
    )


def run_ended() -> ColumnElement[str | None]:
    """Return why a message is wanted no more; ``NULL``: it is, or comes from no run.

    A run goes with its member's row; the account may be another member's by then.
    """
    why = literal("the run ended: ").concat(func.coalesce(ScenarioRun.end_reason, ""))
    is_of_run = OutboxMessage.dedupe_key.startswith(OF_RUN, autoescape=True)
    return case(
        (and_(OutboxMessage.run_id.is_(None), is_of_run), literal("the run is gone")),
        (ScenarioRun.ended_at.is_not(None), why),
        (PublishedScenario.state == "stopped", literal("the scenario was stopped")),
        else_=null(),
    )


def run_is_paused() -> ColumnElement[bool]:
    """Ask whether a message's scenario rests."""
    return func.coalesce(PublishedScenario.state == "paused", false())


def has_news() -> ColumnElement[bool]:
    """Ask whether a run's member did something that may end it, and is not looked at yet.

    What failed at its first attempt holds nothing up any longer.
    """
    is_new = (
        select(MemberEvent.id)
        .where(
            MemberEvent.member_id == ScenarioRun.member_id,
            MemberEvent.next_attempt_at.is_not(None),
            MemberEvent.attempts == 0,
        )
        .correlate(ScenarioRun)
        .exists()
    )
    return or_(and_(ScenarioRun.id.is_not(None), is_new), false()).label("has_news")
