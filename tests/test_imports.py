"""Who may import whom: imports point down, and the emulator and the demo shop stand apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flask_lineconnect
from tests.imports import Graph
from tests.imports import floor_of
from tests.imports import read_package

ROOT = Path(__file__).parents[1]
PACKAGE = "flask_lineconnect"

#: From the ground up: a room, or a part of one, may know what stands above its own line in this
#: list, and nothing else. The words and gateways of a feature stand lower than its rules.
FLOORS = [
    # words: plain values and the standard library
    "errors folding csv_cells person_names phrase_ends vault log_floods library_logs",
    "error_words",
    "signals",
    "i18n",
    "after_commit log_fields webhooks.events webhooks.signature messages.objects messages.limits "
    "marketing.registry",
    "webhooks.parsing marketing.values marketing.calendar",
    "marketing.event_kinds marketing.segments.errors",
    "marketing.segments.rules marketing.segments.operators marketing.said",
    "marketing.campaigns.names marketing.campaigns.sides marketing.campaigns.definition",
    "marketing.campaigns.reading",
    "marketing.campaigns.declared",
    # records: its settings, our tables, the shop with the ledger in one of them
    "config models",
    "shop",
    "marketing.segments.attributes",
    "marketing.segments.declared",
    "marketing.scenarios.conditions",
    "marketing.scenarios.definition",
    "marketing.scenarios.reading",
    "marketing.scenarios.declared",
    "hooks state",
    "messages",
    # gateways: HTTP to LINE
    "line_api",
    "login.oidc login.tokens",
    "liff.id_token",
    # rules: they are handed what they need
    "marketing.results.counts marketing.results.statistics marketing.results.spans",
    "marketing.results.losses marketing.results.people",
    "marketing.results.forgetting",
    "marketing.member_events",
    "marketing.links",
    "linking outbox rich_menus",
    "marketing",
    # what customers and LINE reach
    "web",
    "webhooks",
    "login",
    "clicks",
    "liff",
    # who sets the shop up, and who does its work
    "setting_up metrics",
    "doctor",
    "engines",
    "testing cli console",
    # who knows every part
    "parts",
    "assembly",
    "extension",
]


def test_imports_point_down(package: Graph) -> None:
    for module, imported in package.arrows():
        mine, theirs = floor_of(FLOORS, module), floor_of(FLOORS, imported)
        is_inside = mine.entry == theirs.entry
        assert is_inside or theirs.number < mine.number, f"{module} imports {imported}"


def test_there_are_no_circles(package: Graph) -> None:
    assert package.circles() == []


def test_every_room_says_what_lives_there(package: Graph) -> None:
    for room in (path for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists()):
        said = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
        named = [word.strip("`.,") for word in said.split() if ".py" in word]
        assert named, f"{room.name} does not name the file to read first"
        for name in named:
            assert (room / name).exists(), f"{room.name} names {name}"


def test_the_emulator_stands_alone() -> None:
    outside = [
        (path, name)
        for path in (ROOT / PACKAGE / "emulator").rglob("*.py")
        for name in _imported_packages(path)
        if name.startswith(PACKAGE) and not name.startswith(f"{PACKAGE}.emulator")
    ]
    assert outside == []


def test_nothing_of_ours_imports_the_emulator(package: Graph) -> None:
    assert [arrow for arrow in package.arrows() if arrow[1].split(".")[0] == "emulator"] == []


def test_the_demo_shop_uses_public_names_only() -> None:
    for path in sorted((ROOT / "demo_shop").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                assert node.module == PACKAGE, path
                assert {alias.name for alias in node.names} <= set(flask_lineconnect.__all__), path


def test_every_public_name_can_be_imported() -> None:
    for name in flask_lineconnect.__all__:
        assert getattr(flask_lineconnect, name) is not None
    assert sorted(flask_lineconnect.__all__) == sorted(flask_lineconnect._HOME_OF)


def test_modules_stay_short() -> None:
    for folder in (PACKAGE, "demo_shop", "liff"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text("utf-8").splitlines()) <= 400, path


@pytest.fixture(scope="module")
def package() -> Graph:
    """Return the package's imports, its emulator's apart."""
    return read_package(ROOT / PACKAGE, apart="emulator")


def _imported_packages(path: Path) -> Iterator[str]:
    """Return the absolute names of what a file of the package imports."""
    home = [PACKAGE, *path.relative_to(ROOT / PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            yield ".".join([*base, *filter(None, [node.module])])
