"""``flask line report …``: what LINE brought in a month, to read or as a file."""

from __future__ import annotations

import csv
from datetime import date
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
from babel import Locale
from flask.cli import AppGroup

from ..csv_cells import text_cell
from ..errors import UsageError
from ..i18n import languages
from ..i18n import speaking
from ..marketing.results.cohorts import cohorts as cohorts_of
from ..marketing.results.month import month_report
from ..marketing.results.month_table import money_of
from ..marketing.results.month_table import month_rows
from ..marketing.results.rfm import rfm_groups
from ..state import current_line
from .files import FilePath
from .tables import as_json
from .tables import show

report = AppGroup("report", help="Reports: what LINE brought.")


def _month(_context: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    """Return the first day of a month as 2026-11."""
    if value is None:
        return None
    try:
        return date.fromisoformat(f"{value}-01")
    except ValueError:
        raise click.BadParameter(f"{value[:40]!r} is no month such as 2026-11") from None


@report.command("month")
@click.argument("month", callback=_month, required=False)
@click.option("--csv", "path", type=FilePath(dir_okay=False), help="Write it to this file.")
@click.option("--language", type=click.Choice(list(languages())), default="ja", show_default=True)
def month(month: date | None, path: str | None, language: str) -> None:
    """Say what LINE brought in a month, 2026-11; in the last one by default."""
    line = current_line
    if month is None:
        today = line.clock().astimezone(line.config.zone).date()
        month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        found = month_report(line, month)
        with speaking(language):
            rows = month_rows(line, found, Locale.parse(language))
    except UsageError as error:
        raise click.ClickException(str(error)) from None
    if path is None:
        for row in rows:
            click.echo("  ".join(str(cell) for cell in row if cell != ""))
        return
    try:
        _write(Path(path), rows)
    except OSError as error:
        raise click.ClickException(f"the file can't be written: {error.strerror}") from None
    click.echo(f"The report is in {path}.")


@report.command("rfm")
@as_json
def rfm(is_json: bool) -> None:
    """Show how buyers are spread by recency and frequency, 1 to 5, 5 the best."""
    line = current_line
    rows = [
        {
            "recency": group.recency,
            "frequency": group.frequency,
            "people": group.people,
            "money": group.money,
            "orders": group.orders,
            "sales": money_of(line, group.sales),
        }
        for group in rfm_groups(line)
    ]
    show(rows, is_json=is_json, empty="Nobody has bought yet.")


@report.command("cohorts")
@click.option("--months", type=click.IntRange(1, 60), default=12, show_default=True)
@as_json
def cohorts(months: int, is_json: bool) -> None:
    """Show of those who linked in the same month how many bought in each month since."""
    rows = [
        {
            "linked": f"{cohort.month:%Y-%m}",
            "people": cohort.people,
            # All rows have the same columns; months to come are empty.
            **{str(month): buyers for month, buyers in zip_longest(range(months), cohort.buyers)},
        }
        for cohort in cohorts_of(current_line, months)
        if cohort.people
    ]
    show(rows, is_json=is_json, empty="Nobody has linked in these months.")


def _write(path: Path, rows: list[list[Any]]) -> None:
    # With a mark at its beginning, without which Excel takes it for another encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([[_cell(cell) for cell in row] for row in rows])


def _cell(value: Any) -> Any:
    """Return a cell: numbers as they are, and no text that is a formula."""
    return text_cell(value) if isinstance(value, str) else value
