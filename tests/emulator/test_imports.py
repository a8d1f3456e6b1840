"""Who may know whom in the emulator: its rooms from the ground up, and no circle anywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flask_lineconnect.emulator
from tests.imports import Graph
from tests.imports import read_package

ROOT = Path(flask_lineconnect.emulator.__file__).parent
#: The modules at the emulator's root, which know no room; all rooms may know them.
GROUND = (
    "world clock faults rate_limits platform addresses browsers own_requests requests_in "
    "request_ids api_errors checks action_checks text_counts times"
)
#: Each room, and the rooms that it knows: all of them stand above its own line.
ROOMS = {
    "consoles": "",
    "tokens": "",
    "webhooks": "tokens",
    "rich_menus": "tokens",
    "audiences": "tokens",
    "insight": "tokens",
    "messaging": "tokens webhooks audiences",
    "login": "tokens messaging",
    "liff": "tokens messaging login",
    "phone": "webhooks rich_menus insight messaging login liff",
    "control": "tokens webhooks messaging login phone",
}
#: What puts the rooms together; nothing below knows it.
ROOF = "call_log api_faults app __main__"


@pytest.fixture(scope="module")
def emulator() -> Graph:
    """Return the emulator's imports, those for type checkers and inside functions included."""
    return read_package(ROOT)


def room_of(module: str) -> str:
    """Return the room of a module; of one at the root, its own name."""
    return module.partition(".")[0]


def test_every_module_has_its_place(emulator: Graph) -> None:
    assert {room_of(module) for module in emulator.imports} == {
        *ROOMS,
        *GROUND.split(),
        *ROOF.split(),
    }


def test_the_table_is_written_from_the_ground_up() -> None:
    above: set[str] = set()
    for room, known in ROOMS.items():
        assert set(known.split()) <= above, room
        above.add(room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_the_ground_and_just_the_rooms_of_its_line(emulator: Graph, room: str) -> None:
    known = {room_of(theirs) for mine, theirs in emulator.arrows() if room_of(mine) == room}
    assert known - {room, *GROUND.split()} == set(ROOMS[room].split())


def test_the_ground_knows_no_room_and_nobody_the_roof(emulator: Graph) -> None:
    for mine, theirs in emulator.arrows():
        assert mine not in GROUND.split() or theirs in GROUND.split(), f"{mine} knows {theirs}"
        assert mine in ROOF.split() or theirs not in ROOF.split(), f"{mine} knows {theirs}"


def test_there_are_no_circles(emulator: Graph) -> None:
    assert emulator.circles() == []


def test_no_import_inside_a_function_hides_another_room() -> None:
    for path in ROOT.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                inside = [node for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
                assert not [node for node in inside if node.level], f"{path}: {function.name}"


@pytest.mark.parametrize("room", [*ROOMS, "."])
def test_every_room_says_what_lives_there_and_what_to_read_first(room: str) -> None:
    said = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text("utf-8"))) or ""
    named = [word.strip("`.,") for word in said.split() if ".py" in word]
    assert named
    assert all((ROOT / room / name).exists() for name in named), named
