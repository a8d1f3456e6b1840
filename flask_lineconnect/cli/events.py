"""``flask line events``: what members did lately, and what the shop can tell of them."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..marketing.event_kinds import EventKinds
from ..models import MemberEvent
from ..state import LineState
from ..state import current_line
from .member_keys import member_key_of
from .tables import Row
from .tables import as_json
from .tables import show


@click.command()
@click.option("--name", help="Only events of this kind.")
@click.option("--member", "member_id", help="Only events of the member with this key.")
@click.option("--failed", is_flag=True, help="Only those from which nothing could follow yet.")
@click.option("--kinds", is_flag=True, help="List what can be told instead: events, their facts.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@as_json
@with_appcontext
def events(
    name: str | None,
    member_id: str | None,
    failed: bool,
    kinds: bool,
    limit: int,
    is_json: bool,
) -> None:
    """List member events, the latest first. Their facts may be personal data."""
    line = current_line
    if kinds:
        show(_kinds(line), is_json=is_json, empty="No member events are declared.")
        return
    statement = select(MemberEvent).order_by(MemberEvent.id.desc()).limit(limit)
    if name is not None:
        statement = statement.where(MemberEvent.name == name)
    if member_id is not None:
        statement = statement.where(MemberEvent.member_id == member_key_of(member_id))
    if failed:
        statement = statement.where(MemberEvent.error.is_not(None))
    rows = [_row(line, event) for event in line.session.scalars(statement)]
    show(rows, is_json=is_json, empty="No member events are kept that fit.")


def _row(line: LineState, event: MemberEvent) -> Row:
    return {
        "at": event.occurred_at.astimezone(line.config.zone),
        "event": event.name,
        "member": None if event.member_id is None else str(event.member_id),
        "subject": event.subject,
        "state": _state(event),
        "facts": event.facts,
        "error": None if event.error is None else event.error.strip().rpartition("\n")[2][:100],
    }


def _state(event: MemberEvent) -> str:
    if event.next_attempt_at is None:
        return "handled" if event.error is None else "given up"
    return "waiting" if event.error is None else "failed"


def _kinds(line: LineState) -> list[Row]:
    kinds: list[Row] = []
    for kind in line.part(EventKinds):
        facts = {name: type_.name for name, type_ in kind.types.items()}
        kinds.append(
            {"event": kind.name, "label": str(kind.label), "declared by": kind.home, "facts": facts}
        )
    return kinds
