"""Komorebi-do, the demo shop: an ordinary Flask shop, and the few lines that add LINE to it.

The lines for LINE are the folder ``line/`` and the one marked line below.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from babel import negotiate_locale
from flask import Flask
from flask import request
from flask import session

from . import line
from .clock import utcnow
from .extensions import babel
from .extensions import csrf
from .extensions import db
from .extensions import login_manager
from .models import User
from .running import settings_of_running
from .seed import fill
from .seed import is_empty
from .shop import account
from .shop import back_office
from .shop import bookings
from .shop import counter
from .shop import store
from .shop.errors import register_errors
from .shop.texts import register_filters

LANGUAGES = {"ja": "日本語", "en": "English"}
INSTANCE = Path(__file__).parents[1] / "instance"


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the shop; ``config`` wins over the environment, the environment over the defaults.

    A command that is given no channels beside a running ``make demo`` takes that demo's settings.
    """
    app = Flask(__name__, instance_path=str(INSTANCE))
    app.config.from_mapping(
        DATA_FOLDER=str(INSTANCE),
        BABEL_DEFAULT_LOCALE="ja",
        BABEL_DEFAULT_TIMEZONE="Asia/Tokyo",
        LANGUAGES=LANGUAGES,
        SHOP_ZONE=ZoneInfo("Asia/Tokyo"),
    )
    app.config.from_prefixed_env()
    app.config.from_mapping(config or {})
    data = Path(app.config["DATA_FOLDER"]).resolve()
    if not any(name.startswith("LINECONNECT_") for name in app.config):
        app.config.from_mapping({**settings_of_running(data), **(config or {})})
    app.config.setdefault("SQLALCHEMY_DATABASE_URI", f"sqlite:///{data / 'shop.db'}")
    app.config.setdefault("PICTURES_FOLDER", str(data / "pictures"))
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or _kept_secret_key(data)
    db.init_app(app)
    login_manager.init_app(app)
    login_manager.login_view = "account.log_in"
    csrf.init_app(app)
    babel.init_app(app, locale_selector=_language)
    line.init_app(app)  # LINE
    for module in (store, account, bookings, counter, back_office):
        app.register_blueprint(module.pages)
    register_filters(app)
    register_errors(app)
    app.cli.add_command(seed_command)
    return app


@login_manager.user_loader
def _load_user(user_id: str) -> User | None:
    return db.session.get(User, int(user_id))


def prepare_database(app: Flask, *, has_history: bool = False) -> bool:
    """Make the tables, and fill an empty shop; return whether it was empty.

    :param has_history: with two years of it and ten thousand members.
    """
    with app.app_context():
        db.metadata.create_all(db.engine)
        if not is_empty(db.session()):
            return False
        fill(db.session(), Path(app.config["PICTURES_FOLDER"]))
        if has_history:
            from .history import tell_history  # most shops have none

            tell_history(db.session(), utcnow(), line.switch_on)
        else:
            line.switch_on()
            db.session.commit()
        return True


@click.command("seed")
@click.option("--history", is_flag=True, help="With two years of it and 10,000 members.")
def seed_command(history: bool) -> None:
    """Make the tables, and fill an empty shop."""
    from flask import current_app

    prepare_database(current_app, has_history=history)


def _language() -> str:
    # What was chosen on the pages inside LINE counts here, too; the shop's own switch tells them.
    chosen = session.get("lineconnect_language") or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    asked = [code.replace("-", "_") for code in request.accept_languages.values()]
    return negotiate_locale(asked, list(LANGUAGES)) or "ja"


def _kept_secret_key(data: Path) -> str:
    """Return the key of earlier runs, so that sessions survive a restart; made once."""
    path = data / "secret_key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex())
    return path.read_text()
