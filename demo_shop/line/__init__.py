"""All that the demo shop needs for LINE: an adapter, message hooks, notices, a rich menu."""

from flask import Flask

from . import notices as notices
from .extension import line
from .hooks import chat


def init_app(app: Flask) -> None:
    """Join LINE to the shop."""
    app.config.setdefault("LINECONNECT_LOGIN_SCOPE", "openid profile email")
    app.config.setdefault("LINECONNECT_AUTO_LOGIN_BLUEPRINTS", ["store"])
    line.init_app(app)
    app.register_blueprint(chat)
