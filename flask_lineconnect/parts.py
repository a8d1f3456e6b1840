"""What features keep for one app, each made when it is first asked for: ``line.part(LineApi)``.

Here, and where a view or a rule asks for a part, modules are imported inside of functions. What
talks to LINE, counts logins or reads events loads libraries that take longer than all of Flask;
most commands of a shop, and most of its requests, need none of them.
``tests/test_start.py`` lists what a start must not load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar
from typing import cast

from flask import Flask
from sqlalchemy.orm import Session

from .after_commit import after_commit
from .config.settings import Config
from .shop.adapter import ShopAdapter
from .shop.categories import ACCOUNT
from .state import EXTENSION_KEY
from .vault import Vault

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

    from .engines.presence import Presence
    from .hooks.menus import DeclaredMenus
    from .hooks.table import HookTable
    from .liff.id_token import LiffTokens
    from .liff.live import Streams
    from .line_api.client import ChannelToken
    from .line_api.client import LineApi
    from .line_api.http import LineHttp
    from .linking.marks import MemberMarks
    from .linking.telling import Telling
    from .login.basis import Lookup
    from .login.oidc import LineLogin
    from .login.pressed import PressedLogins
    from .login.quiet import QuietLogins
    from .login.tokens import LoginTokenApi
    from .login.tokens import TokenVault
    from .marketing.campaigns.declared import Campaigns
    from .marketing.event_kinds import EventKinds
    from .marketing.handling import Consequences
    from .marketing.links.addresses import LinkAddresses
    from .marketing.links.stored import KnownLinks
    from .marketing.links.writer import ClickWriter
    from .marketing.member_zones import MemberZones
    from .marketing.scenarios.declared import Scenarios
    from .marketing.scenarios.published import Definitions
    from .marketing.segments.attributes import Attributes
    from .marketing.segments.declared import DeclaredSegments
    from .models import Account
    from .outbox.pacing import SharedPace
    from .outbox.rules import Rules
    from .state import LineState
    from .web.rate_limits import RateLimits
    from .webhooks.dispatch import Answering
    from .webhooks.forwarding import Forwarding
    from .webhooks.inbox import Inbox

Part = TypeVar("Part")


class Parts:
    """Makes the parts of one app."""

    def __init__(
        self,
        app: Flask,
        config: Config,
        *,
        db: SQLAlchemy,
        shop: ShopAdapter[Any],
        vault: Vault,
    ):
        self._app = app
        self._config = config
        self._db = db
        self._shop = shop
        self._vault = vault
        self._made: dict[type[Any], Any] = {}
        # A part may ask for another one.
        self._making = threading.RLock()

    def get(self, kind: type[Part]) -> Part:
        """Return the part of a class; made once, whatever threads ask at once."""
        try:
            return cast(Part, self._made[kind])
        except KeyError:
            pass
        with self._making:
            if kind not in self._made:
                self._made[kind] = _MAKERS[kind.__name__](self)
            return cast(Part, self._made[kind])

    def hook_table(self) -> HookTable:
        """Make the table of the shop's message hooks."""
        from .hooks.table import HookTable

        return HookTable()

    def declared_menus(self) -> DeclaredMenus:
        """Make the list of the rich menus that the shop declares in code."""
        from .hooks.menus import DeclaredMenus

        return DeclaredMenus()

    def event_kinds(self) -> EventKinds:
        """Make the list of what can be told of members."""
        from .marketing.event_kinds import EventKinds

        return EventKinds()

    def attributes(self) -> Attributes:
        """Make the list of what is known of each member."""
        from .marketing.segments.attributes import Attributes

        return Attributes()

    def declared_segments(self) -> DeclaredSegments:
        """Make the list of the segments that the shop declares."""
        from .marketing.segments.declared import DeclaredSegments

        return DeclaredSegments()

    def consequences(self) -> Consequences:
        """Make the list of what follows from member events."""
        from .marketing.handling import Consequences
        from .marketing.results import following as results
        from .marketing.scenarios.following import follow

        return Consequences(together=[follow, results.follow])

    def campaigns(self) -> Campaigns:
        """Make the list of the shop's campaigns."""
        from .marketing.campaigns.declared import Campaigns

        return Campaigns()

    def definitions(self) -> Definitions:
        """Make room for what is read of published scenarios."""
        from .marketing.scenarios.published import Definitions

        return Definitions()

    def scenarios(self) -> Scenarios:
        """Make the list of the shop's scenarios."""
        from .marketing.scenarios.declared import Scenarios

        return Scenarios()

    def link_addresses(self) -> LinkAddresses:
        """Make what signs and reads the short addresses of tracked links."""
        from .marketing.links.addresses import LinkAddresses

        config, retired = self._config, self._app.config.get("SECRET_KEY_FALLBACKS") or ()
        base = f"{config.base_url.rstrip('/')}{config.url_prefix}{LinkAddresses.PATH}"
        return LinkAddresses(base, [self._app.config["SECRET_KEY"], *retired])

    def known_links(self) -> KnownLinks:
        """Make room for the tracked links that this process has read."""
        from .marketing.links.stored import KnownLinks

        return KnownLinks()

    def click_writer(self) -> ClickWriter:
        """Make what stores clicks, in the database of the extension's tables."""
        from .marketing.links.stored import KnownLinks
        from .marketing.links.writer import ClickWriter

        with self._app.app_context():
            return ClickWriter(self._db.engine, self.get(KnownLinks))

    def inbox(self) -> Inbox:
        """Make what stores webhook events, in the database of the extension's tables."""
        from .webhooks.inbox import Inbox

        with self._app.app_context():
            return Inbox(self._db.engine)

    def forwarding(self) -> Forwarding:
        """Make what passes webhooks on: a thread for each further address."""
        from .webhooks.forwarding import Forwarding

        return Forwarding(self._config.forward_webhooks)

    def answering(self) -> Answering:
        """Make what answers webhook events: threads for hooks, connections for replies."""
        from .line_api.client import LineApi
        from .webhooks.dispatch import Answering
        from .webhooks.hook_threads import HookThreads
        from .webhooks.replier import Replier

        api = self.get(LineApi)
        replier = Replier(api.hosts.api, api.messaging_token, api.timeout_seconds)
        with self._app.app_context():
            engine = self._db.engine
        return Answering(engine, HookThreads(self._config.hook_threads), replier)

    def presence(self) -> Presence:
        """Make what this process writes of itself."""
        from .engines.presence import Presence

        return Presence()

    def line_http(self) -> LineHttp:
        """Make the connections to LINE's API host."""
        from .line_api.http import LineHttp

        return LineHttp(self._config.hosts.api, self._config.timeout_seconds)

    def line_api(self) -> LineApi:
        """Make the client of the Messaging API."""
        from .line_api.client import LineApi
        from .line_api.tokens import FixedToken

        config = self._config
        token: ChannelToken = (
            FixedToken(config.channel_access_token)
            if config.channel_access_token
            else self._stateless(config.messaging_channel_id, config.messaging_channel_secret)
        )
        login_token = self._stateless(config.login_channel_id, config.login_channel_secret)
        return LineApi(config.hosts, token, login_token, config.timeout_seconds)

    def line_login(self) -> LineLogin:
        """Make the client of LINE Login."""
        from .line_api.http import LineHttp
        from .login.oidc import LineLogin

        return LineLogin(self._config, self.get(LineHttp), self._seconds)

    def pressed_logins(self) -> PressedLogins:
        """Make what bounds logins that wait for a slow LINE."""
        from .login.pressed import PressedLogins

        return PressedLogins()

    def quiet_logins(self) -> QuietLogins:
        """Make what bounds logins that nobody pressed for."""
        from .login.quiet import QuietLogins

        return QuietLogins(self._config, self._seconds)

    def login_token_api(self) -> LoginTokenApi:
        """Make the client for members' login tokens."""
        from .line_api.client import LineApi
        from .line_api.http import LineHttp
        from .login.tokens import LoginTokenApi

        login_token = self.get(LineApi).login_token
        return LoginTokenApi(self._config, login_token, self.get(LineHttp))

    def lookup(self) -> Lookup:
        """Make what reads on what sessions rest that LINE gave."""
        from .login.basis import Lookup

        return Lookup(self._shop.model)

    def member_marks(self) -> MemberMarks:
        """Make what tells a member from the next one with the same key."""
        from .linking.marks import MemberMarks

        return MemberMarks(self._shop)

    def member_zones(self) -> MemberZones:
        """Make what knows in which zone each member lives."""
        from .marketing.member_zones import MemberZones

        return MemberZones(self._shop, self._config.zone)

    def telling(self) -> Telling:
        """Make how people hear of their links on LINE."""
        from .linking.telling import Telling

        return Telling(_post)

    def token_vault(self) -> TokenVault:
        """Make what encrypts members' login tokens."""
        from .login.tokens import TokenVault

        return TokenVault(self._vault, self._config.login_channel_id)

    def liff_tokens(self) -> LiffTokens:
        """Make what checks ID tokens of LIFF pages."""
        from .liff.id_token import LiffTokens
        from .line_api.http import LineHttp

        return LiffTokens(self._config.login_channel_id, self.get(LineHttp), self._seconds)

    def rate_limits(self) -> RateLimits:
        """Make the counters of logins."""
        from .web.rate_limits import RateLimits

        return RateLimits(self._config)

    def rules(self) -> Rules:
        """Make the rules of sending and spending."""
        from .outbox.rules import Rules

        return Rules.of(self._config, self._shop.categories)

    def shared_pace(self) -> SharedPace:
        """Make what keeps LINE's request rates: in Redis, if logins are counted there."""
        from .outbox.pacing import DatabasePace
        from .outbox.pacing import RedisPace

        config = self._config
        if config.rate_limit_storage.startswith("redis"):
            return RedisPace(config.rate_limit_storage, config.messaging_channel_id)
        return DatabasePace(self._commit)

    def streams(self) -> Streams:
        """Make the count of open point cards."""
        from .liff.live import Streams

        return Streams(self._config.card_streams)

    def _stateless(self, channel_id: str, channel_secret: str) -> ChannelToken:
        from .line_api.http import LineHttp
        from .line_api.tokens import StatelessToken

        token_url = f"{self._config.hosts.api}/oauth2/v3/token"
        return StatelessToken(token_url, channel_id, channel_secret, self.get(LineHttp))

    def _seconds(self) -> float:
        """Return the time now by the app's clock, in seconds since 1970."""
        state: LineState = self._app.extensions[EXTENSION_KEY]
        return state.clock().timestamp()

    def _commit(self, step: Callable[[Session], float]) -> float:
        with self._app.app_context():
            result = step(cast(Session, self._db.session))
            self._db.session.commit()
            return result


