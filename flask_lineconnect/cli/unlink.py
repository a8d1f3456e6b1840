"""``flask line unlink``: end a member's link, for staff."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..engines.work import work_until_idle
from ..linking import unlinking
from ..state import current_line
from .member_keys import member_key_of


@click.command()
@click.argument("member_id")
@with_appcontext
def unlink(member_id: str) -> None:
    """End the link of the member with this key; LINE is told."""
    state = current_line
    account = unlinking.end_links_of(
        state, member_key_of(member_id), actor="shop", now=state.clock()
    )
    state.session.commit()
    if account is None:
        raise click.ClickException(f"member {member_id} is not linked to a LINE account")
    work_until_idle(state)
    click.echo(f"Member {member_id} is no longer linked. They were told.")
