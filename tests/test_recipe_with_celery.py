"""The recipe with Celery, run as its compose file says: gunicorn, worker and beat.

PostgreSQL and Redis are real; an image's command is a process here. LINE is the emulator.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from flask_lineconnect import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.postgres import create_database
from tests.redis_server import running_redis

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docs" / "deploy" / "celery" / "compose.yaml"
PATIENCE = 120.0
SHOP = """
from flask import Flask
from flask_login import LoginManager, UserMixin
from flask_sqlalchemy import SQLAlchemy

from flask_lineconnect import LineBlueprint, LineConnect, ShopAdapter

db = SQLAlchemy()


class User(UserMixin, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), nullable=False)


class MyShop(ShopAdapter[User]):
    model = User

    def sign_up(self, profile):
        return None


line = LineConnect(db=db, shop=MyShop())


def create_app():
    app = Flask(__name__)
    app.config.from_prefixed_env()
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: db.session.get(User, int(key)))
    line.init_app(app)
    chat = LineBlueprint("chat", __name__)
    chat.on_text("version")(lambda event: "VERSION")
    app.register_blueprint(chat)
    return app
"""


def _services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return services


def _write(folder: Path, version: str) -> None:
    (folder / "my_shop.py").write_text(SHOP.replace('"VERSION"', f'"{version}"'), "utf-8")


def _write_celery(folder: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "engines.md").read_text("utf-8")
    found = re.search(r"```python\n(# make_celery\.py\n.+?)```", page, re.DOTALL)
    assert found
    (folder / "make_celery.py").write_text(found[1], "utf-8")


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
        environ = self.environ(name)
        process = subprocess.Popen(self.command(name), cwd=self._folder, env=environ)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _make_the_shops_tables(folder: Path, environ: Mapping[str, str]) -> None:
    code = (
        "import my_shop; app = my_shop.create_app()\n"
        "with app.app_context(): my_shop.User.__table__.create(my_shop.db.engine)"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=folder, env={**os.environ, **environ}, check=True)


def _wait(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if requests.get(f"{url}/line/health", timeout=10).ok:
                return
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _answers(emulator: Emulator, user_id: str) -> list[str]:
    return [str(one["message"]["text"]) for one in emulator.chat(user_id) if one["from"] == "bot"]


def _wait_for(emulator: Emulator, user_id: str, count: int) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while len(found := _answers(emulator, user_id)) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_it_answers_and_loses_nothing_while_it_is_deployed_anew(
    tmp_path: Path, postgres_server: str, line_emulator: Emulator
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    line_emulator.set_up(base_url=url, messaging_channel={"redelivery": True})
    _write(tmp_path, "old")
    _write_celery(tmp_path)
    with running_redis() as redis:
        settings = {f"FLASK_{name}": text for name, text in line_emulator.settings(url).items()}
        environ = {
            **settings,
            "FLASK_SECRET_KEY": "3f1c9a27e5b84d60a1f2c3d4e5f60718",
            "FLASK_DEBUG": "1",  # the emulator is no LINE to earn money with
            "FLASK_SQLALCHEMY_DATABASE_URI": create_database(postgres_server, uuid.uuid4().hex),
            "FLASK_LINECONNECT_CELERY_BROKER": redis,
            "FLASK_LINECONNECT_RATE_LIMIT_STORAGE": redis.replace("/0", "/1"),
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "PYTHONWARNINGS": "default",
        }
        recipe = Recipe(tmp_path, environ, port)
        _make_the_shops_tables(tmp_path, environ)
        recipe.run("tables")
        with ExitStack() as services:
            web = services.enter_context(recipe.running("web"))
            services.enter_context(recipe.running("beat"))
            _wait(url)
            _deploy_while_somebody_writes(tmp_path, line_emulator, recipe, web)


def _deploy_while_somebody_writes(
    folder: Path, emulator: Emulator, recipe: Recipe, web: subprocess.Popen[bytes]
) -> None:
    user_id = emulator.add_user("佐藤 さくら")
    emulator.add_friend(user_id)
    with recipe.running("worker") as old:
        emulator.write(user_id, "version")
        assert _wait_for(emulator, user_id, 1) == ["old"]
        _write(folder, "new")
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
            found = _wait_for(emulator, user_id, 22)
    assert len(found) == 22
    assert set(found) == {"old", "new"}
    assert found[-1] == "new"
    assert len(_answers(emulator, user_id)) == 22


@pytest.mark.parametrize("name", ["tables", "web", "worker", "beat"])
def test_its_services_are_those(name: str) -> None:
    assert name in _services()
