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

#: One line of a list, by the headings of its columns.
Row = Mapping[str, Any]


def show(rows: Sequence[Row], *, is_json: bool, empty: str) -> None:
    """Write a list, in which all rows have the same columns.

    Numbers stand at the right; a list or an object is written as JSON.

    :param empty: what to say to people when there is nothing.
    """
    if is_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=_written))
        return
    if not rows:
        click.echo(empty)
        return
    lines = [tuple(rows[0]), *(tuple(map(_cell, row.values())) for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    is_number = [isinstance(value, int) for value in rows[0].values()]
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
    return " ".join(str(value).split())


def _width(text: str) -> int:
    """Return how many columns a terminal needs: Japanese characters need two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(cell: str, width: int, *, is_right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if is_right else cell + blanks
