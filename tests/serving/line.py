"""``python -m tests.serving.line PORT``: the LINE emulator behind a proxy."""

from __future__ import annotations

import logging
import sys

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.control.setup import world_of
from flask_lineconnect.emulator.platform import Platform


def main(port: int) -> None:
    """Serve until terminated."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(Platform(make_world=lambda: world_of({})), is_exposed=True)
    behind = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
    make_server("127.0.0.1", port, behind, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
