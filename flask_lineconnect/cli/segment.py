"""``flask line segment …``: list segments, count and look at the people they choose, save one."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Select

from ..errors import LineConnectError
from ..errors import Refused
from ..marketing.segments import audience
from ..marketing.segments.rules import read_rule
from ..shop.categories import Category
from ..shop.categories import category_named
from ..state import LineState
from ..state import current_line
from .tables import as_json
from .tables import show

segment = AppGroup("segment", help="Segments: list them, count and look at whom they choose.")

_with = click.option(
    "--with",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of a query in code; may be given several times.",
)
_category = click.option(
    "--category", default="news", show_default=True, help="The kind of message that is meant."
)


@segment.command("list")
@as_json
def list_segments(is_json: bool) -> None:
    """List segments: those of the shop's code, then the saved ones; what is wrong with any."""
    rows = [
        {
            "name": one.name,
            "label": one.label,
            "kind": one.kind,
            "declared by": one.home or None,
            "version": None if one.version is None else str(one.version),
            "arguments": one.arguments or None,
            "problem": one.problem,
        }
        for one in audience.list_segments(current_line)
    ]
    show(rows, is_json=is_json, empty="No segments are declared or saved.")


@segment.command("count")
@click.argument("name")
@_with
@_category
@as_json
def count_segment(name: str, arguments: Sequence[str], category: str, is_json: bool) -> None:
    """Count whom a segment chooses, and who of them is sent nothing now, by the reason."""
    line = current_line
    members, wanted = _members(line, name, arguments), _category_named(line, category)
    found = audience.reach_of(line, members, wanted)
    rows = [("chosen", found.chosen), ("reachable", found.reachable), *found.fallen.items()]
    if is_json:
        counts = {"chosen": found.chosen, "reachable": found.reachable, "fallen": found.fallen}
        click.echo(json.dumps(counts, indent=2))
        return
    show([{"who": who, "members": number} for who, number in rows], is_json=False, empty="")


@segment.command("sample")
@click.argument("name")
@_with
@_category
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, show_default=True)
@as_json
def sample_segment(
    name: str, arguments: Sequence[str], category: str, limit: int, is_json: bool
) -> None:
    """Show some of the members, drawn by lot, and why any is sent nothing. Personal data."""
    line = current_line
    members, wanted = _members(line, name, arguments), _category_named(line, category)
    rows = []
    for key, reason in audience.sample_of(line, members, wanted, limit=limit):
        member = line.session.get(line.shop.model, key)
        shown = None if member is None else line.shop.member_name(member)
        rows.append({"member": str(key), "name": shown, "left out": reason})
    show(rows, is_json=is_json, empty=f"The segment {name} chooses nobody.")


@segment.command("save")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", help="What the owner reads; by default as before, or the name.")
def save_segment(name: str, file: Path, label: str | None) -> None:
    """Save the rule of a JSON or TOML file as the next version of a segment."""
    line = current_line
    before = {one.name: one.label for one in audience.list_segments(line)}
    try:
        text = file.read_text("utf-8")
        data: Any = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
        rule = read_rule(data)
        version = audience.save_segment(line, name, label or before.get(name, name), rule)
    except (ValueError, Refused) as error:
        raise click.ClickException(str(error)) from None
    except RecursionError:
        raise click.ClickException(f"{file} is nested too deeply for a rule") from None
    line.session.commit()
    click.echo(f"Saved {name} as version {version}.")


@segment.command("remove")
@click.argument("name")
def remove_segment(name: str) -> None:
    """Let a saved segment choose nobody any more. Its versions stay."""
    line = current_line
    try:
        audience.remove_segment(line, name)
    except Refused as error:
        raise click.ClickException(error.message) from None
    line.session.commit()
    click.echo(f"Removed {name}.")


def _members(line: LineState, name: str, arguments: Sequence[str]) -> Select[Any]:
    try:
        return audience.members_in(line, name, dict(map(_argument, arguments)))
    except Refused as error:
        raise click.ClickException(error.message) from None


def _argument(given: str) -> tuple[str, Any]:
    name, is_given, value = given.partition("=")
    if not is_given:
        raise click.ClickException(f"--with {given}: write it as NAME=VALUE, such as days=30")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        # A text without quotation marks.
        return name, value


def _category_named(line: LineState, name: str) -> Category:
    try:
        return category_named(line.shop.categories, name)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
