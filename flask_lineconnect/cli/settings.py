"""``flask line settings``: the reference of all settings; needs no app."""

from __future__ import annotations

import click

from ..config.reference import settings_reference


@click.command()
def settings() -> None:
    """Print the reference of all settings as Markdown."""
    click.echo(settings_reference(), nl=False)
