"""How commands list things: columns below headings for people, JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

as_json = click.option("--json", "is_json", is_flag=True, help="Write JSON, with all there is.")

#: As many lines as a person reads; a program may want all.
limited = click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
#: Characters of a text that a line of a list has room for.
_LONGEST = 100

#: One line of a list, by the headings of its columns.
Row = Mapping[str, Any]


def show_one(found: Mapping[str, Any], *, is_json: bool) -> None:
    """Write one thing, with all that is known of it."""
    if is_json:
        write_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name}: {value}")


def write_json(found: object) -> None:
    """Write anything for programs: times in ISO 8601."""
    click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=_written))


def show(rows: Sequence[Row], *, is_json: bool, empty: str) -> None:
    """Write a list, in which all rows have the same columns.

    Numbers stand at the right; a list or an object is written as JSON, of a text its first line.

    :param empty: what to say to people when there is nothing.
    """
    if is_json:
        write_json(rows)
        return
    if not rows:
        click.echo(empty)
        return
    lines = [tuple(rows[0]), *(tuple(map(_cell, row.values())) for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    columns = zip(*(row.values() for row in rows), strict=True)
    is_number = [all(isinstance(value, int | None) for value in column) for column in columns]
    for line in lines:
        cells = [
            _padded(cell, width, is_right=right)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_written)
    return " ".join(str(value).partition("\n")[0].split())[:_LONGEST]


def _width(text: str) -> int:
    """Return how many columns a terminal needs: Japanese characters need two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(cell: str, width: int, *, is_right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if is_right else cell + blanks
