"""The small shop for gunicorn, inside ``CSRFProtect``: ``tests.serving.small:make_app()``."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_lineconnect import LineBlueprint
from flask_lineconnect import current_line
from flask_lineconnect import set_up_channels
from tests.small_shop import create_app
from tests.small_shop import db
from tests.small_shop import line

marketing = LineBlueprint("marketing", __name__)
marketing.campaign(
    "below",
    label="道の下から",
    to="linked",
    message={"text": "新しいお茶です", "button": {"label": "見る", "url": "/private"}},
    tracked="personal",
)


@marketing.get("/begin")
def begin() -> str:
    """Let the campaign begin."""
    line.campaigns.begin("below")
    db.session.commit()
    return "begun"


def make_app() -> Flask:
    """Make the shop from the environment's settings, and tell LINE's channels where it is."""
    settings = Flask(__name__)
    settings.config.from_prefixed_env()
    app = create_app(settings.config, before=(CSRFProtect,))
    app.register_blueprint(marketing)
    behind = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    app.wsgi_app = behind  # type: ignore[method-assign]  # Flask's own way
    with app.app_context():
        for _step in set_up_channels(current_line):
            pass
    return app
