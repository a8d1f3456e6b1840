"""``flask line …``: set up the channels, run the worker, run the emulator, print the settings."""

from __future__ import annotations

import sys
import time

import click
from flask.cli import AppGroup

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
