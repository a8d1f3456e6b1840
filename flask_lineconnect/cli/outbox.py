"""``flask line outbox …``: look at messages, send those that failed again, cancel those that wait.

``m12`` names a message to one account, ``b3`` a batch to many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import click
from flask.cli import AppGroup
from sqlalchemy import select

from ..models import Campaign
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import STATES
from ..outbox import by_hand
from ..outbox import pauses
from ..outbox.send_requests import Model
from ..state import LineState
from ..state import current_line
from .progress import deliver_with_progress
from .progress import this_line
from .tables import as_json
from .tables import limited
from .tables import show
from .tables import show_one

outbox = AppGroup("outbox", help="Messages: look at them, send them again, cancel them.")

_SHOWN = (
    "state",
    "category",
    "attempts",
    "is_uncertain",
    "created_at",
    "next_attempt_at",
    "expires_at",
    "first_tried_at",
    "accepted_at",
    "retry_key",
    "line_request_id",
    "quota_month",
    "error",
)


class _Id(NamedTuple):
    model: Model
    number: int

    def __str__(self) -> str:
        return f"{'m' if self.model is OutboxMessage else 'b'}{self.number}"


class _IdType(click.ParamType[_Id]):
    """The id of a message or a batch."""

    name = "id"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> _Id:
        """Read an id."""
        given = re.fullmatch(r"([mb])(\d{1,18})", str(value))
        if given is None:
            self.fail(f"{value} is no id; `flask line outbox list` shows ids such as m12 and b3")
        return _Id(OutboxMessage if given[1] == "m" else OutboxBatch, int(given[2]))


_ids = click.argument("ids", nargs=-1, required=True, type=_IdType())


@outbox.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these; by default all but accepted.")
@click.option("--category", help="Only messages of this category.")
@click.option("--campaign", help="Only what belongs to the campaign with this key.")
@limited
@as_json
def list_messages(
    state: str | None, category: str | None, campaign: str | None, limit: int, is_json: bool
) -> None:
    """List requests to LINE, the latest first: id, time, state, category, recipients, error.

    A message that goes out in a batch with others is shown by the batch.
    """
    line = current_line
    rows: list[tuple[_Id, OutboxMessage | OutboxBatch]] = []
    for model in (OutboxMessage, OutboxBatch):
        statement = select(model).order_by(model.id.desc()).limit(limit)
        if model is OutboxMessage:
            statement = statement.where(OutboxMessage.batch_id.is_(None))
        statement = statement.where(model.state == state if state else model.state != "accepted")
        if category:
            statement = statement.where(model.category == category)
        if campaign:
            of_it = select(Campaign.id).where(Campaign.key == campaign).scalar_subquery()
            statement = statement.where(model.campaign_id == of_it)
        found: Iterable[OutboxMessage | OutboxBatch] = line.session.scalars(statement)
        rows += [(_Id(model, row.id), row) for row in found]
    rows.sort(key=lambda pair: pair[1].created_at, reverse=True)
    listed = [
        {
            "id": str(row_id),
            "time": row.created_at.astimezone(line.config.zone),
            "state": row.state,
            "category": row.category,
            "recipients": row.recipients if isinstance(row, OutboxBatch) else 1,
            "error": row.error,
        }
        for row_id, row in rows[:limit]
    ]
    none = (
        "No message is there that is not accepted." if state is None else f"No message is {state}."
    )
    show(listed, is_json=is_json, empty=none)


@outbox.command("show")
@click.argument("row_id", metavar="ID", type=_IdType())
@as_json
def show_message(row_id: _Id, is_json: bool) -> None:
    """Show one message or batch, with what it says. It may hold personal data."""
    line = current_line
    row = by_hand.find(line.session, *row_id)
    if row is None:
        raise click.ClickException(f"there is no {row_id}")
    shown: dict[str, Any] = {name: getattr(row, name) for name in _SHOWN}
    if row.campaign_id is not None:
        shown["campaign"] = line.session.get_one(Campaign, row.campaign_id).key
    if isinstance(row, OutboxBatch):
        shown["recipients"] = row.recipients
    else:
        batch = row.batch_id and f"b{row.batch_id}"
        shown |= {"account": row.account_id, "dedupe_key": row.dedupe_key, "batch": batch}
    show_one({**shown, "messages": row.messages}, is_json=is_json)


@outbox.command("retry")
@_ids
@click.option("--yes", is_flag=True, help="Also what LINE may have taken already, without asking.")
def retry_messages(ids: Sequence[_Id], yes: bool) -> None:
    """Send refused and expired messages again, with a new retry key.

    Each costs as if it were new. What LINE may have taken at an earlier try is asked about: it may
    arrive twice.
    """
    line = current_line
    rows = [(row_id, _failed_row(line, row_id)) for row_id in ids]
    uncertain = [row_id for row_id, row in rows if row.is_uncertain]
    if uncertain and not yes:
        click.confirm(
            f"LINE may have taken {_names(uncertain)} already: nobody knows its answer. Sent "
            "again, it may arrive twice, and is paid for twice. Send it again?",
            abort=True,
        )
    late = [
        row_id
        for row_id in ids
        if not by_hand.retry(
            line.session, *row_id, accept_doubles=row_id in uncertain, now=line.clock()
        )
    ]
    line.session.commit()
    line.engine.wake("delivery")
    click.echo(f"{len(ids) - len(late)} queued again.")
    if late:
        raise click.ClickException(f"{_names(late)} changed in the meantime; look again")


@outbox.command("cancel")
@_ids
def cancel_messages(ids: Sequence[_Id]) -> None:
    """Don't send messages that are queued. What is on its way can't be called back."""
    line = current_line
    kept = []
    for row_id in ids:
        if not by_hand.cancel(line.session, *row_id, now=line.clock()):
            kept.append(f"{row_id} ({_why_not_cancelled(line, row_id)})")
    line.session.commit()
    click.echo(f"{len(ids) - len(kept)} cancelled.")
    if kept:
        raise click.ClickException(f"not cancelled: {', '.join(kept)}")


@outbox.command("deliver")
def deliver() -> None:
    """Send what is due now, in this process, and say what became of it."""
    line = this_line()
    since = line.clock()
    deliver_with_progress(line)
    line.session.rollback()
    counts = by_hand.count_recipients(line.session, lambda model: model.first_tried_at >= since)
    for state in STATES:
        if counts[state]:
            click.echo(f"{counts[state]:>8,}  {state}")
    for pause in pauses.current(line.session, now=line.clock()):
        until = pause.until.astimezone(line.config.zone)
        click.echo(f"Sending is paused until {until:%Y-%m-%d %H:%M} ({pause.reason}).")
    waiting = by_hand.count_waiting(line.session, now=line.clock())
    if waiting:
        raise click.ClickException(f"{waiting:,} still wait; see `flask line quota`")


def _failed_row(line: LineState, row_id: _Id) -> OutboxMessage | OutboxBatch:
    row = by_hand.find(line.session, *row_id)
    if row is None:
        raise click.ClickException(f"there is no {row_id}")
    if row.state not in by_hand.FAILED:
        raise click.ClickException(
            f"{row_id} is {row.state}; only refused and expired ones are sent again"
        )
    if isinstance(row, OutboxMessage) and row.batch_id is not None:
        raise click.ClickException(f"{row_id} went with b{row.batch_id}; name that one")
    if isinstance(row, OutboxBatch) and row.recipients == 0:
        raise click.ClickException(f"the recipients of {row_id} went on in other batches")
    return row


def _why_not_cancelled(line: LineState, row_id: _Id) -> str:
    row = by_hand.find(line.session, *row_id)
    if row is None:
        return "there is none"
    if isinstance(row, OutboxMessage) and row.batch_id is not None:
        return f"{row.state} with b{row.batch_id}"
    return row.state


def _names(ids: Sequence[_Id]) -> str:
    return ", ".join(map(str, ids))
