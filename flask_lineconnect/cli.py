"""``flask line …``: set up the channels, run the worker, run the emulator, print the settings."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import inspect

from . import unlinking
from .channels import set_up_channels
from .config import settings_reference
from .engines.embedded import POLL_SECONDS
from .engines.embedded import work_until_idle
from .errors import LineConnectError
from .state import current_line

line = AppGroup("line", help="Join this shop and LINE.")


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
def worker() -> None:
    """Run hooks and send messages until interrupted.

    For shops with LINECONNECT_ENGINE=worker; several workers may run at once.
    """
    click.echo("Working. Press Ctrl-C to stop.")
    try:
        while True:
            work_until_idle(current_line)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        click.echo("Stopped.")


@line.command()
@click.argument("member_id")
def unlink(member_id: str) -> None:
    """End the link of the member with this key; LINE is told."""
    state = current_line
    account = unlinking.end_links_of(
        state.session, _key(member_id), actor="shop", now=state.clock()
    )
    state.session.commit()
    if account is None:
        raise click.ClickException(f"member {member_id} is not linked to a LINE account")
    work_until_idle(state)
    click.echo(f"Member {member_id} is no longer linked. Tell them.")


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
