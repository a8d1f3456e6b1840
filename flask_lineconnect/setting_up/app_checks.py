"""What is looked at when the extension joins an app: its neighbours, its secret, members' keys."""

from __future__ import annotations

import logging
from inspect import getmembers
from inspect import iscoroutinefunction
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy import inspect

from ..config.settings import Config
from ..errors import ConfigError
from ..errors import UsageError
from ..linking.marks import reuses_keys
from ..shop.adapter import ShopAdapter

logger = logging.getLogger(__name__)

#: Shorter secret keys can be guessed.
MIN_SECRET_KEY = 16


def warn_of_keys(engine: Engine, model: type[Any]) -> None:
    """Say that the database gives keys again, which links and sessions name members by."""
    if reuses_keys(engine, model):
        logger.warning(
            "SQLite gives the key of a deleted member in %r to the next one, who could be taken "
            "for the one before. Add sqlite_autoincrement=True to the table's __table_args__ and "
            "make it anew, or name in ShopAdapter.member_mark what tells members apart",
            inspect(model).primary_key[0].table.name,
        )


def check_neighbours(app: Flask) -> None:
    """Refuse an app in which what we build on was not set up before.

    :raises UsageError: Flask-SQLAlchemy or Flask-Login is missing.
    """
    if "sqlalchemy" not in app.extensions:
        raise UsageError("call db.init_app(app) before line.init_app(app)")
    if not hasattr(app, "login_manager"):
        raise UsageError(
            "call login_manager.init_app(app) of Flask-Login, or Security(app, …) of "
            "Flask-Security, before line.init_app(app)"
        )


def check_answers(shop: ShopAdapter[Any]) -> None:
    """Refuse methods of the shop's that would be awaited by nobody.

    They are asked in the middle of a transaction, whose session belongs to one thread.

    :raises UsageError: an adapter or a desk has an ``async def``.
    """
    for place in (shop, shop.orders, shop.membership, shop.products):
        kind = type(place)
        for name, _method in getmembers(kind, iscoroutinefunction):
            raise UsageError(
                f"{kind.__name__}.{name} is `async def`, and is asked in the middle of a "
                "transaction; make it a plain `def`, and call what must be awaited through "
                "`asgiref.sync.async_to_sync`"
            )


def check_for_production(app: Flask, config: Config) -> None:
    """Refuse an app without a secret key, and outside development what is not safe.

    :raises ConfigError: names the setting.
    """
    secret_key = app.config.get("SECRET_KEY")
    if not secret_key:
        raise ConfigError(
            "SECRET_KEY is missing; set it to a long random text, for example the output of "
            "`python -c 'import secrets; print(secrets.token_hex())'`"
        )
    if app.debug or app.testing:
        return
    config.check_for_production()
    if len(secret_key) < MIN_SECRET_KEY:
        raise ConfigError(
            f"SECRET_KEY is shorter than {MIN_SECRET_KEY} characters; set it to a long random "
            "text, for example the output of `python -c 'import secrets; "
            "print(secrets.token_hex())'`"
        )
