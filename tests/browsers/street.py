"""The demo shop and LINE over plain HTTP, in this process, with a way to take the network away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from flask import Flask
from flask import Response
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server

from demo_shop import create_app
from demo_shop import prepare_database
from flask_lineconnect import current_line
from flask_lineconnect import run_emulator
from flask_lineconnect import set_up_channels
from flask_lineconnect.testing.emulator import COMES_AGAIN
from flask_lineconnect.testing.plugin import free_port
from tests.emulator.serving import serving
from tests.npm.sdk import bundle
from tests.npm.sdk import lead_to
from tests.stories.conftest import Street

_HOST = "127.0.0.1"
#: What LINE's app gives to pages, as far as the SDK waits for it.
_BRIDGE = (
    "if (/ Line\\//.test(navigator.userAgent)) window._liff = { features: [], postMessage() {} };"
)


@dataclass
class Door:
    """The shop's network: open, or shut as underground."""

    app: Flask
    port: int
    _server: BaseWSGIServer | None = field(default=None, init=False)

    def open(self) -> None:
        """Answer from now on."""
        self._server = make_server(_HOST, self.port, self.app, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def shut(self) -> None:
        """Refuse whoever comes; what is open already goes on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@dataclass(frozen=True)
class PlainStreet(Street):
    """A shop, LINE, and the shop's door.

    :ivar has_own_sdk: the pages get LINE's own SDK, not the emulator's stand-in.
    """

    door: Door
    has_own_sdk: bool


@contextmanager
def open_plain_street(data: Path) -> Iterator[PlainStreet]:
    """Open the demo shop and LINE; with LINE's own SDK where npm has brought it."""
    port = free_port()
    base_url = f"http://{_HOST}:{port}"
    with run_emulator() as line, serving(network := Flask("network")) as network_url:
        line.set_up(base_url=base_url, messaging_channel=COMES_AGAIN)
        settings = line.settings(base_url)
        script = bundle()
        if script is not None:
            _serve_scripts(network, _BRIDGE + lead_to(script, line=line.url, network=network_url))
            settings["LINECONNECT_LIFF_SDK_URL"] = f"{network_url}/sdk.js"
        app = create_app(
            {
                **settings,
                "TESTING": True,
                "SECRET_KEY": "a secret key for tests only",
                "LINECONNECT_ENGINE": "worker",
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data / 'shop.db'}",
                "PICTURES_FOLDER": str(data / "pictures"),
            }
        )
        prepare_database(app)
        with app.app_context():
            for _step in set_up_channels(current_line):
                pass
        door = Door(app, port)
        door.open()
        try:
            yield PlainStreet(app, base_url, line, door, script is not None)
        finally:
            door.shut()


def _serve_scripts(network: Flask, sdk: str) -> None:
    """Be LINE's network for scripts: the SDK, and its extensions and texts, which are empty."""

    @network.get("/<path:path>")
    def script(path: str) -> Response:
        found = '{"languages":{}}' if path.endswith("manifest.json") else ""
        headers = {"Access-Control-Allow-Origin": "*"}
        body = sdk if path == "sdk.js" else found
        return Response(body, mimetype="text/javascript", headers=headers)
