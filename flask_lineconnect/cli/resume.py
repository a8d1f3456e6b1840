"""``flask line resume``: end pauses of sending."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..outbox import by_hand
from ..state import current_line


@click.command()
@with_appcontext
def resume() -> None:
    """End pauses of sending, once their cause is mended; without waiting for their end."""
    line = current_line
    reasons = by_hand.end_pauses(line.session, now=line.clock())
    line.session.commit()
    if not reasons:
        raise click.ClickException("sending is not paused")
    line.engine.wake("delivery")
    click.echo(f"Sending goes on; it was paused for: {', '.join(sorted(reasons))}.")
