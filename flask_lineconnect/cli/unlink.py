"""``flask line unlink``: end a member's link, for staff."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import inspect

from ..engines.work import work_until_idle
from ..linking import unlinking
from ..state import current_line


@click.command()
@click.argument("member_id")
@with_appcontext
def unlink(member_id: str) -> None:
    """End the link of the member with this key; LINE is told."""
    state = current_line
    account = unlinking.end_links_of(state, _key(member_id), actor="shop", now=state.clock())
    state.session.commit()
    if account is None:
        raise click.ClickException(f"member {member_id} is not linked to a LINE account")
    work_until_idle(state)
    click.echo(f"Member {member_id} is no longer linked. They were told.")


def _key(text: str) -> Any:
    """Return a member's key in the type that the shop uses."""
    column = inspect(current_line.shop.model).primary_key[0]
    try:
        return column.type.python_type(text)
    except ValueError:
        raise click.ClickException(f"{text} can't be the key of a member") from None
