"""``flask line …``: a word's module is loaded when the word is first asked for.

The entry point of the package's commands is here, so every command of ``flask`` in the shop loads
this file. Next: the module of a word, such as ``setup.py``; ``progress.py`` is what some share.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click
from flask.cli import AppGroup

#: The words, each with a module and in it a command of the same name.
WORDS = (
    "campaign",
    "db",
    "doctor",
    "emulator",
    "erase",
    "events",
    "friends",
    "inbox",
    "init",
    "links",
    "outbox",
    "privacy",
    "quota",
    "report",
    "results",
    "resume",
    "richmenu",
    "scenario",
    "segment",
    "settings",
    "setup",
    "store-qr",
    "unlink",
    "worker",
)


class WordGroup(AppGroup):
    """A group that loads its commands one by one; a shop may add its own, as to any group."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, for ``flask line --help``."""
        return sorted({*super().list_commands(ctx), *WORDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded now if it is one of ours and was not asked for before."""
        found = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name not in WORDS:
            return found
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"{__package__}.{name}"), name)
        self.add_command(command, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong outside of it is said in a sentence, without a traceback.

        :raises ClickException: the database is away or takes no such value, or a text holds what no
            database and no terminal takes.
        """
        try:
            return super().invoke(ctx)
        except _cases() as error:
            raise click.ClickException(_said(error)) from None


def _cases() -> tuple[type[Exception], ...]:
    # Loaded by the command already, if it asks the database.
    database = sys.modules.get("sqlalchemy.exc")
    own = (UnicodeError, OverflowError)
    return own if database is None else (*own, database.SQLAlchemyError)


def _said(error: Exception) -> str:
    if isinstance(error, OverflowError):
        return "a number is too large"
    if isinstance(error, UnicodeError):
        return "a text has characters that can't be written or stored here; PYTHONUTF8=1 may help"
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().partition("\n")[0][:200]
    return (
        f"the database did not do it ({type(cause).__name__}: {words}). Is it running, is "
        "SQLALCHEMY_DATABASE_URI right, and are its tables up to date (`flask db upgrade`)?"
    )


line = WordGroup("line", help="Join this shop and LINE.")
