"""Everything goes wrong, and afterwards everybody has everything once, and our books are LINE's.

``bench/delivery/faults.py`` does the same for as long as one likes.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox import faults
from tests.outbox.faults import Scene
from tests.postgres import create_database
from tests.postgres import running_server

MEMBERS = 30


@pytest.fixture
def make_scene(line_emulator: Emulator) -> Iterator[Callable[[str], Scene]]:
    """Return a function that sets the scene in a database."""
    with ExitStack() as stack:

        def make(database: str) -> Scene:
            scene = Scene(line_emulator, database, MEMBERS)
            stack.callback(scene.stop)
            return scene

        yield make


@pytest.fixture
def scene(
    make_scene: Callable[[str], Scene], tmp_path: Path, request: pytest.FixtureRequest
) -> Scene:
    """Return a shop on the database that the test names."""
    if request.param == "sqlite":
        return make_scene(f"sqlite:///{tmp_path / 'shop.db'}")
    server = request.getfixturevalue("postgres_server")
    return make_scene(create_database(server, uuid.uuid4().hex))


@pytest.fixture
def chance() -> random.Random:
    """Return the same chance in each run."""
    return random.Random(20261127)


@pytest.mark.parametrize("scene", DATABASES, indirect=True)
def test_S9_4_workers_are_killed_and_answers_get_lost(scene: Scene, chance: random.Random) -> None:
    faults.kill_again_and_again(scene, chance, kills=4)
    scene.check()


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
def test_S8_2_a_storm_of_errors(scene: Scene, chance: random.Random) -> None:
    faults.storm(scene, chance)
    scene.check()


@pytest.mark.parametrize("scene", ["postgresql"], indirect=True)
def test_S8_4_the_quota_is_used_up_in_the_middle(scene: Scene, chance: random.Random) -> None:
    faults.use_up_the_quota(scene, chance)
    scene.check()


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
def test_clocks_jump(scene: Scene, chance: random.Random) -> None:
    faults.let_the_clock_jump(scene, chance)
    scene.check()


def test_S9_4_the_database_falls_down_and_comes_up_again(
    make_scene: Callable[[str], Scene], chance: random.Random
) -> None:
    with running_server(is_durable=True) as server:
        scene = make_scene(create_database(server, uuid.uuid4().hex))
        faults.restart_the_database(scene, chance, server)
        scene.check()
        scene.stop()
