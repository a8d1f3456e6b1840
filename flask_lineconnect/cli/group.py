"""``flask line …``: set up the channels, run the worker, run the emulator, print the settings."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import inspect

from ..config.settings import settings_reference
from ..engines.work import work_until_idle
from ..errors import LineConnectError
from ..linking import accounts
from ..linking import unlinking
from ..login.flow import MAX_SOURCE
from ..login.flow import source_label
from ..setting_up.channels import set_up_channels
from ..state import current_line
from .inbox import inbox
from .outbox import outbox
from .sending import campaign
from .sending import quota
from .sending import resume
from .worker import worker

line = AppGroup("line", help="Join this shop and LINE.")
for command in (inbox, outbox, campaign, quota, resume, worker):
    line.add_command(command)


@line.command()
def setup() -> None:
    """Tell LINE where this shop is: webhook, LIFF endpoint, rich menu.

    May be repeated; what LINE knows already is not made again.
    """
    try:
        for step in set_up_channels(current_line):
            click.echo(step)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None


@line.command()
@click.argument("member_id")
def unlink(member_id: str) -> None:
    """End the link of the member with this key; LINE is told."""
    state = current_line
    account = unlinking.end_links_of(state, _key(member_id), actor="shop", now=state.clock())
    state.session.commit()
    if account is None:
        raise click.ClickException(f"member {member_id} is not linked to a LINE account")
    work_until_idle(state)
    click.echo(f"Member {member_id} is no longer linked. Tell them.")


@line.command()
@click.argument("source")
@click.option("--next", "next_path", help="Path of the shop's page to which the login leads.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="An .svg, .png or .pdf file; without it only the address is printed.",
)
def store_qr(source: str, next_path: str | None, output: Path | None) -> None:
    """Make the QR code of a shelf, a flyer or a store.

    SOURCE is the label under which `flask line links` counts whom it brought.
    """
    import segno

    label = source_label(source)
    if label != source:
        raise click.ClickException(
            f"SOURCE must be a printable text of at most {MAX_SOURCE} characters"
        )
    address = current_line.url_for("lineconnect.login", source=label, next=next_path)
    if output is not None:
        try:
            segno.make(address, error="m", micro=False).save(str(output), scale=10, border=4)
        except ValueError as error:
            raise click.ClickException(f"{output}: {error}; use .svg, .png or .pdf") from None
    click.echo(address)


@line.command()
@click.option("--days", type=click.IntRange(1), help="Count only links of the last so many days.")
@click.option("--source", help="List the members whom this label brought.")
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


def _key(text: str) -> Any:
    """Return a member's key in the type that the shop uses."""
    column = inspect(current_line.shop.model).primary_key[0]
    try:
        return column.type.python_type(text)
    except ValueError:
        raise click.ClickException(f"{text} can't be the key of a member") from None


@line.command(with_appcontext=False)
def settings() -> None:
    """Print the reference of all settings as Markdown."""
    click.echo(settings_reference(), nl=False)


@line.command(
    with_appcontext=False,
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulator(arguments: tuple[str, ...]) -> None:
    """Run the LINE emulator alone; takes the options of python -m flask_lineconnect.emulator."""
    import subprocess

    sys.exit(subprocess.call([sys.executable, "-m", "flask_lineconnect.emulator", *arguments]))
