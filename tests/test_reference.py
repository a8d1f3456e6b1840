"""The reference is whole: public names, fields of values, commands, tables and templates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import click
import pytest

import flask_lineconnect
from flask_lineconnect.cli.group import line
from flask_lineconnect.models import LineBase

DOCS = Path(__file__).parents[1] / "docs"
NAMES = (DOCS / "names.md").read_text("utf-8")
COMMANDS = (DOCS / "commands.md").read_text("utf-8")
TEMPLATES = (DOCS / "templates.md").read_text("utf-8")
ADDRESSES = (DOCS / "addresses.md").read_text("utf-8")
TABLES = (DOCS / "tables.md").read_text("utf-8")
#: What shops hold on to.
SURFACE: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("public_surface.toml").read_text("utf-8")
)
#: What adapters and desks are given and return.
VALUES = [
    name
    for name in flask_lineconnect.__all__
    if is_dataclass(value := getattr(flask_lineconnect, name))
    and value.__module__.startswith("flask_lineconnect.shop.")
]


def test_every_public_name_is_told() -> None:
    told = re.findall(r"^\| `(\w+)` \| \S", NAMES.partition("## Fields")[0], re.MULTILINE)
    assert sorted(told) == sorted(flask_lineconnect.__all__)


@pytest.mark.parametrize("name", VALUES)
def test_every_field_is_told(name: str) -> None:
    section = re.search(rf"^### {name}\n(.*?)(?=^### |\Z)", NAMES, re.DOTALL | re.MULTILINE)
    assert section, f"{name} is not in docs/names.md"
    told = re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)
    assert told == [field.name for field in fields(getattr(flask_lineconnect, name))]


def test_every_table_and_column_is_told() -> None:
    rows = re.findall(r"^\| `(lineconnect_\w+)` \| [^|]+ \| ([^|]+) \|$", TABLES, re.MULTILINE)
    told = {name: re.findall(r"`(\w+)`", columns) for name, columns in rows}
    tables = LineBase.metadata.tables
    assert told == {name: list(table.columns.keys()) for name, table in tables.items()}


def test_every_endpoint_is_told_with_its_address() -> None:
    told = set(re.findall(r"`(lineconnect\.\w+)`", ADDRESSES))
    assert told == set(SURFACE["endpoints"])
    for rules in SURFACE["endpoints"].values():
        address = re.sub(r"<path:", "<", rules[0].partition(" ")[2].partition("<version>")[0])
        assert f"`{address}" in ADDRESSES


def test_every_template_and_block_is_told() -> None:
    rows = re.findall(
        r"^\| `(lineconnect/[\w/]+\.html)` \| [^|]+ \| ([^|]*)\|$", TEMPLATES, re.MULTILINE
    )
    told = {name: sorted(re.findall(r"`(\w+)`", blocks)) for name, blocks in rows}
    assert told == {name: sorted(blocks) for name, blocks in SURFACE["templates"].items()}


def test_whatever_templates_may_use_is_told() -> None:
    offered = SURFACE["in_templates"]
    told = re.findall(r"`([\w.]+)[(`]", TEMPLATES)
    wanted = {*offered["filters"], *offered["lineconnect/macros.html"]}
    wanted |= {f"lineconnect.{name}" for name in offered["lineconnect"]}
    assert wanted <= set(told)


def test_every_command_is_told() -> None:
    told = re.findall(r"^\| `flask line ([a-z -]+?)(?: [A-Z_.]+)?` \|", COMMANDS, re.MULTILINE)
    assert sorted(told) == sorted(_commands(line, ()))


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name))
