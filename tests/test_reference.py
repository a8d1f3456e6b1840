"""The reference is whole: public names, the fields of values, and the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from dataclasses import is_dataclass
from pathlib import Path

import click
import pytest

import flask_lineconnect
from flask_lineconnect.cli.group import line

DOCS = Path(__file__).parents[1] / "docs"
NAMES = (DOCS / "names.md").read_text("utf-8")
COMMANDS = (DOCS / "commands.md").read_text("utf-8")
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
