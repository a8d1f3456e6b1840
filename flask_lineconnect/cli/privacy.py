"""``flask line privacy …``: what is kept of people, for whoever answers their questions."""

from __future__ import annotations

from dataclasses import asdict

import click
from flask.cli import AppGroup

from ..setting_up import privacy as facts
from ..state import current_line
from .tables import as_json
from .tables import write_json

privacy = AppGroup("privacy", help="What is kept of people, for how long, and how it goes.")


@privacy.command("report")
@as_json
def report(is_json: bool) -> None:
    """Write what is kept of people with today's settings, for how long, and how it is erased.

    Markdown, for the shop's records of processing. Of nobody's data: the database is not asked.
    """
    config = current_line.config
    kept, recipients = facts.kept(config), list(facts.recipients(config))
    if is_json:
        found = {"kept": map(asdict, kept), "recipients": map(asdict, recipients)}
        write_json({name: list(rows) for name, rows in found.items()})
        return
    click.echo("# What flask-lineconnect keeps of people\n")
    click.echo("| table | what | columns | until | erasure |\n|---|---|---|---|---|")
    for one in kept:
        columns = ", ".join(f"`{name}`" for name in one.columns)
        click.echo(f"| `{one.table}` | {one.what} | {columns} | {one.until} | {one.erasure} |")
    click.echo("\n## Who is given something\n\n| who | what | setting |\n|---|---|---|")
    for who in recipients:
        click.echo(f"| {who.who} | {who.what} | `{who.setting}` |")
    click.echo(
        "\nThe shop's own tables are the shop's. `flask line erase MEMBER` forgets a person; logs "
        "hold no names, no texts, and of LINE user ids the last four characters."
    )
