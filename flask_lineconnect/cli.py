"""``flask line …``: set up the channels, run the worker, run the emulator, print the settings."""

from __future__ import annotations

import sys
import time

import click
from flask.cli import AppGroup
from flask.cli import with_appcontext

from . import rich_menu
from .config import settings_reference
from .engines.embedded import POLL_SECONDS
from .engines.embedded import work_until_idle
from .errors import LineConnectError
from .state import current_line

line = AppGroup("line", help="Join this shop and LINE.")


@line.command()
@with_appcontext
def setup() -> None:
    """Tell LINE where this shop is: webhook, LIFF endpoint, rich menu.

    May be repeated; what LINE knows already is not made again.
    """
    state = current_line
    try:
        webhook = state.url_for("lineconnect.webhook")
        state.api.set_webhook_endpoint(webhook)
        click.echo(f"Webhook endpoint: {webhook}")
        if state.config.liff_id:
            endpoint = state.url_for("lineconnect.card")
            state.api.set_liff_endpoint(state.config.liff_id, endpoint)
            click.echo(f"LIFF endpoint:    {endpoint}")
        if state.rich_menu:
            menu_id, is_new = rich_menu.publish(
                state.session,
                state.api,
                state.rich_menu,
                root_path=state.app.root_path,
                now=state.clock(),
            )
            click.echo(f"Rich menu:        {menu_id}{' (new)' if is_new else ''}")
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    callback = state.url_for("lineconnect.callback")
    click.echo(f"Callback URL, to be entered in LINE's console: {callback}")


@line.command()
@with_appcontext
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
def settings() -> None:
    """Print the reference of all settings as Markdown."""
    click.echo(settings_reference(), nl=False)


@line.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulator(arguments: tuple[str, ...]) -> None:
    """Run the LINE emulator alone; takes the options of python -m flask_lineconnect.emulator."""
    import subprocess

    sys.exit(subprocess.call([sys.executable, "-m", "flask_lineconnect.emulator", *arguments]))
