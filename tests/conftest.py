"""A small shop for the tests that need an app, and Chromium for those that need a browser."""

from __future__ import annotations

import asyncio
import contextvars
import shutil
import uuid
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from typing import TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect
from werkzeug.test import TestResponse

from flask_lineconnect.engines import upkeep
from flask_lineconnect.liff import id_token
from flask_lineconnect.login import quiet
from flask_lineconnect.marketing.links.writer import ClickWriter
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import LineBrowser
from flask_lineconnect.testing.plugin import free_port
from flask_lineconnect.webhooks.writer import EventWriter
from tests.people import BASE_URL
from tests.postgres import create_database
from tests.postgres import running_server
from tests.serving import names
from tests.serving.authority import Authority
from tests.serving.authority import make_authority
from tests.small_shop import SETTINGS
from tests.small_shop import Join
from tests.small_shop import create_app
from tests.small_shop import db

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: For modules whose promises the database keeps:
#: ``pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)``.
DATABASES = ("sqlite", "postgresql")

MakeApp = Callable[..., Flask]
T = TypeVar("T")


#: Seconds for which a test waits for what comes at once, unless its machine is busy.
BUSY_MACHINE = 60.0


def pytest_configure(config: pytest.Config) -> None:
    """Make our own marks known, and give what waits for a database or a page more patience."""
    config.addinivalue_line("markers", "joined: the small shop talks to the emulator")
    config.addinivalue_line("markers", "hurried: the shop waits no longer than it does in earnest")
    expect.set_options(timeout=BUSY_MACHINE * 1000)


@pytest.fixture(autouse=True)
def _unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shop wait for its database and for LINE longer than LINE and visitors would."""
    if request.node.get_closest_marker("hurried") is None:
        for writer in (EventWriter, ClickWriter):
            monkeypatch.setattr(writer, "usual_patience", BUSY_MACHINE)
        for module in (quiet, id_token):
            monkeypatch.setattr(module, "PATIENCE", BUSY_MACHINE)
        monkeypatch.setattr(upkeep, "SWEEP_SECONDS", BUSY_MACHINE)


def run_apart(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a thread of its own: in ours Playwright may have an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(main())).result()


class ApartClient(FlaskClient):
    """A client whose requests don't see the app context that a test itself has pushed."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request as another process would."""
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Run one PostgreSQL server for this test process."""
    with running_server() as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the small shop's tables: making them anew takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "shop.db"
    _make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> tuple[str, str]:
    """Return the server's address, and the name of a database with the small shop's tables."""
    _make_tables(create_database(postgres_server, "template"))
    return postgres_server, "template"


def _make_tables(address: str) -> None:
    app = create_app({**SETTINGS, "SQLALCHEMY_DATABASE_URI": address})
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Return the name of the database; a module chooses by ``pytestmark``, see DATABASES."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def make_app(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[MakeApp]:
    """Return a function that makes the small shop with changed settings."""
    made: list[Flask] = []

    def address() -> str:
        if database == "sqlite":
            file = tmp_path / f"shop{len(made)}.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
            return f"sqlite:///{file}"
        server, name = request.getfixturevalue("postgres_template")
        return create_database(server, uuid.uuid4().hex, template=name)

    def make(*, before: Sequence[Join] = (), after: Sequence[Join] = (), **changes: Any) -> Flask:
        settings = {**SETTINGS, "SQLALCHEMY_DATABASE_URI": address(), **changes}
        app = create_app(settings, before=before, after=after)
        app.test_client_class = ApartClient
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture
def joined_app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.fixture
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    """Return the small shop; in modules marked ``joined`` it is joined to the emulator."""
    if request.node.get_closest_marker("joined") is None:
        return make_app()
    app: Flask = request.getfixturevalue("joined_app")
    return app


@pytest.fixture
def sakura(line_emulator: Emulator) -> LineBrowser:
    """Return the browser of a LINE user who has not met the shop."""
    return line_emulator.browser(line_emulator.add_user("佐藤 さくら"))


@pytest.fixture
def user_id(line_emulator: Emulator) -> str:
    """Return a LINE user who is a friend of the official account."""
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    return user_id


@pytest.fixture
def chat(app: Flask, user_id: str, line_chat: Callable[[Flask, str], LineChat]) -> LineChat:
    """Return the friend's chat with the shop."""
    return line_chat(app, user_id)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser without cookies."""
    return app.test_client()


@pytest.fixture
def line(app: Flask) -> Iterator[LineState]:
    """Return the extension's state, inside the app's context."""
    with app.app_context():
        yield app.extensions["lineconnect"]


@pytest.fixture(scope="session")
def tls_ports() -> dict[str, int]:
    """Return the ports at which this test process serves hosts over TLS, by their names."""
    return {name: port for street in names.STREETS for port in [free_port()] for name in street}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the certificate of the shops that are served over TLS."""
    return make_authority(tmp_path_factory.mktemp("authority"), names.ALL)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], authority: Authority, tls_ports: dict[str, int]
) -> dict[str, Any]:
    """Use the system's Chromium where there is one; it finds the shops that are served over TLS."""
    programs = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in programs if (path := shutil.which(name))), None)
    flags = [*CHROMIUM_FLAGS, *names.chromium_flags(authority, tls_ports)]
    arguments = {**browser_type_launch_args, "args": flags}
    return {**arguments, "executable_path": found} if found else arguments


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Let browsers be Japanese unless a test says otherwise."""
    return {**browser_context_args, "locale": "ja-JP", "timezone_id": "Asia/Tokyo"}
