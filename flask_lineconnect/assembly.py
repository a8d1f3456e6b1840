"""Put together what belongs to one app: its :class:`~.state.LineState`, and all our routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

from flask import Flask
from jinja2 import ChoiceLoader
from jinja2 import FileSystemLoader
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from .config.settings import Config
from .engines.embedded import NoEngine
from .engines.embedded import ThreadEngine
from .errors import ConfigError
from .hooks.table import HookTable
from .liff import api as liff_api
from .liff import link as liff_link
from .liff import live
from .liff import membership
from .liff import offline
from .liff import orders
from .liff import views as liff_views
from .liff.blueprint import LiffBlueprint
from .liff.id_token import LiffTokens
from .liff.live import Streams
from .line_api.client import LineApi
from .line_api.http import LineHttp
from .line_api.tokens import FixedToken
from .line_api.tokens import StatelessToken
from .login import chat_views
from .login import friend
from .login import guard
from .login import kept_forms
from .login import link
from .login import sign_up
from .login import unlink
from .login import views as login_views
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
from .web import assets
from .web.blueprint import BLUEPRINT
from .web.blueprint import TEMPLATES
from .web.rate_limits import RateLimits
from .webhooks import views as webhook_views
from .webhooks.inbox import Inbox

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

#: The modules that add routes, in the order of a customer's way.
_WITH_ROUTES = (
    login_views,
    sign_up,
    link,
    guard,
    friend,
    kept_forms,
    chat_views,
    unlink,
    liff_views,
    orders,
    membership,
    liff_link,
    liff_api,
    live,
    offline,
    webhook_views,
)


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
    parts: dict[type[Any], Any] = {
        HookTable: HookTable(),
        Inbox: Inbox(_engine_of(app, db)),
        LiffTokens: LiffTokens(config.login_channel_id, http),
        LineApi: LineApi(hosts, messaging_token, login_token, timeout),
        LineLogin: LineLogin(config, http),
        LoginTokenApi: LoginTokenApi(config, login_token, http),
        RateLimits: RateLimits(config),
        Rules: Rules.of(config, shop.categories),
        SharedPace: _make_pace(app, config, db),
        Streams: Streams(config.card_streams),
        TokenVault: TokenVault(vault, config.login_channel_id),
    }
    return LineState(
        app=app,
        config=config,
        shop=shop,
        db=db,
        rich_menu=rich_menu,
        vault=vault,
        json_environment=json_environment(app),
        engine=_make_engine(app, config),
        parts=parts,
    )


def make_blueprint(app: Flask) -> LiffBlueprint:
    """Return the blueprint with all routes of the extension, for one app."""
    blueprint = LiffBlueprint(BLUEPRINT, "flask_lineconnect", template_folder="templates")
    blueprint.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in TEMPLATES])
    for module in _WITH_ROUTES:
        module.register(blueprint)
    assets.register(blueprint, app)
    return blueprint


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
