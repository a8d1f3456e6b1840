"""``make demo``: the demo shop and the LINE emulator, started and stopped together."""

from __future__ import annotations

import argparse
import logging
import shutil
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import NoReturn

from flask import Flask
from werkzeug.serving import make_server

from flask_lineconnect import LineConnectError
from flask_lineconnect import current_line
from flask_lineconnect import run_emulator
from flask_lineconnect import set_up_channels

from . import INSTANCE
from . import create_app
from . import prepare_database
from .seed import HANAKO
from .seed import STAFF

HOST = "127.0.0.1"
WELCOME = """
  こもれび堂 demo shop   {shop}
  LINE emulator phone   {emulator}/phone

  Try this first:
   1. Open {shop}/store and press the QR code on the counter.
   2. Log in as 佐藤 さくら, allow, add the shop as a friend, register.
   3. Open {emulator}/phone, choose 佐藤 さくら: the greeting is there, and the menu with her card.
   4. Log in as staff in a private window at {shop}/log-in and add points at {shop}/counter.

  Staff:             {staff}
  Long-time member:  {member}

  Ctrl-C stops both. `make demo-reset` starts over.
"""


def main() -> None:
    """Start the emulator and the shop; wait; stop both."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    if options.reset:
        shutil.rmtree(options.data, ignore_errors=True)
    shop_port = _free_port(options.port, "the shop", avoid=None)
    emulator_port = _free_port(options.emulator_port, "the LINE emulator", avoid=shop_port)
    shop_url = f"http://{HOST}:{shop_port}"
    kept = ("--data", str(options.data / "emulator.json"), "--base-url", shop_url)
    try:
        with run_emulator(emulator_port, *kept) as emulator:
            app = _make_shop(options.data, emulator.settings(shop_url))
            _serve(app, shop_url, emulator.url, shop_port)
    except KeyboardInterrupt:
        print("\nThe shop and the LINE emulator have stopped.")
    except LineConnectError as error:
        sys.exit(f"The demo could not start: {error}")


def _make_shop(data: Path, settings: dict[str, str]) -> Flask:
    data.mkdir(parents=True, exist_ok=True)
    app = create_app(
        {
            "DEBUG": True,
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data / 'shop.db'}",
            "PICTURES_FOLDER": str(data / "pictures"),
            **settings,
        }
    )
    with app.app_context():
        prepare_database(app)
        for _step in set_up_channels(current_line):
            pass
    return app


def _serve(app: Flask, shop_url: str, emulator_url: str, port: int) -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server(HOST, port, app, threaded=True)
    staff, member = " / ".join(STAFF), " / ".join(HANAKO)
    welcome = WELCOME.format(shop=shop_url, emulator=emulator_url, staff=staff, member=member)
    print(welcome, flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo_shop", description=main.__doc__)
    parser.add_argument("--port", type=int, default=5000, help="the shop's port")
    parser.add_argument("--emulator-port", type=int, default=5001, help="the emulator's port")
    parser.add_argument("--data", type=Path, default=INSTANCE, help="folder of the demo's data")
    parser.add_argument("--reset", action="store_true", help="start over with fresh data")
    return parser.parse_args()


def _free_port(wanted: int, what: str, *, avoid: int | None) -> int:
    """Return the wanted port, or the next one that nobody uses, and say so."""
    for port in range(wanted, wanted + 50):
        if port != avoid and _is_free(port):
            if port != wanted:
                print(f"Port {wanted} is in use; {what} takes {port}.", flush=True)
            return port
    sys.exit(f"The ports {wanted} to {wanted + 49} are all in use; name another with --port.")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not disturb the clean-up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
