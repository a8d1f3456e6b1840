"""Put together what belongs to one app, :class:`~.state.LineState`, from its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from .config.settings import Config
from .engines.embedded import NoEngine
from .engines.embedded import ThreadEngine
from .errors import ConfigError
from .hooks.table import HookTable
from .liff.id_token import LiffTokens
from .liff.live import Streams
from .line_api.client import LineApi
from .line_api.http import LineHttp
from .line_api.tokens import FixedToken
from .line_api.tokens import StatelessToken
from .login.oidc import LineLogin
from .login.tokens import LoginTokenApi
from .login.tokens import TokenVault
from .messages.render import json_environment
from .outbox.pacing import DatabasePace
from .outbox.pacing import RedisPace
from .outbox.pacing import SharedPace
from .outbox.rules import Rules
from .shop.adapter import RichMenu
from .shop.adapter import ShopAdapter
from .state import Engine as BackgroundEngine
from .state import LineState
from .vault import Vault
from .web.rate_limits import RateLimits
from .webhooks.inbox import Inbox

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy


def make_state(
    app: Flask,
    config: Config,
    *,
    db: SQLAlchemy,
    shop: ShopAdapter[Any],
    rich_menu: RichMenu | None,
) -> LineState:
    """Return what the extension keeps for one app."""
    hosts, timeout = config.hosts, config.timeout_seconds
    http = LineHttp(hosts.api, timeout)
    token_url = f"{hosts.api}/oauth2/v3/token"
    login_token = StatelessToken(
        token_url, config.login_channel_id, config.login_channel_secret, http
    )
    messaging_token = (
        FixedToken(config.channel_access_token)
        if config.channel_access_token
        else StatelessToken(
            token_url, config.messaging_channel_id, config.messaging_channel_secret, http
        )
    )
    vault = Vault([app.config["SECRET_KEY"], *_retired_keys(app)])
    return LineState(
        app=app,
        config=config,
        shop=shop,
        db=db,
        rich_menu=rich_menu,
        hooks=HookTable(),
        api=LineApi(hosts, messaging_token, login_token, timeout),
        login=LineLogin(config, http),
        login_tokens=LoginTokenApi(config, login_token, http),
        rates=RateLimits(config),
        vault=vault,
        token_vault=TokenVault(vault, config.login_channel_id),
        liff_tokens=LiffTokens(config.login_channel_id, http),
        streams=Streams(config.card_streams),
        inbox=Inbox(_engine_of(app, db)),
        rules=Rules.of(config, shop.categories),
        pace=_make_pace(app, config, db),
        json_environment=json_environment(app),
        engine=_make_engine(app, config),
    )


def _make_pace(app: Flask, config: Config, db: SQLAlchemy) -> SharedPace:
    if config.rate_limit_storage.startswith("redis"):
        return RedisPace(config.rate_limit_storage, config.messaging_channel_id)
    return DatabasePace(lambda step: _commit(app, db, step))


def _commit(app: Flask, db: SQLAlchemy, step: Callable[[Session], float]) -> float:
    with app.app_context():
        result = step(cast(Session, db.session))
        db.session.commit()
        return result


def _engine_of(app: Flask, db: SQLAlchemy) -> Engine:
    """Return the engine of the database in which the extension's tables are."""
    with app.app_context():
        return db.engine


def _make_engine(app: Flask, config: Config) -> BackgroundEngine:
    if config.engine == "thread":
        return ThreadEngine()
    if config.engine == "worker":
        return NoEngine()
    try:
        # Not everybody has it installed.
        from .engines.celery import CeleryEngine
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"LINECONNECT_ENGINE=celery needs the package {error.name}; install it with "
            "`pip install 'flask-lineconnect[celery]'`"
        ) from None
    return CeleryEngine.of(app, config)


def _retired_keys(app: Flask) -> list[str]:
    """Return the keys that were SECRET_KEY before, which Flask knows too."""
    return list(app.config.get("SECRET_KEY_FALLBACKS") or ())
