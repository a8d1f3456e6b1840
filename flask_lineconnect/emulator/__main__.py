"""``python -m flask_lineconnect.emulator``: run the LINE emulator alone."""

from __future__ import annotations

import argparse
import contextlib
import functools
import ipaddress
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any
from typing import NoReturn

from pydantic import ValidationError
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server

from .app import create_app
from .control.setup import SetupError
from .control.setup import apply_setup
from .control.setup import read_setup
from .control.setup import world_of
from .messaging.sink import Sink
from .messaging.sink import serve
from .platform import Platform
from .world import default_world
from .world import fresh_world

#: What ends it: Ctrl-C, a supervisor, a terminal that is closed.
ENDING = [signal.SIGINT, signal.SIGTERM]
# Windows does not tell, and nohup does not want to know.
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
    ENDING.append(signal.SIGHUP)


def main() -> None:
    """Serve until interrupted."""
    options = _options()
    if not options.expose and not _is_loopback(options.host):
        sys.exit(
            "The emulator lets anybody be anybody: it must never be exposed, and "
            f"{options.host} is not an address of this machine alone. Use 127.0.0.1, or --expose "
            "inside a closed network."
        )
    # From here on a signal ends the process as it should, also while it starts.
    for number in ENDING:
        signal.signal(number, _exit)
    if options.until_eof:
        threading.Thread(target=_end_at_eof, name="until-eof", daemon=True).start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if options.sink:
        return _run_sink(options)
    try:
        server = _server(options)
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"LINE emulator: http://{host}:{server.port}/phone", flush=True)
        try:
            server.serve_forever()
        finally:
            server.server_close()
    except KeyboardInterrupt:
        pass


def _run_sink(options: argparse.Namespace) -> None:
    sink = Sink(options.answer_after / 1000, options.rate_limits, options.quota)
    print(f"LINE emulator, sink mode: http://{options.host}:{options.port}", flush=True)
    try:
        serve(sink, options.host, options.port)
    except KeyboardInterrupt:
        pass
    except ImportError:
        sys.exit("Sink mode needs uvicorn: pip install 'flask-lineconnect[sink]'")


def _server(options: argparse.Namespace) -> BaseWSGIServer:
    try:
        line = _platform(options)
    except SetupError as error:
        sys.exit(str(error))
    except ValidationError:
        sys.exit(f"{options.data} is no world of this emulator; delete it to start afresh.")
    except OSError as error:
        sys.exit(f"{options.data}: {error.strerror}")
    app = create_app(line, is_exposed=options.expose)
    try:
        return make_server(options.host, options.port, app, threaded=True)
    except (OSError, OverflowError, SystemExit):
        # What it says itself is for a program of another kind.
        sys.exit(f"Port {options.port} of {options.host} can't be used; choose one with --port.")


def _platform(options: argparse.Namespace) -> Platform:
    """Return the platform, whose resets come back to the same setup."""
    setup: dict[str, Any] = read_setup(options.setup) if options.setup else {}
    if options.base_url:
        setup["base_url"] = options.base_url
    is_kept = options.data is not None and options.data.exists()
    begin = fresh_world if options.fresh else default_world
    make_world = functools.partial(world_of, setup, begin)
    line = Platform(make_world=make_world, data_file=options.data)
    if is_kept and setup:
        apply_setup(line, setup)
    return line


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flask_lineconnect.emulator",
        description="An imitation of LINE for development and tests. Never expose it.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--data", type=Path, help="keep the platform's data in this file")
    parser.add_argument("--setup", type=Path, help="a JSON file with channels, apps and users")
    parser.add_argument(
        "--fresh", action="store_true", help="channels as LINE makes them; mend them at /consoles"
    )
    parser.add_argument("--base-url", help="address of a shop with the usual paths")
    parser.add_argument("--expose", action="store_true", help="allow a host that others can reach")
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="end when standard input does: with the program that holds its other end",
    )
    sink = parser.add_argument_group("sink mode, for benchmarks of delivery")
    sink.add_argument("--sink", action="store_true", help="take messages fast, keep only counts")
    sink.add_argument("--answer-after", type=float, default=0, metavar="MILLISECONDS")
    sink.add_argument("--rate-limits", type=float, metavar="SCALE", help="1 is LINE's own limits")
    sink.add_argument("--quota", type=int, metavar="MESSAGES")
    return parser.parse_args()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _end_at_eof() -> None:
    """Wait until nobody holds the other end of standard input any more, and end."""
    with contextlib.suppress(OSError):
        while os.read(0, 1_024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not disturb the clean-up.
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
