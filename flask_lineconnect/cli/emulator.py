"""``flask line emulator``: the LINE emulator alone; needs no app."""

from __future__ import annotations

import subprocess
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulator(arguments: tuple[str, ...]) -> None:
    """Run the LINE emulator alone; takes the options of python -m flask_lineconnect.emulator."""
    sys.exit(subprocess.call([sys.executable, "-m", "flask_lineconnect.emulator", *arguments]))
