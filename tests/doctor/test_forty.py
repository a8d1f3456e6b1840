"""Forty faults of real shops, planted one by one: each is found, with the right mend."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask import abort
from flask import redirect
from flask import request
from sqlalchemy import event
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from flask_lineconnect import Emulator
from flask_lineconnect.doctor.examination import refused_to_start
from flask_lineconnect.doctor.findings import Finding
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import LivingProcess
from tests.conftest import MakeApp
from tests.people import add_member
from tests.small_shop import SmallShop
from tests.small_shop import User
from tests.small_shop import db

from .conftest import OpenShop
from .conftest import look
from .test_faults_at_line import _member_of_another_provider
from .test_faults_at_line import _member_without_linked_account

KEY = "3f1c9a27e5b84d60a1f2c3d4e5f60718293a4b5c6d7e8f90"
LOGIN_SECRET, MESSAGING_SECRET = (
    "0123456789abcdef0123456789abcdef",
    "fedcba9876543210fedcba9876543210",
)
APP = "1650000001-DemoCard"
Plant = Callable[[Flask, Emulator], object]


@dataclass(frozen=True)
class Fault:
    """One mistake, and what is said of it.

    :ivar check: that says it; ``start``: the app does not start.
    :ivar seen: of the text, with the name of the setting or the step.
    :ivar mend: of the text or the mend.
    :ivar settings: of the shop; ``None`` takes one away.
    :ivar joins: what is done to the app after LINE's extension joined it; ``before``: ahead of it.
    :ivar wrap: what stands before the running shop.
    :ivar setup: of the emulator.
    :ivar plant: what else is done, when the shop runs.
    :ivar environ: of the process.
    :ivar process: what another process has, in which the doctor looks, beside the running shop.
    """

    name: str
    check: str
    seen: str
    mend: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Callable[[Flask], object], ...] = ()
    joins: tuple[Callable[[Flask], object], ...] = ()
    wrap: Callable[[Any], Any] | None = None
    path: str = ""
    setup: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant = lambda _app, _emulator: None
    environ: Mapping[str, str] = field(default_factory=dict)
    process: Mapping[str, str] = field(default_factory=dict)


# What shops put before their pages.


def _login_wall(app: Flask) -> None:
    app.before_request(lambda: None if request.path == "/log-in" else redirect("/log-in"))


def _own_csrf(app: Flask) -> None:
    def check() -> None:
        if request.method == "POST" and "csrf_token" not in request.form:
            abort(400)

    app.before_request(check)


def _password(application: Any) -> Any:
    return Response("", 401, {"WWW-Authenticate": "Basic"})


def _policy(application: Any) -> Any:
    def serve(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            policy = ("Content-Security-Policy", "default-src 'self'")
            return start_response(status, [*headers, policy], *rest)

        return application(environ, start)

    return serve


def _below(root: str) -> Callable[[Any], Any]:
    return lambda application: (
        lambda environ, start: application({**environ, "SCRIPT_NAME": root}, start)
    )


def _proxies(*between: str, fixed: int | None) -> Callable[[Any], Any]:
    """Return what stands for proxies: they name the customer, and each but the last the one before.

    :param fixed: of how many ProxyFix is told; ``None``: there is none.
    """

    def wrap(application: Any) -> Any:
        inner = application if fixed is None else ProxyFix(application, x_for=fixed, x_proto=0)
        named = ", ".join(("203.0.113.7", *between))
        return lambda environ, start: inner({**environ, "HTTP_X_FORWARDED_FOR": named}, start)

    return wrap


# Mistakes in the shop's code.


class Misspelt(SmallShop):
    """A method that nobody asks."""

    def may_login(self, member: User) -> bool:
        """Nobody asks."""
        return False


class OtherArguments(SmallShop):
    """A method that can't be called as it will be."""

    def member_name(self) -> str:  # type: ignore[override]  # the mistake
        """Nobody can ask."""
        return ""


class LostPage(SmallShop):
    """Names a page that is not there."""

    set_password_endpoint = "auth.password"


