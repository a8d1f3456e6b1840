"""Put together what belongs to one app: its :class:`~.state.LineState`, and all our routes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from jinja2 import ChoiceLoader
from jinja2 import FileSystemLoader

from .clicks import views as click_views
from .config.settings import IN_MEMORY
from .config.settings import Config
from .console.blueprint import make_console
from .doctor import health
from .engines.embedded import NoEngine
from .engines.embedded import ThreadEngine
from .engines.presence import Presence
from .errors import ConfigError
from .liff import api as liff_api
from .liff import link as liff_link
from .liff import live
from .liff import membership
from .liff import offline
from .liff import orders
from .liff import views as liff_views
from .liff.blueprint import LiffBlueprint
from .linking.marks import MemberMarks
from .log_fields import log_fields
from .login import asking
from .login import chat_views
from .login import friend
from .login import guard
from .login import kept_forms
from .login import labels
from .login import link
from .login import sign_up
from .login import unlink
from .login import views as login_views
from .marketing.member_zones import MemberZones
from .messages.render import json_environment
from .parts import Parts
from .shop.adapter import RichMenu
from .shop.adapter import ShopAdapter
from .state import Engine as BackgroundEngine
from .state import LineState
from .vault import Vault
from .web import assets
from .web.blueprint import BLUEPRINT
from .web.blueprint import TEMPLATES
from .webhooks import views as webhook_views

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

logger = logging.getLogger(__name__)

#: The modules that add routes, in the order of a customer's way.
_WITH_ROUTES = (
    login_views,
    sign_up,
    link,
    asking,
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
    click_views,
    health,
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
    vault = Vault([app.config["SECRET_KEY"], *_retired_keys(app)])
    parts = Parts(app, config, db=db, shop=shop, vault=vault)
    # A mark or a zone that is no column is said at the start.
    parts.get(MemberMarks)
    if shop.member_zone is not None:
        parts.get(MemberZones)
    if config.rate_limit_storage != IN_MEMORY:
        _find_mistakes(parts, config.rate_limit_storage)
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
    labels.prove_in_addresses(blueprint, app)
    assets.register(blueprint, app)
    return blueprint


def register_pages(app: Flask, config: Config, shop: ShopAdapter[Any]) -> None:
    """Add all of our pages to an app; the console only where the shop says who may enter it."""
    app.register_blueprint(make_blueprint(app), url_prefix=config.url_prefix)
    if type(shop).staff_role is not ShopAdapter.staff_role:
        app.register_blueprint(make_console(), url_prefix=config.console_path)


def run_engine_with(app: Flask, state: LineState) -> None:
    """Let the engine begin with the first request, or say that others work."""
    engine = state.engine
    if isinstance(engine, ThreadEngine):
        app.before_request(lambda: engine.ensure_running(state))
        logger.info(
            "LINECONNECT_ENGINE=thread: what waits is served from this process's first request on; "
            "send it one after a restart, or run `flask line worker` (LINECONNECT_ENGINE=worker)",
            extra=log_fields("thread_engine"),
        )
    elif not app.testing:
        app.before_request(lambda: state.part(Presence).note_beside(state))


def _find_mistakes(parts: Parts, storage: str) -> None:
    """Make now what finds a wrong address of Redis only when it is made.

    :raises ConfigError: ``LINECONNECT_RATE_LIMIT_STORAGE`` can't be used.
    """
    from limits.errors import ConfigurationError

    from .outbox.pacing import SharedPace
    from .web.rate_limits import RateLimits

    try:
        parts.get(RateLimits)
        parts.get(SharedPace)
    except ConfigurationError:
        # The address holds a password.
        scheme = urlsplit(storage).scheme
        raise ConfigError(
            f"LINECONNECT_RATE_LIMIT_STORAGE: the package `limits` knows no {scheme!r}, or lacks a "
            "library for it; set an address such as redis://localhost:6379/1, and install what "
            "it needs, for Redis `pip install redis`."
        ) from None


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
