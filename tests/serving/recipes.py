"""What the recipes of ``docs/deploy`` need to be run as processes: a shop, its tables, patience."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from flask_lineconnect import Emulator

from .names import ROOT

#: Seconds for what a machine does at once that has nothing else to do.
PATIENCE = 120.0
SHOP = """
from flask import Flask
from flask_login import LoginManager, UserMixin
from flask_sqlalchemy import SQLAlchemy
from werkzeug.middleware.proxy_fix import ProxyFix

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
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    db.init_app(app)
    LoginManager(app).user_loader(lambda key: db.session.get(User, int(key)))
    line.init_app(app)
    chat = LineBlueprint("chat", __name__)
    chat.on_text("version")(lambda event: "VERSION")
    app.register_blueprint(chat)
    return app
"""


def write_shop(folder: Path, version: str) -> None:
    """Write ``my_shop.py``, whose chat answers with its version."""
    (folder / "my_shop.py").write_text(SHOP.replace('"VERSION"', f'"{version}"'), "utf-8")


def write_celery(folder: Path) -> None:
    """Write ``make_celery.py``, as the documentation shows it."""
    page = (ROOT / "docs" / "how-to" / "engines.md").read_text("utf-8")
    found = re.search(r"```python\n(# make_celery\.py\n.+?)```", page, re.DOTALL)
    assert found
    (folder / "make_celery.py").write_text(found[1], "utf-8")


def variables(
    emulator: Emulator, base_url: str, database: str, folder: Path, redis: str = ""
) -> dict[str, str]:
    """Return what is in the environment of all of a shop's processes."""
    settings = {f"FLASK_{name}": text for name, text in emulator.settings(base_url).items()}
    of_redis = {
        "FLASK_LINECONNECT_CELERY_BROKER": redis,
        "FLASK_LINECONNECT_RATE_LIMIT_STORAGE": redis.replace("/0", "/1"),
    }
    return {
        **settings,
        "FLASK_SECRET_KEY": "3f1c9a27e5b84d60a1f2c3d4e5f60718",
        "FLASK_DEBUG": "1",  # the emulator is no LINE to earn money with
        "FLASK_SQLALCHEMY_DATABASE_URI": database,
        **(of_redis if redis else {}),
        "PYTHONPATH": f"{ROOT}:{folder}",
        "PYTHONWARNINGS": "default",
    }


def make_the_shops_tables(folder: Path, environ: Mapping[str, str]) -> None:
    """Make the tables that are the shop's own."""
    code = (
        "import my_shop; app = my_shop.create_app()\n"
        "with app.app_context(): my_shop.User.__table__.create(my_shop.db.engine)"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=folder, env={**os.environ, **environ}, check=True)


def read_unit(path: Path) -> configparser.ConfigParser:
    """Return what a unit of systemd says."""
    parser = configparser.ConfigParser(interpolation=None)
    # The names of systemd's settings have capitals.
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(path.read_text("utf-8"))
    return parser


@contextmanager
def running(
    command: list[str], folder: Path, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the block ends, as compose and systemd end it."""
    process = subprocess.Popen(command, cwd=folder, env=dict(environ))
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def wait_until_healthy(url: str) -> None:
    """Wait until the page for load balancers says that all is well."""
    deadline = time.monotonic() + PATIENCE
    said = ""
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{url}/line/health", timeout=10)
        except requests.RequestException as error:
            said = str(error)
        else:
            if answer.ok:
                return
            said = answer.text
        time.sleep(0.2)
    raise AssertionError(said)


def answers(emulator: Emulator, user_id: str) -> list[str]:
    """Return what the shop said to somebody."""
    return [str(one["message"]["text"]) for one in emulator.chat(user_id) if one["from"] == "bot"]


def wait_for_answers(emulator: Emulator, user_id: str, count: int) -> list[str]:
    """Wait until the shop has said something so many times, and return it."""
    deadline = time.monotonic() + PATIENCE
    while len(found := answers(emulator, user_id)) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