def _shop(shop: SmallShop) -> Plant:
    def plant(app: Flask, _emulator: Emulator) -> None:
        app.extensions["lineconnect"].shop = shop

    return plant


def _loads(user_loader: Callable[[str], Any] | None) -> Plant:
    def plant(app: Flask, _emulator: Emulator) -> None:
        with app.app_context():
            add_member(app.extensions["lineconnect"])
            db.session.commit()
        app.login_manager._user_callback = user_loader  # type: ignore[attr-defined]  # Flask-Login

    return plant


def _view_in_the_way(app: Flask) -> None:
    app.add_url_rule("/line/webhook", "hook", lambda: "ours", methods=["POST"])


# Mistakes on the machine.


def _say(statement: str) -> Plant:
    def plant(app: Flask, _emulator: Emulator) -> None:
        with app.app_context():
            db.session.execute(text(statement))
            db.session.commit()

    return plant


def _read_only(app: Flask, _emulator: Emulator) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        event.listen(db.engine, "connect", lambda one, _: one.execute("PRAGMA query_only = ON"))


def _nobody_works(app: Flask, _emulator: Emulator) -> None:
    with app.app_context():
        at = app.extensions["lineconnect"].clock() - timedelta(minutes=7)
        when = {"occurred_at": at, "received_at": at, "next_attempt_at": at}
        db.session.add(InboxEvent(webhook_event_id="e1", payload="{}", **when))
        db.session.commit()


def _two_processes(app: Flask, _emulator: Emulator) -> None:
    with app.app_context():
        now = app.extensions["lineconnect"].clock()
        for pid in (1, 2):
            when = {"began_at": now, "seen_at": now}
            db.session.add(LivingProcess(id=str(pid), host="web", pid=pid, **when))
        db.session.commit()


def _clock(app: Flask, _emulator: Emulator) -> None:
    line = app.extensions["lineconnect"]
    clock = line.clock
    line.clock = lambda: clock() - timedelta(minutes=5)


def _eager(app: Flask, _emulator: Emulator) -> None:
    app.extensions["celery"].conf.task_always_eager = True


