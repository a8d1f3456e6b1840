"""The recipe with Celery, run as its compose file says: gunicorn, worker and beat.

PostgreSQL and Redis are real; an image's command is a process here. LINE is the emulator.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from flask_lineconnect import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.postgres import create_database
from tests.redis_server import running_redis
from tests.serving.recipes import PATIENCE
from tests.serving.recipes import answers
from tests.serving.recipes import make_the_shops_tables
from tests.serving.recipes import running
from tests.serving.recipes import variables
from tests.serving.recipes import wait_for_answers
from tests.serving.recipes import wait_until_healthy
from tests.serving.recipes import write_celery
from tests.serving.recipes import write_shop

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docs" / "deploy" / "celery" / "compose.yaml"


def _services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return services


class Recipe:
    """The recipe's services, as processes in a folder.

    :param port: of the shop, instead of the one in the file.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], port: int):
        self._folder, self._environ, self._port = folder, environ, port

    def command(self, name: str) -> list[str]:
        """Return a service's command, with what differs on one machine."""
        text = str(_services()[name]["command"])
        text = text.replace("0.0.0.0:8000", f"127.0.0.1:{self._port}")
        text = text.replace("/tmp/celerybeat-schedule", str(self._folder / "schedule"))
        return [sys.executable, "-m", *shlex.split(text)]

    def environ(self, name: str) -> dict[str, str]:
        """Return what a service finds in its environment."""
        given = {key: str(value) for key, value in _services()[name]["environment"].items()}
        return {**os.environ, **given, **self._environ}

    def run(self, name: str) -> None:
        """Run a service that ends."""
        environ = self.environ(name)
        subprocess.run(self.command(name), cwd=self._folder, env=environ, check=True)

    @contextmanager
    def running(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service until the block ends, as compose ends it."""
        with running(self.command(name), self._folder, self.environ(name)) as process:
            yield process


def test_it_answers_and_loses_nothing_while_it_is_deployed_anew(
    tmp_path: Path, postgres_server: str, line_emulator: Emulator
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    line_emulator.set_up(base_url=url, messaging_channel={"redelivery": True})
    write_shop(tmp_path, "old")
    write_celery(tmp_path)
    with running_redis() as redis:
        database = create_database(postgres_server, uuid.uuid4().hex)
        environ = variables(line_emulator, url, database, tmp_path, redis)
        recipe = Recipe(tmp_path, environ, port)
        make_the_shops_tables(tmp_path, environ)
        recipe.run("tables")
        with ExitStack() as services:
            web = services.enter_context(recipe.running("web"))
            services.enter_context(recipe.running("beat"))
            wait_until_healthy(url)
            _deploy_while_somebody_writes(tmp_path, line_emulator, recipe, web)


def _deploy_while_somebody_writes(
    folder: Path, emulator: Emulator, recipe: Recipe, web: subprocess.Popen[bytes]
) -> None:
    user_id = emulator.add_user("佐藤 さくら")
    emulator.add_friend(user_id)
    with recipe.running("worker") as old:
        emulator.write(user_id, "version")
        assert wait_for_answers(emulator, user_id, 1) == ["old"]
        write_shop(folder, "new")
        web.send_signal(signal.SIGHUP)
        for _number in range(10):
            emulator.write(user_id, "version")
        with recipe.running("worker"):
            # Two versions at once, until the old one has finished what it began.
            for _number in range(10):
                emulator.write(user_id, "version")
            old.terminate()
            assert old.wait(PATIENCE) == 0
            emulator.write(user_id, "version")
            # Nothing is lost, and nothing said twice.
            found = wait_for_answers(emulator, user_id, 22)
    assert len(found) == 22
    assert set(found) == {"old", "new"}
    assert found[-1] == "new"
    assert len(answers(emulator, user_id)) == 22


@pytest.mark.parametrize("name", ["tables", "web", "worker", "beat"])
def test_its_services_are_those(name: str) -> None:
    assert name in _services()
