"""What the shop hands over: its adapter, its secret, its pages, its zone. LINE is not asked."""

from __future__ import annotations

import difflib
import inspect
import ipaddress
import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from ..setting_up.app_checks import MIN_SECRET_KEY
from ..shop.adapter import ShopAdapter
from ..shop.member_desk import MemberDesk
from ..shop.order_desk import OrderDesk
from ..shop.product_desk import ProductDesk
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import wrong
from .visit import Visit

#: How alike two names are, from 0 to 1, of which one is taken for the other misspelt.
ALIKE = 0.8
_EXAMPLE = re.compile(
    r"change|replace|your|example|secret.?key|password|^dev|^test|^(.)\1+$", re.IGNORECASE
)
_NEW_KEY = "`python -c 'import secrets; print(secrets.token_hex())'`"


def _adapter(visit: Visit) -> Said:
    shop = visit.line.shop
    places: tuple[tuple[object, type[Any]], ...] = (
        (shop, ShopAdapter),
        (shop.orders, OrderDesk),
        (shop.membership, MemberDesk),
        (shop.products, ProductDesk),
    )
    strange = [
        f"{type(shop).__name__} has {base.__name__} as "
        f"{'a class' if isinstance(place, type) else type(place).__name__}, not as an object of it"
        for place, base in places
        if place is not None and not isinstance(place, base)
    ]
    found = strange or [
        one for place, base in places if place is not None for one in _odd(place, base)
    ]
    if found:
        return wrong("; ".join(found[:5]), "give it the name and the arguments of the base class")
    return fine("the adapter has no misspelt method")


def _odd(place: object, base: type[Any]) -> Iterator[str]:
    """Say what of a shop's class looks like something of its base and is not."""
    known = {name for name in dir(base) if not name.startswith("_")}
    given: dict[str, Any] = {}
    for kind in type(place).__mro__:
        if issubclass(kind, base) and kind is not base:
            given = {**vars(kind), **given}
    by_letters = {_letters(name): name for name in known - set(given)}
    for name, value in given.items():
        where = f"{type(place).__name__}.{name}"
        if name in known:
            if inspect.isfunction(value) and not _can_be_called(value, getattr(base, name)):
                yield f"{where} takes other arguments than {base.__name__}.{name}"
        elif not name.startswith("_"):
            near = difflib.get_close_matches(_letters(name), by_letters, n=1, cutoff=ALIKE)
            if near:
                yield f"{where} is nothing that is asked for: {by_letters[near[0]]} is meant"


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _can_be_called(method: Callable[..., Any], base: object) -> bool:
    if not inspect.isfunction(base):
        return True
    parameters = inspect.signature(base).parameters.values()
    keyword_only = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    count = sum(p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} for p in parameters)
    try:
        inspect.signature(method).bind(*[None] * count, **keyword_only)
    except TypeError:
        return False
    return True


def _secret_key(visit: Visit) -> Said:
    key = visit.line.app.config["SECRET_KEY"]
    mend = f"set it to the output of {_NEW_KEY}, the same one in all processes"
    if len(key) < MIN_SECRET_KEY:
        text = f"SECRET_KEY is shorter than {MIN_SECRET_KEY} characters and can be guessed"
        say = doubtful if visit.line.app.debug else wrong
        return say(f"{text}; outside debug mode the shop does not start with it", mend)
    word = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
    if _EXAMPLE.search(word):
        return doubtful("SECRET_KEY looks like an example that others know", mend)
    return fine("SECRET_KEY is long")


def _base_url(visit: Visit) -> Said:
    config = visit.line.config
    if _is_prefix_twice(config.base_url, config.url_prefix):
        return doubtful(
            f"LINECONNECT_BASE_URL ends in {config.url_prefix}, with which LINECONNECT_URL_PREFIX "
            f"begins: webhook and callback are below {config.url_prefix}{config.url_prefix}",
            "let LINECONNECT_BASE_URL end where the shop's first page is",
        )
    if config.emulator_url is not None:
        return fine(f"the emulator stands for LINE, and the shop is at {config.base_url}")
    host = urlsplit(config.base_url).hostname or ""
    if not config.base_url.startswith("https://"):
        return wrong(
            f"LINECONNECT_BASE_URL is {config.base_url}, and LINE takes no address but https",
            "set the public https address of the shop; TLS may end at a proxy",
        )
    if _is_of_this_machine(host):
        return wrong(
            f"LINECONNECT_BASE_URL is at {host}, which neither LINE nor customers can reach",
            "set the public address of the shop, for development that of a tunnel, or use the "
            "emulator (LINECONNECT_EMULATOR_URL)",
        )
    return fine(f"the shop is at {config.base_url}")