def _post(line: LineState, account: Account, text: str, key: str) -> None:
    """Put a text that concerns the membership into the outbox."""
    from .messages.objects import to_payloads
    from .outbox import queue

    after_commit(line.session, partial(line.engine.wake, "delivery"))
    wish, now = queue.Wish(ACCOUNT), line.clock()
    queue.enqueue(line.session, account, to_payloads(text), wish, key=key, now=now)


#: By the name of the class: the class itself is not imported before it is asked for.
_MAKERS: Mapping[str, Callable[[Parts], object]] = {
    "Answering": Parts.answering,
    "Attributes": Parts.attributes,
    "Campaigns": Parts.campaigns,
    "ClickWriter": Parts.click_writer,
    "Consequences": Parts.consequences,
    "DeclaredMenus": Parts.declared_menus,
    "DeclaredSegments": Parts.declared_segments,
    "Definitions": Parts.definitions,
    "EventKinds": Parts.event_kinds,
    "Forwarding": Parts.forwarding,
    "HookTable": Parts.hook_table,
    "Inbox": Parts.inbox,
    "KnownLinks": Parts.known_links,
    "LiffTokens": Parts.liff_tokens,
    "LineApi": Parts.line_api,
    "LineHttp": Parts.line_http,
    "LineLogin": Parts.line_login,
    "LinkAddresses": Parts.link_addresses,
    "LoginTokenApi": Parts.login_token_api,
    "Lookup": Parts.lookup,
    "MemberMarks": Parts.member_marks,
    "MemberZones": Parts.member_zones,
    "Presence": Parts.presence,
    "PressedLogins": Parts.pressed_logins,
    "QuietLogins": Parts.quiet_logins,
    "RateLimits": Parts.rate_limits,
    "Rules": Parts.rules,
    "Scenarios": Parts.scenarios,
    "SharedPace": Parts.shared_pace,
    "Streams": Parts.streams,
    "Telling": Parts.telling,
    "TokenVault": Parts.token_vault,
}
