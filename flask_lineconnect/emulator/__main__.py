"""``python -m flask_lineconnect.emulator``: run the LINE emulator alone."""

from __future__ import annotations

import argparse
import ipaddress
import json
import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from werkzeug.serving import make_server

from .app import create_app
from .control import apply_setup
from .platform import Platform


def main() -> None:
    """Serve until interrupted."""
    options = _options()
    if not options.expose and not _is_loopback(options.host):
        sys.exit(
            "The emulator lets anybody be anybody: it must never be exposed, and "
            f"{options.host} is not an address of this machine alone. Use 127.0.0.1, or --expose "
            "inside a closed network."
        )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    line = Platform(data_file=options.data)
    if options.setup:
        apply_setup(line, json.loads(options.setup.read_text("utf-8")))
    if options.base_url:
        line.set_base_url(options.base_url.rstrip("/"))
    try:
        server = make_server(
            options.host, options.port, create_app(line, is_exposed=options.expose), threaded=True
        )
    except (OSError, SystemExit):
        sys.exit(f"Port {options.port} is in use; choose another with --port.")
    print(f"LINE emulator: http://{options.host}:{server.port}/phone", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flask_lineconnect.emulator",
        description="An imitation of LINE for development and tests. Never expose it.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--data", type=Path, help="keep the platform's data in this file")
    parser.add_argument("--setup", type=Path, help="a JSON file with channels, apps and users")
    parser.add_argument("--base-url", help="address of a shop with the usual paths")
    parser.add_argument("--expose", action="store_true", help="allow a host that others can reach")
    return parser.parse_args()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not disturb the clean-up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
