"""``flask line emulator``: the LINE emulator alone; needs no app."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulator(arguments: tuple[str, ...]) -> None:
    """Run the LINE emulator alone; takes the options of python -m flask_lineconnect.emulator."""
    command = [sys.executable, "-m", "flask_lineconnect.emulator", *arguments]
    if sys.platform == "win32":
        import subprocess

        sys.exit(subprocess.call(command))
    # In place of this process: whatever ends it ends the emulator, and nothing is left behind.
    sys.stdout.flush()
    os.execv(command[0], command)
