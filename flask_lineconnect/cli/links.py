"""``flask line links``: whom each store QR code, button or page has brought."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any

import click
from flask.cli import with_appcontext

from ..linking import accounts
from ..state import LineState
from ..state import current_line
from .tables import as_json
from .tables import show


@click.command()
@click.option("--days", type=click.IntRange(1), help="Count only links of the last so many days.")
@click.option("--source", help="List the members whom this label brought.")
@as_json
@with_appcontext
def links(days: int | None, source: str | None, is_json: bool) -> None:
    """Show how many members each store QR code, button or page has brought."""
    line = current_line
    since = None if days is None else line.clock() - timedelta(days=days)
    if source is None:
        _show_counts(line, since, is_json=is_json)
        return
    rows = [
        {
            "linked_at": account.linked_at and account.linked_at.astimezone(line.config.zone),
            "member": str(account.member_id),
        }
        for account in accounts.accounts_from(line.session, source, since=since)
    ]
    show(rows, is_json=is_json, empty=f"{source} has brought nobody{_lately(since)}.")


def _show_counts(line: LineState, since: datetime | None, *, is_json: bool) -> None:
    counts = accounts.count_by_source(line.session, since=since)
    rows: list[dict[str, Any]] = [{"members": count, "source": name} for name, count in counts]
    if rows and not is_json:
        rows.append({"members": sum(count for _name, count in counts), "source": "in all"})
    show(rows, is_json=is_json, empty=f"Nobody is linked{_lately(since)}.")


def _lately(since: datetime | None) -> str:
    return "" if since is None else " in these days"
