"""``flask line links``: whom each store QR code, button or page has brought."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import with_appcontext

from ..linking import accounts
from ..state import current_line


@click.command()
@click.option("--days", type=click.IntRange(1), help="Count only links of the last so many days.")
@click.option("--source", help="List the members whom this label brought.")
@with_appcontext
def links(days: int | None, source: str | None) -> None:
    """Show how many members each store QR code, button or page has brought."""
    state = current_line
    since = None if days is None else state.clock() - timedelta(days=days)
    if source is not None:
        for account in accounts.accounts_from(state.session, source, since=since):
            linked_at = account.linked_at.astimezone(state.config.zone) if account.linked_at else ""
            click.echo(f"{linked_at:%Y-%m-%d %H:%M}  member {account.member_id}")
        return
    counts = accounts.count_by_source(state.session, since=since)
    for name, count in counts:
        click.echo(f"{count:>8,}  {name or '-'}")
    click.echo(f"{sum(count for _name, count in counts):>8,}  in all")
