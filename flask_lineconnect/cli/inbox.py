"""``flask line inbox …``: look at webhook events that failed, and let them run again."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select

from ..engines.work import work_until_idle
from ..models import InboxEvent
from ..state import current_line
from ..webhooks.hook_threads import HANGS
from ..webhooks.inbox import replay
from .tables import as_json
from .tables import limited
from .tables import show
from .tables import show_one

inbox = AppGroup("inbox", help="Webhook events: look at those that failed, let them run again.")

STATES = ("queued", "answering", "done", "cleared", "dead", "hanging")
#: Events whose hook did not return, and which come again.
IS_HANGING = and_(
    InboxEvent.next_attempt_at.is_not(None), InboxEvent.error.startswith(HANGS, autoescape=True)
)


@inbox.command("list")
@click.option("--state", type=click.Choice(STATES), help="By default those dead or hanging.")
@limited
@as_json
def list_events(state: str | None, limit: int, is_json: bool) -> None:
    """List events, the latest first: id, time, state, attempts, and what went wrong.

    Those hang whose hook did not return within its lease; they come again.
    """
    line = current_line
    statement = (
        select(InboxEvent).where(_is_in(state)).order_by(InboxEvent.occurred_at.desc()).limit(limit)
    )
    rows = [
        {
            "id": row.webhook_event_id,
            "time": row.occurred_at.astimezone(line.config.zone),
            "state": row.state,
            "attempts": row.attempts,
            "error": row.error,
        }
        for row in line.session.scalars(statement)
    ]
    what = "dead or hanging" if state is None else state
    show(rows, is_json=is_json, empty=f"No webhook event is {what}.")


def _is_in(state: str | None) -> ColumnElement[bool]:
    if state is None:
        return or_(InboxEvent.state == "dead", IS_HANGING)
    return IS_HANGING if state == "hanging" else InboxEvent.state == state


@inbox.command("show")
@click.argument("event_id")
@as_json
def show_event(event_id: str, is_json: bool) -> None:
    """Show one event, with what LINE sent. It may hold personal data."""
    row = current_line.session.get(InboxEvent, event_id)
    if row is None:
        raise click.ClickException(f"there is no event {event_id}")
    names = ("state", "attempts", "occurred_at", "received_at", "error", "reply", "payload")
    show_one({name: getattr(row, name) for name in names}, is_json=is_json)


@inbox.command("replay")
@click.argument("event_ids", nargs=-1, required=True)
@as_json
def replay_events(event_ids: tuple[str, ...], is_json: bool) -> None:
    """Let dead events run again. What a hook did before it failed was undone."""
    line = current_line
    for event_id in event_ids:
        if not replay(line.session, event_id, now=line.clock()):
            raise click.ClickException(f"there is no dead event {event_id}")
    line.session.commit()
    work_until_idle(line)
    line.session.rollback()
    found = [line.session.get_one(InboxEvent, event_id) for event_id in event_ids]
    rows = [{"id": row.webhook_event_id, "state": row.state, "error": row.error} for row in found]
    show(rows, is_json=is_json, empty="Nothing ran again.")
