"""A shop that is served over HTTP and joined to the emulator, as the doctor meets it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler
from werkzeug.serving import make_server

from flask_lineconnect import Emulator
from flask_lineconnect.doctor.examination import NAMES
from flask_lineconnect.doctor.examination import examine
from flask_lineconnect.doctor.findings import Finding
from flask_lineconnect.testing.plugin import free_port
from tests.conftest import MakeApp

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Wrap = Callable[["WSGIApplication"], "WSGIApplication"]
OpenShop = Callable[..., Flask]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(application: WSGIApplication, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def open_shop(make_app: MakeApp, line_emulator: Emulator) -> Iterator[OpenShop]:
    """Return a function that makes a shop LINE knows, and serves it at its public address."""
    with ExitStack() as servers:

        def open_(*, wrap: Wrap | None = None, path: str = "", **settings: Any) -> Flask:
            port = free_port()
            base_url = f"http://127.0.0.1:{port}{path}"
            line_emulator.set_up(base_url=base_url)
            app = make_app(**{**line_emulator.settings(base_url), **settings})
            application = app.wsgi_app if wrap is None else wrap(app.wsgi_app)
            servers.enter_context(served(application, port))
            return app

        yield open_


def look(app: Flask, *names: str, **options: Any) -> dict[str, Finding]:
    """Return what the doctor finds in an app, by the names of the checks."""
    with app.app_context():
        line = app.extensions["lineconnect"]
        return {one.check: one for one in examine(line, names=names or NAMES, **options)}
