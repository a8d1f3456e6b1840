"""``flask line setup``: tell LINE where this shop is."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..errors import LineConnectError
from ..setting_up.channels import set_up_channels
from ..setting_up.tables import check_tables
from ..state import current_line


@click.command()
@with_appcontext
def setup() -> None:
    """Tell LINE where this shop is: webhook, LIFF endpoint, rich menu.

    May be repeated; what LINE knows already is not made again. The database must have its tables.
    """
    try:
        check_tables(current_line)
        for step in set_up_channels(current_line):
            click.echo(step)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
