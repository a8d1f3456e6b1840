"""What shops hold on to, compared with the list in ``public_surface.toml``.

A name, address, column, block or option that goes from here breaks somebody's shop. Whoever means
to change one changes the list in the same commit, and tells it in ``CHANGES.md``.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from blinker import Signal
from flask import Flask

from flask_lineconnect.config.settings import PREFIX
from flask_lineconnect.config.settings import Config
from flask_lineconnect.engines.celery import TASKS
from tests.small_shop import db

PACKAGE = "flask_lineconnect"
LIST: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("public_surface.toml").read_text("utf-8")
)


def assert_as_listed(found: object, listed: object) -> None:
    gone, new = _places(listed) - _places(found), _places(found) - _places(listed)
    assert not gone | new, (
        f"gone: {sorted(gone)}; new: {sorted(new)}. Shops hold on to these; if it is meant, change "
        "tests/public_surface.toml and tell it in CHANGES.md"
    )


def _places(part: object, way: str = "") -> set[str]:
    """Return every entry of a part of the list, with where it stands."""
    if isinstance(part, Mapping):
        inside = (_places(value, f"{way}{key}: ") for key, value in part.items())
        return {f"{way}{key}" for key in part}.union(*inside)
    if isinstance(part, list):
        return {f"{way}{entry}" for entry in part}
    return {f"{way}{part}"}


def _signals(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, Signal)]


def _own_classes(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in inspect.getmembers(module, inspect.isclass)
        if value.__module__ == module.__name__
    ]


#: The modules from which shops import, and how each one's names are found.
NAMES: dict[str, Callable[[ModuleType], list[str]]] = {
    PACKAGE: lambda module: list(module.__all__),
    f"{PACKAGE}.metrics": _own_classes,
    f"{PACKAGE}.signals": _signals,
    f"{PACKAGE}.testing": lambda module: list(module.__all__),
}


def test_public_names() -> None:
    found = {name: names_of(import_module(name)) for name, names_of in NAMES.items()}
    assert_as_listed(found, LIST["names"])


@pytest.mark.parametrize("module", LIST["names"])
def test_every_public_name_can_be_imported_as_written_in_a_shop(module: str) -> None:
    """Each alone in its own namespace: no other module's import may have to come first."""
    for name in LIST["names"][module]:
        namespace: dict[str, object] = {}
        exec(f"from {module} import {name}", namespace)
        assert not isinstance(namespace[name], ModuleType), name


def test_the_pytest_plugin_and_its_fixtures() -> None:
    [plugin] = [
        one for one in entry_points(group="pytest11") if one.value.startswith(f"{PACKAGE}.")
    ]
    members = vars(plugin.load())
    fixtures = [
        name
        for name, value in members.items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    assert_as_listed({"plugin": plugin.name, "fixtures": fixtures}, LIST["pytest"])


@pytest.mark.parametrize("options", [[], ["-p", "no:lineconnect"]], ids=["known", "unknown"])
def test_the_package_may_be_named_as_a_plugin(tmp_path: Path, options: list[str]) -> None:
    """For those who switch entry points off."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["flask_lineconnect.testing"]\n')
    arguments = ", ".join(LIST["pytest"]["fixtures"])
    (tmp_path / "test_chat.py").write_text(f"def test_chat({arguments}):\n    pass\n")
    command = [sys.executable, "-m", "pytest", "--setup-plan", *options, str(tmp_path)]
    answer = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stdout


def test_console_commands_and_their_options() -> None:
    [entry] = [one for one in entry_points(group="flask.commands") if one.name == "line"]
    assert_as_listed(dict(_commands(entry.load(), f"flask {entry.name}")), LIST["commands"])


def _commands(command: click.Command, words: str) -> Iterator[tuple[str, list[str]]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from _commands(inner, f"{words} {name}")
        return
    options, arguments = [], []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            options += parameter.opts + parameter.secondary_opts
        else:
            arguments.append(parameter.make_metavar(context))
    yield words, [*arguments, *options]


def test_endpoints_and_addresses(app: Flask) -> None:
    found: dict[str, list[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("lineconnect."):
            methods = "|".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            # The digest of our files changes whenever one of them does.
            path = re.sub(r"/[0-9a-f]{12}/", "/<digest>/", rule.rule)
            found.setdefault(rule.endpoint, []).append(f"{methods} {path}")
    assert_as_listed(found, LIST["endpoints"])


def test_tables_and_columns(app: Flask) -> None:
    found = {
        table.name: [column.name for column in table.columns]
        for table in db.metadata.sorted_tables
        if table.name.startswith("lineconnect_")
    }
    assert_as_listed(found, LIST["tables"])


def test_templates_and_their_blocks() -> None:
    found = {}
    for package in (PACKAGE, f"{PACKAGE}.liff_pages"):
        folder = Path(str(files(package))) / "templates"
        for path in folder.rglob("*.html"):
            # A name that begins with a low line is a part of other templates, which may go.
            if not path.name.startswith("_"):
                blocks = re.findall(r"\{%-?\s*block\s+(\w+)", path.read_text("utf-8"))
                found[path.relative_to(folder).as_posix()] = sorted(set(blocks))
    assert_as_listed(found, LIST["templates"])


def test_what_templates_may_use(app: Flask) -> None:
    helpers = type(app.jinja_env.globals["lineconnect"])
    macros = app.jinja_env.get_template("lineconnect/macros.html").module
    filters = app.jinja_env.filters.items()
    found = {
        "filters": [name for name, act in filters if act.__module__.startswith(f"{PACKAGE}.")],
        "lineconnect": [name for name in vars(helpers) if not name.startswith("_")],
        "lineconnect/macros.html": [name for name in vars(macros) if not name.startswith("_")],
    }
    assert_as_listed(found, LIST["in_templates"])


def test_settings() -> None:
    found = [f"{PREFIX}{field.name.upper()}" for field in fields(Config)]
    assert_as_listed(found, LIST["settings"])


def test_celery_tasks() -> None:
    assert_as_listed([task.name for task in TASKS.values()], LIST["celery_tasks"])