CELERY = {"LINECONNECT_ENGINE": "celery", "LINECONNECT_CELERY_BROKER": "memory://"}
FAULTS = [
    # Settings.
    Fault(
        "a setting's name is misspelt",
        "start",
        "LINECONNECT_LOGIN_CHANEL_SECRET is not a setting",
        "Did you mean LINECONNECT_LOGIN_CHANNEL_SECRET?",
        {"LINECONNECT_LOGIN_CHANEL_SECRET": LOGIN_SECRET, "LINECONNECT_LOGIN_CHANNEL_SECRET": None},
    ),
    Fault(
        "a setting's prefix is misspelt",
        "start",
        "LINECONNECT_LOGIN_CHANNEL_ID is missing",
        "Did you mean it by LINE_CONNECT_LOGIN_CHANNEL_ID?",
        {"LINE_CONNECT_LOGIN_CHANNEL_ID": "1650000001", "LINECONNECT_LOGIN_CHANNEL_ID": None},
    ),
    Fault(
        "a setting of the environment lacks FLASK_",
        "start",
        "LINECONNECT_MESSAGING_CHANNEL_ID is missing",
        "reads FLASK_LINECONNECT_MESSAGING_CHANNEL_ID: name it so",
        {"LINECONNECT_MESSAGING_CHANNEL_ID": None},
        environ={"LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002"},
    ),
    Fault(
        "nobody reads the environment",
        "start",
        "LINECONNECT_LOGIN_CHANNEL_SECRET is missing",
        "call app.config.from_prefixed_env() before line.init_app(app)",
        {"LINECONNECT_LOGIN_CHANNEL_SECRET": None},
        environ={"FLASK_LINECONNECT_LOGIN_CHANNEL_SECRET": LOGIN_SECRET},
    ),
    Fault(
        "an optional setting of the environment is misspelt",
        "setting-names",
        "is not read",
        "FLASK_LINECONNECT_BASIC_ID: name it so",
        settings={"LINECONNECT_BASIC_ID": None},
        environ={"FLASK_LINECONECT_BASIC_ID": "@demoshop"},
    ),
    Fault(
        "quotation marks stay around a secret",
        "start",
        "LINECONNECT_LOGIN_CHANNEL_SECRET has quotation marks around it",
        "leave them out",
        {"LINECONNECT_LOGIN_CHANNEL_SECRET": f"'{LOGIN_SECRET}'"},
    ),
    Fault(
        "a secret was copied with its line's end inside",
        "start",
        "LINECONNECT_MESSAGING_CHANNEL_SECRET has a blank or a line's end inside",
        "copy it anew",
        {"LINECONNECT_MESSAGING_CHANNEL_SECRET": "fedcba9876543210\nfedcba9876543210"},
    ),
    Fault(
        "a secret of digits was read as a number",
        "start",
        "LINECONNECT_LOGIN_CHANNEL_SECRET must be text",
        "needs quotes",
        {"LINECONNECT_LOGIN_CHANNEL_SECRET": 12345678901234567890123456789012},
    ),
    Fault(
        "the channels' IDs are swapped",
        "login-channel",
        "with the secret of the other channel",
        "swap LINECONNECT_LOGIN_CHANNEL_SECRET and LINECONNECT_MESSAGING_CHANNEL_SECRET",
        {
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000002",
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000001",
            "LINECONNECT_LIFF_ID": None,
        },
    ),
    Fault(
        "the channels are swapped altogether",
        "channel-kinds",
        "the two seem to be swapped",
        "swap the LINECONNECT_LOGIN_… and the LINECONNECT_MESSAGING_… settings",
        {
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000002",
            "LINECONNECT_LOGIN_CHANNEL_SECRET": MESSAGING_SECRET,
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000001",
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": LOGIN_SECRET,
        },
    ),
    Fault(
        "a secret was issued anew at LINE",
        "messaging-channel",
        "LINE refuses the ID 1650000002 with the secret",
        "copy LINECONNECT_MESSAGING_CHANNEL_ID and LINECONNECT_MESSAGING_CHANNEL_SECRET",
        setup={"messaging_channel": {"secret": "e" * 32}},
    ),
    Fault(
        "the LIFF app's address stands for its id",
        "start",
        "LINECONNECT_LIFF_ID must look like 1234567890-AbcdEfgh",
        "as LINE's console shows it",
        {"LINECONNECT_LIFF_ID": f"https://liff.line.me/{APP}"},
    ),
    Fault(
        "the LIFF app is of another channel",
        "liff-id",
        "LINECONNECT_LIFF_ID begins with 1650000009",
        "set the id of a LIFF app of the login channel",
        {"LINECONNECT_LIFF_ID": "1650000009-DemoCard"},
    ),
    Fault(
        "the address of the shop has the path of our pages",
        "base-url",
        "LINECONNECT_BASE_URL ends in /line",
        "let LINECONNECT_BASE_URL end where the shop's first page is",
        path="/line",
        wrap=_below("/line"),
    ),
    Fault(
        "the path below which the shop lies is missing",
        "path-prefix",
        "the app takes itself to be below /shop, and LINECONNECT_BASE_URL says /",
        "X-Forwarded-Prefix",
        wrap=_below("/shop"),
    ),
    Fault(
        "the shop's host is not trusted",
        "host-names",
        "TRUSTED_HOSTS leaves out 127.0.0.1",
        "add 127.0.0.1 to TRUSTED_HOSTS",
        {"TRUSTED_HOSTS": ["www.shop.example"]},
    ),
    Fault(
        "SERVER_NAME is another host",
        "host-names",
        "SERVER_NAME is shop.example and LINECONNECT_BASE_URL is at 127.0.0.1",
        "set both to the host that customers use",
        {"SERVER_NAME": "shop.example"},
        plant=lambda app, _emulator: setattr(app, "subdomain_matching", True),
    ),
    Fault(
        "the session does not come back from LINE",
        "start",
        "SESSION_COOKIE_SAMESITE is 'Strict'",
        'Set it to "Lax"',
        {"SESSION_COOKIE_SAMESITE": "Strict"},
    ),
    Fault(
        "the session is for another host",
        "start",
        "SESSION_COOKIE_DOMAIN is '.other.example'",
        "Leave SESSION_COOKIE_DOMAIN out",
        {"SESSION_COOKIE_DOMAIN": ".other.example"},
    ),
    Fault(
        "the session ends while its person is at LINE",
        "session-cookie",
        "PERMANENT_SESSION_LIFETIME is shorter",
        "make it longer",
        {"PERMANENT_SESSION_LIFETIME": timedelta(minutes=1)},
    ),
    Fault(
        "there is no secret key",
        "start",
        "SECRET_KEY is missing",
        "secrets.token_hex()",
        {"SECRET_KEY": None},
    ),
    Fault(
        "the secret key can be guessed",
        "secret-key",
        "SECRET_KEY is shorter than 16 characters",
        "secrets.token_hex()",
        {"SECRET_KEY": "dev"},
    ),
    Fault(
        "each process has a secret key of its own",
        "public-address",
        "another SECRET_KEY than this command",
        "set the same SECRET_KEY for all processes",
        process={"SECRET_KEY": secrets.token_hex()},
    ),
    Fault(
        "the running shop has the channel's earlier secret",
        "webhook-answer",
        "answered LINE's webhook with 400",
        "the signature does not match: copy LINECONNECT_MESSAGING_CHANNEL_SECRET",
        process={"LINECONNECT_MESSAGING_CHANNEL_SECRET": "e" * 32},
        setup={"messaging_channel": {"secret": "e" * 32}},
    ),
    Fault(
        "the zone of quiet hours is UTC",
        "time-zone",
        "LINECONNECT_TIMEZONE is UTC",
        "leave it out for Asia/Tokyo",
        {"LINECONNECT_TIMEZONE": "UTC"},
    ),
    # The shop's app, and what stands before it.
    Fault(
        "there is a proxy that the app does not know",
        "proxy",
        "takes a proxy's address for the customer's",
        "ProxyFix(app.wsgi_app, x_for=1",
        wrap=_proxies(fixed=None),
    ),
    Fault(
        "ProxyFix is told of fewer proxies than there are",
        "proxy",
        "ProxyFix counts another number of proxies than there are",
        "the number of your proxies",
        wrap=_proxies("198.51.100.1", fixed=1),
    ),
    Fault(
        "ProxyFix is told of more proxies than there are",
        "proxy",
        "ProxyFix counts another number of proxies than there are",
        "the number of your proxies",
        wrap=_proxies(fixed=2),
    ),
    Fault(
        "https is forced behind a proxy that the app does not know",
        "public-address",
        "leads to itself: behind the proxy the app takes https for http",
        "ProxyFix",
        wrap=lambda _application: (
            lambda environ, start: redirect(
                f"https://{environ['HTTP_HOST']}{environ['PATH_INFO']}"
            )(environ, start)
        ),
    ),
    Fault(
        "the whole site asks for a password",
        "public-address",
        "asks for a password or a login (status 401)",
        "past /line",
        wrap=_password,
    ),
    Fault(
        "a login is asked for before every page",
        "public-address",
        "leads everybody on to /log-in, LINE's webhooks too",
        "past the endpoints lineconnect.…",
        joins=(_login_wall,),
    ),
    Fault(
        "the shop's own CSRF protection lies over the webhook",
        "webhook-answer",
        "answered LINE's webhook with 400",
        "let the endpoint lineconnect.webhook past it",
        joins=(_own_csrf,),
    ),
    Fault(
        "the proxy adds a Content-Security-Policy",
        "page-policy",
        "a Content-Security-Policy that is not ours",
        "leave /line out",
        wrap=_policy,
    ),
    Fault(
        "a page of the shop lies where the webhook is",
        "routes",
        "/line/webhook leads to hook",
        "LINECONNECT_URL_PREFIX",
        before=(_view_in_the_way,),
    ),
    Fault(
        "a method of the adapter is misspelt",
        "adapter",
        "Misspelt.may_login is nothing that is asked for: may_log_in is meant",
        "give it the name",
        plant=_shop(Misspelt()),
    ),
    Fault(
        "a method of the adapter has other arguments",
        "adapter",
        "OtherArguments.member_name takes other arguments",
        "the arguments of the base class",
        plant=_shop(OtherArguments()),
    ),
    Fault(
        "the adapter names a page that is not there",
        "endpoints",
        "LostPage.set_password_endpoint is 'auth.password'",
        "name an endpoint that `flask routes` lists",
        plant=_shop(LostPage()),
    ),
    Fault(
        "the user_loader finds nobody",
        "load-user",
        "user_loader finds no member by get_id()",
        "login_manager.user_loader",
        plant=_loads(lambda key: {1: "Hanako"}.get(key)),  # type: ignore[call-overload]  # the mistake
    ),
    Fault(
        "the user_loader fails",
        "load-user",
        "a member can't be loaded for a session (ValueError)",
        "whose get_id() it is given",
        plant=_loads(lambda key: db.session.get(User, int(f"U{key}"))),
    ),
    Fault(
        "there is no user_loader",
        "load-user",
        "Flask-Login has no user_loader",
        "give a function to login_manager.user_loader",
        plant=_loads(None),
    ),
    Fault(
        "the login page is no endpoint",
        "login-page",
        "Flask-Login leads to 'auth.signin'",
        "set login_manager.login_view to an endpoint",
        plant=lambda app, _emulator: setattr(
            app.login_manager,  # type: ignore[attr-defined]  # set by Flask-Login
            "login_view",
            "auth.signin",
        ),
    ),
    Fault(
        "the page after a login is not there",
        "pages",
        "LINECONNECT_DEFAULT_PAGE is /mypage",
        "set it to a page of the shop",
        {"LINECONNECT_DEFAULT_PAGE": "/mypage"},
    ),
    # The database, the engines, Redis.
    Fault(
        "the database is in memory",
        "database",
        "the database is in memory",
        "let SQLALCHEMY_DATABASE_URI name a file, or PostgreSQL",
        {"SQLALCHEMY_DATABASE_URI": "sqlite://"},
    ),
    Fault(
        "the database takes no changes",
        "database",
        "the database takes no changes: PRAGMA query_only",
        "leave it out",
        plant=_read_only,
    ),
    Fault(
        "migrations were not run",
        "tables",
        "the column lineconnect_account.card_version",
        "flask db upgrade",
        plant=_say("ALTER TABLE lineconnect_account DROP COLUMN card_version"),
    ),
    Fault(
        "nobody runs the worker",
        "workers",
        "something is due for 7 minutes and nobody works on it (LINECONNECT_ENGINE=worker)",
        "run `flask line worker`",
        plant=_nobody_works,
    ),
    Fault(
        "two processes work on one SQLite file",
        "two-engines",
        "2 processes work on one SQLite file",
        "use PostgreSQL",
        plant=_two_processes,
    ),
    Fault(
        "Celery runs hooks inside of the webhook",
        "two-engines",
        "task_always_eager",
        "leave task_always_eager out",
        CELERY,
        plant=_eager,
    ),
    Fault(
        "Redis is away",
        "shared-counters",
        "what LINECONNECT_RATE_LIMIT_STORAGE names does not answer",
        "host, port and password",
        {"LINECONNECT_RATE_LIMIT_STORAGE": "redis://127.0.0.1:9/0"},
    ),
    Fault(
        "this machine's clock is off",
        "clock",
        "behind LINE's",
        "let the clock be set by NTP",
        plant=_clock,
    ),
    # LINE's consoles.
    Fault(
        "the callback is not registered",
        "callback",
        "LINE does not lead back to http://127.0.0.1",
        "LINE Login, Callback URL",
        setup={"login_channel": {"callback_urls": []}},
    ),
    Fault(
        "webhooks are off",
        "webhook-switch",
        "Use webhook is off",
        "switch Use webhook on",
        setup={"messaging_channel": {"use_webhook": False}},
    ),
    Fault(
        "webhooks go to another tool",
        "webhook-address",
        "LINE sends webhooks to https://tool.example/hook",
        "run `flask line setup`",
        setup={"messaging_channel": {"webhook_url": "https://tool.example/hook"}},
    ),
    Fault(
        "the channels are of two providers",
        "provider",
        "the channels are of two providers",
        "of one provider",
        plant=_member_of_another_provider,
    ),
    Fault(
        "no account is linked to the login channel",
        "linked-account",
        "no official account is linked",
        "Linked LINE Official Account",
        plant=_member_without_linked_account,
    ),
    Fault(
        "the LIFF app may not say who somebody is",
        "liff-scope",
        "lacks the scope openid",
        "tick openid and profile",
        setup={"liff_apps": [{"liff_id": APP, "scope": ["profile"]}]},
    ),
    Fault(
        "the long-lived token was revoked",
        "access-token",
        "LINE refuses LINECONNECT_CHANNEL_ACCESS_TOKEN",
        "unset LINECONNECT_CHANNEL_ACCESS_TOKEN",
        {"LINECONNECT_CHANNEL_ACCESS_TOKEN": "revoked"},
    ),
    Fault(
        "the month's messages are used up",
        "quota",
        "so LINE refuses every push",
        "buy a larger plan",
        setup={"messaging_channel": {"quota": 0}},
    ),
    Fault(
        "LINE's own auto-reply is on",
        "auto-reply",
        "the auto-reply of the official account is on",
        "switch it off in LINE Official Account Manager",
        setup={"messaging_channel": {"sent_by_tools": {"autoResponse": 12}}},
    ),
]
#: Beside which a shop counts as healthy.
ALWAYS = {"untold", "fine"}


