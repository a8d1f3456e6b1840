"""The demo shop for gunicorn, as behind one proxy: ``tests.serving.demo:make_app()``.

Its settings come from the environment, as in production.
"""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from demo_shop import create_app
from demo_shop import prepare_database
from flask_lineconnect import current_line
from flask_lineconnect import set_up_channels


def make_app() -> Flask:
    """Make the shop, fill it, and tell LINE's channels where it is."""
    app = create_app()
    behind = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    app.wsgi_app = behind  # type: ignore[method-assign]  # Flask's own way
    with app.app_context():
        prepare_database(app)
        for _step in set_up_channels(current_line):
            pass
    return app
