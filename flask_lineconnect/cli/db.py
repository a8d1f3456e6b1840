"""``flask line db …``: our tables, for shops without Flask-Migrate."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ..errors import LineConnectError
from ..setting_up import upgrading
from ..setting_up.schema import Step
from ..state import current_line

db = AppGroup("db", help="The extension's tables, for shops without Flask-Migrate.")


@db.command("upgrade")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only write the statements.")
@click.option(
    "--drop-old",
    is_flag=True,
    help="Also drop indexes of older versions, once none of those runs any more.",
)
@click.option("--anyway", is_flag=True, help="Also where the shop has Flask-Migrate.")
def upgrade_tables(is_dry: bool, drop_old: bool, anyway: bool) -> None:
    """Bring the extension's tables to this version, while the shop goes on.

    May be repeated, also after it was interrupted. Rows stay, and columns of older versions.
    """
    line = current_line
    if "migrate" in line.app.extensions and not anyway:
        raise click.ClickException(
            "this shop has Flask-Migrate: run `flask db migrate` and `flask db upgrade`, which "
            "bring our tables along; --anyway does it here nevertheless"
        )
    try:
        if is_dry:
            work = upgrading.plan(line)
            for step in (*work.broken, *work.steps, *(work.old if drop_old else ())):
                for statement in step.statements:
                    click.echo(f"{statement};")
            return
        count = upgrading.upgrade(line, may_drop_old=drop_old, say=_say)
        left = upgrading.plan(line).old
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{count} steps were taken." if count else "The tables are up to date.")
    if left:
        names = ", ".join(step.name for step in left)
        click.echo(
            f"Only older versions use: {names}. When none runs any more: "
            "`flask line db upgrade --drop-old`."
        )


@db.command("check")
def check_tables() -> None:
    """Compare the tables with this version. Ends with 1 if anything is missing."""
    try:
        work = upgrading.plan(current_line)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    missing = [*work.broken, *work.steps]
    for step in missing:
        click.echo(f"missing: {step.kind} {step.name}")
    if missing:
        raise SystemExit(1)
    click.echo("The tables are up to date.")


def _say(step: Step) -> None:
    click.echo(f"{step.kind} {step.name}")
