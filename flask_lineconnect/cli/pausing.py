"""The commands by which campaigns and scenarios rest and go on, and how commands say no."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from ..errors import LineConnectError
from ..state import LineState
from ..state import current_line


@contextmanager
def said() -> Iterator[None]:
    """Say to whoever typed the command what can't be done."""
    try:
        yield
    except LineConnectError as error:
        current_line.session.rollback()
        raise click.ClickException(str(error)) from None


def changing(
    word: str, change: Callable[[LineState, str], None], *, told: str, help: str
) -> click.Command:
    """Return a command that changes what has a name.

    :param told: what is printed after the name: ``is paused``.
    """

    @click.command(word, help=help)
    @click.argument("name")
    @with_appcontext
    def command(name: str) -> None:
        with said():
            change(current_line, name)
        current_line.session.commit()
        click.echo(f"{name} {told}.")

    return command
