"""``flask line erase``: forget a person, by member or by LINE account."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..engines.work import work_until_idle
from ..linking import unlinking
from ..models import Account
from ..state import LineState
from ..state import current_line
from .member_keys import member_key_of


@click.command()
@click.argument("member_id", required=False)
@click.option("--line-user", metavar="ID", help="The LINE user id instead, U and 32 digits.")
@with_appcontext
def erase(member_id: str | None, line_user: str | None) -> None:
    """Forget what is kept of the person with this member key; LINE is told.

    Also of a link that has ended. The shop's own row of the member is the shop's to delete.
    """
    line = current_line
    if (member_id is None) == (line_user is None):
        raise click.UsageError("name a member, or a LINE user with --line-user")
    is_found = (
        unlinking.erase_all(line, [member_key_of(member_id)])
        if member_id is not None
        else _erase_line_user(line, line_user)
    )
    line.session.commit()
    if not is_found:
        raise click.ClickException("nothing is kept of this person")
    work_until_idle(line)
    click.echo("Erased. The audit log keeps that it was done, without a name.")


def _erase_line_user(line: LineState, line_user: str | None) -> bool:
    found = select(Account).where(Account.line_user_id == line_user)
    account = line.session.scalars(found).one_or_none()
    if account is not None:
        unlinking.erase(line, account, now=line.clock())
    return account is not None