def _is_prefix_twice(base_url: str, url_prefix: str) -> bool:
    path = urlsplit(base_url).path
    return url_prefix != "/" and path.endswith(url_prefix)


def _is_of_this_machine(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _time_zone(visit: Visit) -> Said:
    app, ours = visit.line.app, visit.line.config.timezone
    pages = app.config.get("BABEL_DEFAULT_TIMEZONE")
    if pages and str(pages) != ours and str(pages) != "UTC":
        return doubtful(
            f"LINECONNECT_TIMEZONE is {ours} and BABEL_DEFAULT_TIMEZONE is {pages}: messages and "
            "pages tell other times",
            "set both to the shop's zone",
        )
    if ours.upper() in {"UTC", "GMT", "ETC/UTC", "ETC/GMT", "ZULU", "UCT"}:
        return doubtful(
            f"LINECONNECT_TIMEZONE is {ours}, which is no shop's: quiet hours and what is sent at "
            "an hour are nine hours off in Japan",
            "set it to the shop's zone, or leave it out for Asia/Tokyo",
        )
    return fine(f"the shop's zone is {ours}")


def _login_page(visit: Visit) -> Said:
    app = visit.line.app
    manager = app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    views = {manager.login_view, *manager.blueprint_login_views.values()} - {None}
    if not views and manager.unauthorized_callback is None:
        return doubtful(
            "Flask-Login has no login_view: who must log in is answered 401, and sees no page",
            'set login_manager.login_view to the login page, or to "lineconnect.login"',
        )
    lost = [
        view
        for view in sorted(map(str, views))
        if view not in app.view_functions and not view.startswith(("/", "http://", "https://"))
    ]
    if lost:
        return wrong(
            f"Flask-Login leads to {lost[0]!r}, which is no endpoint of this app",
            "set login_manager.login_view to an endpoint, or to a path that begins with a slash",
        )
    return fine("Flask-Login knows the login page")


def _load_user(visit: Visit) -> Said | None:
    """Load a member as Flask-Login would at the request after a login."""
    line = visit.line
    manager = line.app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    if manager._user_callback is None:
        if manager._request_callback is not None:
            return None  # the shop has no sessions of members
        return wrong(
            "Flask-Login has no user_loader, so nobody stays logged in",
            "give a function to login_manager.user_loader that returns the member of a key",
        )
    member = line.session.scalars(select(line.shop.model).limit(1)).first()
    if member is None:
        return None
    mend = (
        "let the function of login_manager.user_loader return the member whose get_id() it is "
        "given, a text; `int(key)` where the table has numbers"
    )
    try:
        key = member.get_id()
        found = manager._user_callback(key)
    except Exception as error:  # the shop's code
        text = f"a member can't be loaded for a session ({type(error).__name__})"
        return wrong(f"{text}, so every page fails after a login", mend)
    if found is None:
        return wrong("user_loader finds no member by get_id(), so nobody stays logged in", mend)
    if not isinstance(found, line.shop.model) or found.get_id() != key:
        return wrong("user_loader returns somebody else than the member it is asked for", mend)
    return fine("Flask-Login loads members by their keys")


def _pages(visit: Visit) -> Said:
    config = visit.line.config
    named = {
        "LINECONNECT_DEFAULT_PAGE": config.default_page,
        "LINECONNECT_TERMS_URL": config.terms_url,
        "LINECONNECT_PRIVACY_URL": config.privacy_url,
    }
    for setting, path in named.items():
        if path is not None and path.startswith("/") and not _leads_somewhere(visit, path):
            return wrong(
                f"{setting} is {path}, where this app has no page",
                "set it to a page of the shop, or leave it out",
            )
    return fine("the pages that the settings name are there")


def _leads_somewhere(visit: Visit, path: str) -> bool:
    line = visit.line
    base = urlsplit(line.config.base_url)
    below = "/" + path.partition("?")[0].removeprefix(base.path).lstrip("/")
    try:
        line.app.url_map.bind(base.netloc).match(below, method="GET")
    except RequestRedirect:
        return True
    except (NotFound, MethodNotAllowed):
        return False
    return True


CHECKS = (
    Check("adapter", _adapter),
    Check("base-url", _base_url),
    Check("secret-key", _secret_key),
    Check("time-zone", _time_zone),
    Check("login-page", _login_page),
    Check("load-user", _load_user),
    Check("pages", _pages),
)
