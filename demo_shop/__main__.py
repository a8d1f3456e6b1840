"""``make demo``: the demo shop and the LINE emulator, started and stopped together."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
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
from .running import AlreadyRuns
from .running import clear
from .running import tell_settings
from .running import the_only_one
from .seed import HANAKO
from .seed import STAFF

HOST = "127.0.0.1"
#: What ends the demo: Ctrl-C, a supervisor, a terminal that is closed.
ENDING = [signal.SIGINT, signal.SIGTERM]
# Windows does not tell, and nohup does not want to know.
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
    ENDING.append(signal.SIGHUP)
WELCOME = """
  こもれび堂 demo shop   {shop}
  LINE emulator phone   {emulator}/phone

  Try this first:
   1. Open {shop}/store and press the QR code on the counter.
   2. Log in as 佐藤 さくら, allow, add the shop as a friend, register.
   3. Open {emulator}/phone, choose 佐藤 さくら: the greeting is there, and the menu with her card.
   4. Log in as staff in a private window at {shop}/log-in and add points at {shop}/counter.
   5. In the same window open the owner's console at {shop}/line-admin.

  Staff:             {staff}
  Long-time member:  {member}

  Commands beside it: {command}

  Ctrl-C stops both. `make demo-reset` starts over.
"""


def main() -> None:
    """Start the emulator and the shop; wait; stop both."""
    options = _options()
    for number in ENDING:
        signal.signal(number, _exit)
    try:
        with the_only_one(options.data):
            if options.reset:
                clear(options.data)
            _run(options)
    except KeyboardInterrupt:
        print("\nThe shop and the LINE emulator have stopped.")
    except AlreadyRuns as error:
        sys.exit(str(error))
    except LineConnectError as error:
        sys.exit(f"The demo could not start: {error}")


def _run(options: argparse.Namespace) -> None:
    shop_port = _free_port(options.port, "the shop", avoid=None)
    emulator_port = _free_port(options.emulator_port, "the LINE emulator", avoid=shop_port)
    shop_url = f"http://{HOST}:{shop_port}"
    kept = ("--data", str(options.data / "emulator.json"), "--base-url", shop_url)
    with run_emulator(emulator_port, *kept) as emulator:
        app = _make_shop(options, emulator.settings(shop_url))
        _serve(app, shop_url, emulator.url, shop_port)


def _make_shop(options: argparse.Namespace, settings: dict[str, str]) -> Flask:
    data: Path = options.data
    app = create_app(
        {
            "DEBUG": True,
            "DATA_FOLDER": str(data),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data / 'shop.db'}",
            "PICTURES_FOLDER": str(data / "pictures"),
            **settings,
        }
    )
    tell_settings(data, app.config)
    with app.app_context():
        if options.history:
            print("Two years of history are written; that takes half a minute.", flush=True)
        if not prepare_database(app, has_history=options.history) and options.history:
            print("The shop is there already, and stays as it is; --reset starts over.", flush=True)
        for _step in set_up_channels(current_line):
            pass
    return app


def _serve(app: Flask, shop_url: str, emulator_url: str, port: int) -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server(HOST, port, app, threaded=True)
    welcome = WELCOME.format(
        shop=shop_url,
        emulator=emulator_url,
        staff=" / ".join(STAFF),
        member=" / ".join(HANAKO),
        command=_command(Path(app.config["DATA_FOLDER"])),
    )
    print(welcome, flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _command(data: Path) -> str:
    """Return a command that works against the running demo, as the shell takes it."""
    flask = os.path.relpath(Path(sys.executable).with_name("flask"))
    where = "" if data == INSTANCE else f"FLASK_DATA_FOLDER={shlex.quote(str(data))} "
    return f"{where}{flask} --app demo_shop line links"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo_shop", description=main.__doc__)
    parser.add_argument("--port", type=int, default=5000, help="the shop's port")
    parser.add_argument("--emulator-port", type=int, default=5001, help="the emulator's port")
    parser.add_argument("--data", type=_folder, default=INSTANCE, help="folder of the demo's data")
    parser.add_argument("--reset", action="store_true", help="start over with fresh data")
    parser.add_argument(
        "--history", action="store_true", help="fill an empty shop with two years of 10,000 members"
    )
    return parser.parse_args()


def _folder(text: str) -> Path:
    return Path(text).resolve()


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
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
