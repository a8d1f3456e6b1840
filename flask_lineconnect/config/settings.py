"""Every ``LINECONNECT_`` setting: typed, documented, checked and read once.

:class:`Config` is the one table; ``reference.py`` prints ``docs/settings.md`` from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import ConfigError
from . import fitting as fit
from . import misspelt
from . import values as read
from .hosts import LineHosts
from .plans import Plan
from .plans import read_plans

PREFIX = "LINECONNECT_"
#: Requests are counted in each process.
IN_MEMORY = "memory://"
#: Settings that may be paths of the shop, below the path of its own address if that has one.
_PATHS = ("default_page", "terms_url", "privacy_url")


def _setting(
    parse: Callable[[object], Any],
    doc: str,
    *,
    default: Any = dataclasses.MISSING,
    secret: bool = False,
) -> Any:
    metadata = {"parse": parse, "doc": doc}
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The extension's settings for one app; field ``x`` is read from ``LINECONNECT_X``."""

    base_url: str = _setting(
        read.origin,
        "The shop's own public address, with the path below which the shop lies if there is one. "
        "Callback, webhook, message links and QR codes are built from it, never from a request.",
    )
    login_channel_id: str = _setting(read.channel_id, "Channel ID of the LINE Login channel.")
    login_channel_secret: str = _setting(
        read.secret, "Channel secret of the LINE Login channel.", secret=True
    )
    messaging_channel_id: str = _setting(
        read.channel_id,
        "Channel ID of the Messaging API channel. It must be under the same provider as the "
        "LINE Login channel, or no member can be sent a message.",
    )
    messaging_channel_secret: str = _setting(
        read.secret, "Channel secret of the Messaging API channel.", secret=True
    )
    messaging_channel_secret_fallbacks: tuple[str, ...] = _setting(
        read.secrets,
        "Earlier channel secrets of the Messaging API channel, with which webhooks may still be "
        "signed while a new one is being introduced.",
        default=(),
        secret=True,
    )
    forward_webhooks: tuple[str, ...] = _setting(
        read.further_addresses,
        "Further addresses, `https://` all of them, to which LINE's webhooks go on as they came, "
        "with LINE's own signature: for a second tool, as LINE knows one address of a channel. "
        "What an address does not take is tried again for six hours; LINE is answered before.",
        default=(),
        secret=True,
    )
    bot_user_id: str | None = _setting(
        read.user_id,
        "The official account's own user ID, as LINE's console shows it. With it, webhook events "
        "for another official account are left out.",
        default=None,
    )
    basic_id: str | None = _setting(
        read.basic_id,
        "The official account's basic or premium ID with its `@`. With it, pages have a button "
        "that opens the chat.",
        default=None,
    )
    channel_access_token: str | None = _setting(
        read.secret,
        "A long-lived channel access token of the Messaging API channel. Without it, short tokens "
        "are fetched with the channel's ID and secret.",
        default=None,
        secret=True,
    )
    liff_id: str | None = _setting(
        read.liff_id,
        "ID of the LIFF app that shows the point card. Without it: no LIFF.",
        default=None,
    )
    liff_sdk_url: str | None = _setting(
        read.text,
        "Another address of LINE's LIFF SDK, for example a pinned version. LINE's own by default.",
        default=None,
    )
    quick_fill: bool = _setting(
        read.switch,
        "The LIFF app is a verified MINI App with Quick-fill: inside LINE, the registration form "
        "offers to fill itself with LINE's common profile.",
        default=False,
    )
    emulator_url: str | None = _setting(
        read.origin,
        "Address of the LINE emulator, which then stands for all hosts of LINE's. Unset means the "
        "real LINE. Refused outside debug mode.",
        default=None,
    )
    url_prefix: str = _setting(read.path, "Where the extension's own pages live.", default="/line")
    console_path: str = _setting(
        read.path,
        "Where the console for the shop's staff lives, if `ShopAdapter.staff_role` says who may "
        "enter.",
        default="/line-admin",
    )
    login_scope: str = _setting(
        read.scope,
        "What to ask of LINE at login. `email` needs LINE's permission for the channel.",
        default="openid profile",
    )
    bot_prompt: str = _setting(
        read.one_of("aggressive", "normal"),
        "How the consent screen offers to add the official account as a friend: `aggressive` shows "
        "a page of its own, `normal` a switch.",
        default="aggressive",
    )
    late_answers_per_day: int = _setting(
        read.count,
        "How many answers a day one person may be pushed, at the cost of quota, when LINE's free "
        "reply token is used or too old: after linking, or after a stop of the shop. 0: none.",
        default=0,
    )
    chat_linking: str = _setting(
        read.one_of("login", "account-link"),
        "How a person who writes without being linked is invited: `login`, by LINE Login; "
        "`account-link`, by the shop's own login and LINE's account link, for shops that start "
        "from friends.",
        default="login",
    )
    auto_login_blueprints: tuple[str, ...] = _setting(
        read.names,
        "Blueprints whose pages log a linked member in by themselves in LINE's in-app browser, "
        "also where no login is needed. Pages that need a login do so anyway.",
        default=(),
    )
    keep_session_keys: tuple[str, ...] = _setting(
        read.names,
        "Keys of the session that outlive login and logout; all others are cleared.",
        default=("cart",),
    )
    default_page: str = _setting(
        read.path, "Where a login without a page to return to ends.", default="/"
    )
    remember: bool = _setting(
        read.switch,
        "Let a login with LINE outlive the browser's closing, for `PERMANENT_SESSION_LIFETIME`. It "
        "still ends with the link.",
        default=False,
    )
    recent_login_seconds: float = _setting(
        read.seconds,
        "How long after a login a member may link and unlink without logging in again, in seconds.",
        default=43_200.0,
    )
    ask_for_friendship: bool = _setting(
        read.switch,
        "Ask whoever is no friend of the official account after a login, once, to become one.",
        default=True,
    )
    sign_up_fields: tuple[str, ...] = _setting(
        read.sign_up_fields,
        "What the registration form asks, for shops without a form of their own; a star marks what "
        "must be filled in. Possible are: " + ", ".join(read.SIGN_UP_FIELDS) + ".",
        default=("display_name*", "email"),
    )
    terms_url: str | None = _setting(
        read.text,
        "Address or path of the terms of use, which the registration form then asks to accept.",
        default=None,
    )
    privacy_url: str | None = _setting(
        read.text,
        "Address or path of the privacy policy, which the registration form then links to.",
        default=None,
    )
    rate_limit: str = _setting(
        read.rate,
        "How often one address may begin, finish or exchange logins. Many phones share an address "
        "of their carrier. Behind a proxy the shop needs Werkzeug's `ProxyFix`, or all customers "
        "count as one.",
        default="300/minute",
    )
    rate_limit_storage: str = _setting(
        read.text,
        "Where such requests are counted: `memory://`, in each process, or an address that the "
        "package `limits` knows, such as `redis://localhost:6379/1`, for all of them.",
        default=IN_MEMORY,
    )
    plan: str | None = _setting(
        read.text,
        "The official account's plan at LINE, for estimates and the budget: `communication`, "
        "`light`, `standard`, or a name of `LINECONNECT_PLANS`.",
        default=None,
    )
    plans: Mapping[str, Plan] | None = _setting(
        read_plans,
        'Plans and prices that differ from LINE\'s Japanese ones of 2026, by name: `{"standard": '
        '{"fee": 15000, "free": 30000, "tiers": [[50000, 3.0], [null, 2.8]]}}`: monthly fee in '
        "yen, messages that it covers, and the yen of each extra message, up to so many of them.",
        default=None,
    )
    monthly_budget_yen: int | None = _setting(
        read.count,
        "The most that a month's messages may cost beyond the plan's fee, in yen without tax. "
        "Nothing is sent beyond it. Needs `LINECONNECT_PLAN`. Without it LINE's own limit rules.",
        default=None,
    )
    quota_reserve: int = _setting(
        read.count,
        "Messages of each month that advertising leaves to orders, points and the like.",
        default=0,
    )
    quota_alerts: tuple[float, ...] = _setting(
        read.shares,
        "Shares of the month's messages at which the owner is told (`ShopAdapter.tell_owner`).",
        default=(0.8, 1.0),
    )
    quiet_hours: tuple[time, time] | None = _setting(
        read.hours,
        "When no advertising is sent, in the shop's zone, for example `21:00-08:00`; it waits for "
        "the end. What customers wait for is sent at any time.",
        default=None,
    )
    marketing_cap: int = _setting(
        read.count,
        "How many advertisements one person is sent in `LINECONNECT_MARKETING_CAP_DAYS`; what is "
        "more is left out. 0: any number.",
        default=0,
    )
    marketing_cap_days: int = _setting(
        read.count, "The days of which `LINECONNECT_MARKETING_CAP` speaks.", default=7
    )
    hold_out_percent: int = _setting(
        read.hold_out,
        "How many of a hundred members get no advertising, others in each quarter, so that it "
        "shows what advertising brings: 1 to 10, or 0 for nobody.",
        default=0,
    )
    four_eyes_above: int | None = _setting(
        read.count,
        "Campaigns to more people than this need two of the staff in the console: one asks, an "
        "owner who is somebody else lets it go. Without it one owner is enough.",
        default=None,
    )
    member_event_days: int = _setting(
        read.positive,
        "For how many days member events are kept, which `line.emit` tells; conditions look back "
        "no further.",
        default=400,
    )
    click_days: int = _setting(
        read.positive,
        "For how many days it is kept who opened a link of a message; the counts stay.",
        default=180,
    )
    direct_order_hours: int = _setting(
        read.positive,
        "For how many hours after a tap on one of its links a message gets a member's order.",
        default=120,
    )
    indirect_order_hours: int = _setting(
        read.positive,
        "For how many hours after LINE accepted it a message gets an order without a tap.",
        default=24,
    )
    line_insight: bool = _setting(
        read.switch,
        "Let LINE count who saw and tapped the messages of each campaign and each scenario's step, "
        "and fetch its figures once a day. LINE says nothing of fewer than 20 people.",
        default=False,
    )
    worthwhile_buyers: int = _setting(
        read.positive,
        "The smallest effect of a message that is worth seeing: so many more buyers among 1,000 "
        "people. A comparison with people held out says that it can't tell yet, as long as such a "
        "difference may still be hidden in it.",
        default=5,
    )
    engine: str = _setting(
        read.one_of("thread", "worker", "celery"),
        "Where hooks run and messages are sent: `thread`, in the web process; `worker`, only in "
        "`flask line worker`; `celery`, in Celery's workers, with "
        "`pip install flask-lineconnect[celery]`.",
        default="thread",
    )
    hook_threads: int = _setting(
        read.positive,
        "How many hooks may run at once in one process. Each may hold a connection of the shop's "
        "database, so keep its pool as large as these threads and those of the server together "
        "(`SQLALCHEMY_ENGINE_OPTIONS`).",
        default=8,
    )
    rich_menus: str = _setting(
        read.text,
        "The folder of rich menus that are data, relative to the app's own: its `*.toml` files are "
        "published by `flask line richmenu sync`.",
        default="line_menus",
    )
    celery_broker: str | None = _setting(
        read.text,
        "Celery's broker, for example `redis://localhost:6379/0` or `amqp://localhost`, where the "
        "shop has no Celery of its own. Celery's other settings come from Flask's `CELERY`.",
        default=None,
        secret=True,
    )
    card_streams: int = _setting(
        read.count,
        "How many open point cards of one process hear of new points at once, over a connection "
        "that holds a thread of the server; keep it below half of its threads. Further cards, and "
        "all cards of a server without threads, ask every few seconds instead.",
        default=2,
    )
    timezone: str = _setting(read.zone, "The shop's time zone.", default="Asia/Tokyo")
    timeout_seconds: float = _setting(
        read.seconds, "How long to wait for an answer of LINE's, in seconds.", default=10.0
    )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Config:
        """Read the ``LINECONNECT_`` keys of a Flask configuration; other keys are not looked at.

        :raises ConfigError: a key is unknown, missing or wrong; names all of them at once.
        """
        fields = {PREFIX + field.name.upper(): field for field in dataclasses.fields(cls)}
        given = {k: v for k, v in values.items() if k.startswith(PREFIX) and v is not None}
        problems = [misspelt.unknown(key, fields) for key in given if key not in fields]
        parsed = {}
        for key, field in fields.items():
            if key in given:
                try:
                    parsed[field.name] = field.metadata["parse"](given[key])
                except ValueError as error:
                    problems.append(f"{key} {error}.")
            elif field.default is dataclasses.MISSING:
                hint = misspelt.meant(key, values, prefix=PREFIX)
                problems.append(f"{key} is missing.{hint} {field.metadata['doc']}")
        if problems:
            raise ConfigError(" ".join(problems))
        config = cls(**parsed)
        fit.check_plan(config.plan, config.plans, config.monthly_budget_yen)
        fit.check_forwards(config.forward_webhooks, config.base_url, config.url_prefix)
        paths = {name: path for name in _PATHS if (path := getattr(config, name))}
        own: dict[str, Any] = {n: read.below(config.base_url, path) for n, path in paths.items()}
        return dataclasses.replace(config, **own)

    def check_for_production(self) -> None:
        """Refuse what is fit for development only.

        :raises ConfigError: an emulator is set, or the base URL is not https.
        """
        if self.emulator_url:
            raise ConfigError(
                "LINECONNECT_EMULATOR_URL is set, but the app is not in debug mode. Unset it to "
                "talk to LINE, or start with `flask --debug`."
            )
        if not self.base_url.startswith("https://"):
            raise ConfigError(
                "LINECONNECT_BASE_URL must start with https:// outside debug mode: LINE accepts "
                "no other address, and the login cookies need it."
            )

    @cached_property
    def home(self) -> str:
        """The path of the shop's first page."""
        return read.below(self.base_url, "/")

    @cached_property
    def hosts(self) -> LineHosts:
        """The addresses of LINE, or of what stands for it."""
        hosts = LineHosts.at(self.emulator_url) if self.emulator_url else LineHosts()
        if self.liff_sdk_url:
            hosts = dataclasses.replace(hosts, liff_sdk=self.liff_sdk_url)
        return hosts

    @cached_property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)
