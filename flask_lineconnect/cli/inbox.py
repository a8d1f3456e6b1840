"""``flask line inbox …``: look at webhook events that failed, and let them run again."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from ..engines.work import work_until_idle
from ..models import InboxEvent
from ..state import current_line
from ..webhooks.inbox import replay

inbox = AppGroup("inbox", help="Webhook events: look at those that failed, let them run again.")

STATES = ("queued", "answering", "done", "cleared", "dead")


@inbox.command("list")
@click.option("--state", type=click.Choice(STATES), default="dead", show_default=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def list_events(state: str, limit: int) -> None:
    """List events, the latest first: id, time, attempts, and what went wrong."""
    line = current_line
    statement = (
        select(InboxEvent)
        .where(InboxEvent.state == state)
        .order_by(InboxEvent.occurred_at.desc())
        .limit(limit)
    )
    for row in line.session.scalars(statement):
        when = row.occurred_at.astimezone(line.config.zone)
        error = (row.error or "").partition("\n")[0][:100]
        click.echo(f"{row.webhook_event_id}  {when:%Y-%m-%d %H:%M:%S}  {row.attempts}  {error}")


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
