"""The small shop as a process of its own, to be killed: ``python killed_shop.py PORT SETTINGS``."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

from werkzeug.serving import run_simple

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect.webhooks import claims
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db

hooks = LineBlueprint("echo", __name__)


@hooks.on_text()
def echo(event: TextEvent) -> Reply:
    """Write something down, and say the text back."""
    db.session.add(User(name=event.text, email=None))
    return event.text


def main() -> None:
    """Serve until killed."""
    port, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    # What a killed process had claimed is taken over sooner than in a shop.
    claims.LEASE = timedelta(seconds=2)
    app = create_app(settings)
    app.register_blueprint(hooks)
    print("ready", flush=True)
    # Not app.run(), which does nothing where a test of the CLI left FLASK_RUN_FROM_CLI behind.
    run_simple("127.0.0.1", port, app, threaded=True)


if __name__ == "__main__":
    main()
