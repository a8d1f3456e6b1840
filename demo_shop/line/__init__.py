"""All that the demo shop needs for LINE: an adapter, hooks, notices, a rich menu, a till."""

from flask import Flask

from . import notices as notices
from . import telling as telling
from .attributes import attributes
from .delivery import delivery
from .events import events
from .extension import line
from .hooks import chat
from .paying import paying
from .practices import practices
from .practices import switch_on as switch_on
from .segments import segments
from .staff import staff


def init_app(app: Flask) -> None:
    """Join LINE to the shop."""
    app.config.setdefault("LINECONNECT_LOGIN_SCOPE", "openid profile email")
    app.config.setdefault("LINECONNECT_AUTO_LOGIN_BLUEPRINTS", ["store"])
    # Two advertisements a week to one person; what customers wait for is not counted.
    app.config.setdefault("LINECONNECT_MARKETING_CAP", 2)
    line.init_app(app)
    # In the order in which they are asked; the last one answers every text.
    for hooks in (delivery, staff, chat):
        app.register_blueprint(hooks)
    for told in (events, attributes, segments, practices):
        app.register_blueprint(told)
    app.register_blueprint(paying)
