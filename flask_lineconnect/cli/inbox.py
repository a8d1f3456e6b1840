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

inbox = AppGroup("inbox", help="Webhook events: look at those that failed, let them run again.")

STATES = ("queued", "answering", "done", "cleared", "dead", "hanging")
#: Events whose hook did not return, and which come again.
IS_HANGING = and_(
    InboxEvent.next_attempt_at.is_not(None), InboxEvent.error.startswith(HANGS, autoescape=True)
)


@inbox.command("list")
@click.option("--state", type=click.Choice(STATES), help="By default those dead or hanging.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def list_events(state: str | None, limit: int) -> None:
    """List events, the latest first: id, time, attempts, and what went wrong.

    Those hang whose hook did not return within its lease; they come again.
    """
    line = current_line
    statement = (
        select(InboxEvent).where(_is_in(state)).order_by(InboxEvent.occurred_at.desc()).limit(limit)
    )
    for row in line.session.scalars(statement):
        when = row.occurred_at.astimezone(line.config.zone)
        error = (row.error or "").partition("\n")[0][:100]
        click.echo(f"{row.webhook_event_id}  {when:%Y-%m-%d %H:%M:%S}  {row.attempts}  {error}")


def _is_in(state: str | None) -> ColumnElement[bool]:
    if state is None:
        return or_(InboxEvent.state == "dead", IS_HANGING)
    return IS_HANGING if state == "hanging" else InboxEvent.state == state


@inbox.command("show")
@click.argument("event_id")
def show_event(event_id: str) -> None:
    """Show one event, with what LINE sent. It may hold personal data."""
    row = current_line.session.get(InboxEvent, event_id)
    if row is None:
        raise click.ClickException(f"there is no event {event_id}")
    for name in ("state", "attempts", "occurred_at", "received_at", "error", "reply", "payload"):
        click.echo(f"{name}: {getattr(row, name)}")


@inbox.command("replay")
@click.argument("event_ids", nargs=-1, required=True)
def replay_events(event_ids: tuple[str, ...]) -> None:
    """Let dead events run again. What a hook did before it failed was undone."""
    line = current_line
    for event_id in event_ids:
        if not replay(line.session, event_id, now=line.clock()):
            raise click.ClickException(f"there is no dead event {event_id}")
    line.session.commit()
    work_until_idle(line)
    for event_id in event_ids:
        line.session.rollback()
        row = line.session.get_one(InboxEvent, event_id)
        click.echo(f"{event_id}  {row.state}  {row.error or ''}")