def _findings(
    open_shop: OpenShop, make_app: MakeApp, emulator: Emulator, fault: Fault
) -> dict[str, Finding]:
    settings = {"SECRET_KEY": KEY, "LINECONNECT_BASIC_ID": "@demoshop", **fault.settings}
    given = {name: value for name, value in settings.items() if value is not None}
    absent = [name for name, value in settings.items() if value is None]

    def leave_out(app: Flask) -> None:
        for name in absent:
            app.config.pop(name, None)

    try:
        app = open_shop(
            wrap=fault.wrap,
            path=fault.path,
            before=(leave_out, *fault.before),
            after=fault.joins,
            **given,
        )
    except Exception as error:  # as the command takes it
        finding = refused_to_start(error)
        return {finding.check: finding}
    emulator.set_up(**fault.setup)
    fault.plant(app, emulator)
    if fault.process:
        base_url = app.extensions["lineconnect"].config.base_url
        app = make_app(**{**emulator.settings(base_url), **given, **fault.process})
    return look(app, *filter(None, [fault.check]))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_it_is_found(
    open_shop: OpenShop,
    make_app: MakeApp,
    line_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
) -> None:
    for name, value in fault.environ.items():
        monkeypatch.setenv(name, value)
    found = _findings(open_shop, make_app, line_emulator, fault)
    assert fault.check in found, found
    finding = found[fault.check]
    assert finding.state in {"wrong", "doubtful"}, found
    assert fault.seen in finding.text
    assert fault.mend in f"{finding.text} {finding.mend}"


def test_nothing_is_found_where_nothing_is_planted(
    open_shop: OpenShop, make_app: MakeApp, line_emulator: Emulator
) -> None:
    fault = Fault("none", "", "", "", plant=_loads(lambda key: db.session.get(User, int(key))))
    found = _findings(open_shop, make_app, line_emulator, fault)
    assert {one.check for one in found.values() if one.state not in ALWAYS} == set()


def test_there_are_forty() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
