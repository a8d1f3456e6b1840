"""The extension object: what a shop hands over, and the steps that join it to an app.

Next on the reading path: one webhook (``webhooks/views.py``), then one message
(``outbox/queue.py``, ``outbox/delivery.py``, ``line_api/client.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from babel import negotiate_locale
from flask import Flask
from flask import current_app
from flask import has_request_context
from flask import request
from flask import session
from flask_babel import Babel
from sqlalchemy import Engine

from . import cards
from . import chat_link
from . import linking
from . import unlinking
from .after_commit import after_commit
from .after_commit import watch as watch_commits
from .config import Config
from .engines.embedded import NoEngine
from .engines.embedded import ThreadEngine
from .errors import ConfigError
from .errors import UsageError
from .hooks import HookTable
from .i18n import LANGUAGE_KEY
from .i18n import languages
from .liff import offline
from .liff.blueprint import LiffBlueprint
from .liff.id_token import LiffTokens
from .liff.live import Streams
from .line_api.client import LineApi
from .line_api.http import LineHttp
from .line_api.tokens import FixedToken
from .line_api.tokens import StatelessToken
from .login import auto
from .login import chat_views
from .login import sessions
from .login.oidc import LineLogin
from .login.tokens import LoginTokenApi
from .login.tokens import TokenVault
from .messages.objects import Reply
from .messages.objects import to_payloads
from .messages.render import json_environment
from .models import OutboxMessage
from .models.base import bind_member_key
from .models.base import copy_tables
from .models.base import member_key_type
from .models.sqlite import prepare_sqlite
from .outbox import queue
from .rate_limits import RateLimits
from .shop import RichMenu
from .shop import ShopAdapter
from .state import EXTENSION_KEY
from .state import LineState
from .state import current_line
from .vault import Vault
from .views import TemplateHelpers
from .views import make_blueprint
from .webhooks.inbox import Inbox

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

#: Shorter secret keys can be guessed.
MIN_SECRET_KEY = 16
#: Browsers name Chinese by its countries; who reads the simplified script reads this one sooner
#: than Japanese.
_CHINESE = dict.fromkeys(
    ["zh", "zh_tw", "zh_hk", "zh_mo", "zh_hant_tw", "zh_hant_hk", "zh_cn", "zh_sg"], "zh_Hant"
)


class LineConnect:
    """Joins a shop and LINE; one object can serve several apps.

    :param db: the shop's Flask-SQLAlchemy object; the extension's tables live in its database.
    :param shop: the shop's adapter.
    :param rich_menu: the menu below the chat, published by ``flask line setup``.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        db: SQLAlchemy,
        shop: ShopAdapter[Any],
        rich_menu: RichMenu | None = None,
    ):
        self.db = db
        self.shop = shop
        self.rich_menu = rich_menu
        copy_tables(db.metadata, shop.model)
        watch_commits(db.session)
        unlinking.watch_deletions(db.session, shop.model)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Join the extension to an app.

        Call it after ``init_app`` of Flask-SQLAlchemy, Flask-Login and, where the shop uses it,
        Flask-Babel.

        :raises ConfigError: a setting is missing, wrong, or fit for development only.
        :raises UsageError: Flask-SQLAlchemy or Flask-Login was not set up for the app before.
        """
        config = Config.from_mapping(app.config)
        _check_neighbours(app)
        _check_for_production(app, config)
        _protect_session_cookie(app, config)
        _set_up_babel(app)
        self._prepare_database(app)
        state = self._make_state(app, config)
        app.extensions[EXTENSION_KEY] = state
        app.register_blueprint(make_blueprint(app), url_prefix=config.url_prefix)
        app.jinja_env.globals["lineconnect"] = TemplateHelpers()
        sessions.register(app)
        auto.register(app)
        offline.watch(app)
        chat_views.watch_logouts(app)
        _run_engine_with(app, state)

    def send(self, member: Any, message: Reply, *, key: str | None = None) -> OutboxMessage | None:
        """Send a message to a member, inside the caller's transaction.

        The message exists if and only if the caller commits; an engine sends it afterwards.

        :param key: names the message, for example ``"order-1001:shipped"``; the same key is sent
            once, however often this is called.
        :return: the queued message, or ``None`` for a member without a LINE account.
        :raises InvalidMessage: the message breaks one of LINE's limits.
        """
        line = current_line
        account = linking.account_of(line.session, linking.member_key(line.session, member))
        if account is None:
            return None
        after_commit(line.session, line.engine.wake)
        return queue.enqueue(line.session, account, to_payloads(message), key=key, now=line.clock())

    def unlink(self, member: Any) -> bool:
        """End a member's link, inside the caller's transaction; LINE is told after the commit.

        For staff and for the shop's own pages. Sessions that LINE gave, waiting messages and tokens
        end with it; tell the member.

        :return: whether there was a link.
        """
        line = current_line
        member_id = linking.member_key(line.session, member)
        account = unlinking.end_links_of(line.session, member_id, actor="shop", now=line.clock())
        return account is not None

    def credentials_changed(self, member: Any) -> None:
        """End what an older password could have begun, inside the caller's transaction.

        Call it when a member changed or recovered the password: sessions that LINE gave end, and so
        do links that wait for LINE. The link itself stays.
        """
        line = current_line
        member_id = linking.member_key(line.session, member)
        chat_link.end_waiting(line.session, member_id)
        account = linking.account_of(line.session, member_id)
        if account is not None:
            account.session_generation += 1
            line.session.flush()

    def erase(self, member: Any) -> bool:
        """Forget a member's LINE account, inside the caller's transaction, when the member leaves.

        ``db.session.delete(member)`` does it by itself. Everything of the person goes: profile,
        tokens, messages, events; LINE is told after the commit. An audit entry of the fact stays.

        :return: whether there was an account.
        """
        line = current_line
        account = linking.account_of(line.session, linking.member_key(line.session, member))
        if account is None:
            return False
        unlinking.erase(line.session, account, now=line.clock())
        return True

    def points_changed(self, member: Any) -> None:
        """Let the member's open point cards show the new balance, inside the caller's transaction.

        They see it once the caller has committed, in whichever process they wait.
        """
        line = current_line
        cards.note_change(line.session, linking.member_key(line.session, member))

    def redeem_card_code(self, code: str) -> Any | None:
        """Take the one-time code of a point card, inside the caller's transaction.

        Book what is paid in the same transaction: if it is rolled back, the code is as before.

        :param code: as scanned or typed; anything else may be asked for, too.
        :return: the member who showed it; ``None`` for an unknown, used or expired code.
        :raises Refused: this address asked for too many codes that are none.
        """
        line = current_line
        account = cards.redeem(line.session, code, now=line.clock())
        if account is None:
            if has_request_context():
                line.rates.count("address", request.remote_addr or "")
            return None
        member = line.session.get(line.shop.model, account.member_id)
        return member if member is not None and line.shop.may_log_in(member) else None

    def _make_state(self, app: Flask, config: Config) -> LineState:
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
            shop=self.shop,
            db=self.db,
            rich_menu=self.rich_menu,
            hooks=HookTable(),
            api=LineApi(hosts, messaging_token, login_token, timeout),
            login=LineLogin(config, http),
            login_tokens=LoginTokenApi(config, login_token, http),
            rates=RateLimits(config),
            vault=vault,
            token_vault=TokenVault(vault, config.login_channel_id),
            liff_tokens=LiffTokens(config.login_channel_id, http),
            streams=Streams(config.card_streams),
            inbox=Inbox(self._engine_of(app)),
            json_environment=json_environment(app),
            engine=ThreadEngine() if config.engine == "thread" else NoEngine(),
        )

    def _engine_of(self, app: Flask) -> Engine:
        """Return the engine of the database in which the extension's tables are."""
        with app.app_context():
            return self.db.engine

    def _prepare_database(self, app: Flask) -> None:
        key_type = member_key_type(self.shop.model)
        with app.app_context():
            for engine in self.db.engines.values():
                bind_member_key(engine.dialect, key_type)
                prepare_sqlite(engine)


def _retired_keys(app: Flask) -> list[str]:
    """Return the keys that were SECRET_KEY before, which Flask knows too."""
    return list(app.config.get("SECRET_KEY_FALLBACKS") or ())


def _check_neighbours(app: Flask) -> None:
    if "sqlalchemy" not in app.extensions:
        raise UsageError("call db.init_app(app) before line.init_app(app)")
    if not hasattr(app, "login_manager"):
        raise UsageError(
            "call login_manager.init_app(app) of Flask-Login before line.init_app(app)"
        )


def _check_for_production(app: Flask, config: Config) -> None:
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


def _protect_session_cookie(app: Flask, config: Config) -> None:
    """Let the cookie that holds state and nonce come back from LINE, and go nowhere else."""
    if app.config["SESSION_COOKIE_SAMESITE"] is None:
        app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    if config.base_url.startswith("https://") and not (app.debug or app.testing):
        app.config["SESSION_COOKIE_SECURE"] = True


def _set_up_babel(app: Flask) -> None:
    if "babel" not in app.extensions:
        Babel(app, default_locale="ja", locale_selector=_preferred_language)
        return
    babel = app.extensions["babel"]
    shops_own = babel.locale_selector
    # Looked up at each request, and on our pages only: on its own the shop decides alone.
    babel.locale_selector = lambda: (
        (_is_our_page() and _chosen_language()) or (shops_own() if shops_own else None)
    )


def _preferred_language() -> str | None:
    """Return the language that was chosen, else one that the browser asks for."""
    if not request:
        return None
    return _chosen_language() or _asked_language()


def _chosen_language() -> str | None:
    chosen = session.get(LANGUAGE_KEY)
    return chosen if chosen in languages() else None


def _asked_language() -> str | None:
    """Choose by what the browser asks for, the most wanted first."""
    asked = [code.replace("-", "_") for code in request.accept_languages.values()]
    found: str | None = negotiate_locale(asked, languages(), aliases=_CHINESE)
    return found


def _is_our_page() -> bool:
    pages = current_app.blueprints.get(request.blueprint or "") if request else None
    return isinstance(pages, LiffBlueprint)


def _run_engine_with(app: Flask, state: LineState) -> None:
    engine = state.engine
    if isinstance(engine, ThreadEngine):
        app.before_request(lambda: engine.ensure_running(state))
